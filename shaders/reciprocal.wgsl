// y = 1 / x
fn reciprocal_forward(x: f32) -> f32 {
  return math_div(1.0, x);
}

// dy/dx = -1 / x², one division after the other: x² may leave the range where the gradient doesn't
fn reciprocal_backward(x: f32, gy: f32) -> f32 {
  return -math_div(math_div(gy, x), x);
}
