// y = |x|
fn abs_forward(x: f32) -> f32 {
  return abs(x);
}

// dy/dx = sign x, and 0 at 0
fn abs_backward(x: f32, gy: f32) -> f32 {
  return gy * math_sign(x);
}
