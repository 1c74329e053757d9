// y = 1 / (1 + e⁻ˣ)
fn sigmoid_forward(x: f32) -> f32 {
  return math_sigmoid(x);
}

// dy/dx = y (1 - y)
fn sigmoid_backward(y: f32, gy: f32) -> f32 {
  return gy * (1.0 - y) * y;
}
