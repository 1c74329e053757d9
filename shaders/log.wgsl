// y = ln x; -Inf at 0, NaN for x < 0
fn log_forward(x: f32) -> f32 {
  return math_log(x);
}

// dy/dx = 1 / x
fn log_backward(x: f32, gy: f32) -> f32 {
  return math_div(gy, x);
}
