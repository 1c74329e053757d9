// y = ln(1 + eˣ), without overflow
fn softplus_forward(x: f32) -> f32 {
  return math_softplus(x);
}

// dy/dx = 1 / (1 + e⁻ˣ)
fn softplus_backward(x: f32, gy: f32) -> f32 {
  return gy * math_sigmoid(x);
}
