// y = 1 / cosh² x, the derivative of tanh
fn tanhSlope_forward(x: f32) -> f32 {
  return math_tanh_slope(x);
}

// dy/dx = -2 y tanh x
fn tanhSlope_backward(x: f32, y: f32, gy: f32) -> f32 {
  return gy * (-2.0 * (y * math_tanh(x)));
}
