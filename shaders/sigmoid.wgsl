// y = 1 / (1 + e⁻ˣ)
fn sigmoid_forward(x: f32) -> f32 {
  return math_sigmoid(x);
}

// dy/dx = y (1 - y), from x: of 1 - y nothing is left where y rounds to 1
fn sigmoid_backward(x: f32, gy: f32) -> f32 {
  return gy * math_sigmoid_slope(x);
}
