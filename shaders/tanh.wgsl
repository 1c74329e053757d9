// y = tanh x
fn tanh_forward(x: f32) -> f32 {
  return math_tanh(x);
}

// dy/dx = 1 - tanh² x = 1 - y²
fn tanh_backward(y: f32, gy: f32) -> f32 {
  return gy * (1.0 - y * y);
}
