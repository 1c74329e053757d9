// y = tan x
fn tan_forward(x: f32) -> f32 {
  return math_tan(x);
}

// dy/dx = 1 + tan² x, from x: 1 + y² would have twice the error of y
fn tan_backward(x: f32, gy: f32) -> f32 {
  return gy * math_tan_slope(x);
}
