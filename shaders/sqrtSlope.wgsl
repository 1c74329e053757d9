// y = 1 / 2√x, the derivative of sqrt
fn sqrtSlope_forward(x: f32) -> f32 {
  return 0.5 * inverseSqrt(x);
}

// dy/dx = -y / 2x
fn sqrtSlope_backward(x: f32, y: f32, gy: f32) -> f32 {
  return gy * math_div(-0.5 * y, x);
}
