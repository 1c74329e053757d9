// y = tan x
fn tan_forward(x: f32) -> f32 {
  return math_tan(x);
}

// dy/dx = 1 + tan² x = 1 + y²
fn tan_backward(y: f32, gy: f32) -> f32 {
  return gy * (1.0 + y * y);
}
