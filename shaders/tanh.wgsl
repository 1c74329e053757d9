// y = tanh x
fn tanh_forward(x: f32) -> f32 {
  return math_tanh(x);
}

// dy/dx = 1 - tanh² x, from x: of 1 - y² nothing is left where y rounds to 1
fn tanh_backward(x: f32, gy: f32) -> f32 {
  return gy * math_tanh_slope(x);
}
