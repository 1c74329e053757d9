// y = 1 / x
fn reciprocal_forward(x: f32) -> f32 {
  return math_div(1.0, x);
}

// dy/dx = -1 / x² = -y²
fn reciprocal_backward(y: f32, gy: f32) -> f32 {
  return -gy * y * y;
}
