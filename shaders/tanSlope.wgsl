// y = 1 + tan² x, the derivative of tan
fn tanSlope_forward(x: f32) -> f32 {
  return math_tan_slope(x);
}

// dy/dx = 2 y tan x
fn tanSlope_backward(x: f32, y: f32, gy: f32) -> f32 {
  return gy * (2.0 * (y * math_tan(x)));
}
