// y = √x; NaN for x < 0
fn sqrt_forward(x: f32) -> f32 {
  return math_sqrt(x);
}

// dy/dx = 1 / 2√x = 1 / 2y; +Inf at 0
fn sqrt_backward(y: f32, gy: f32) -> f32 {
  return math_div(gy, y + y);
}
