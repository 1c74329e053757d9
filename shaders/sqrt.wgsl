// y = √x; NaN for x < 0
fn sqrt_forward(x: f32) -> f32 {
  return math_sqrt(x);
}

// dy/dx = 1 / 2√x; +Inf at 0. WGSL's inverseSqrt is within 2 ULP, its sqrt and a division within 7.
fn sqrt_backward(x: f32, gy: f32) -> f32 {
  return gy * (0.5 * inverseSqrt(x));
}
