// math_tanh_slope(x), the derivative of tanh: 1 / cosh^2 x = 4 e / (1 + e)^2 with e = e^-2|x|, which is four times the
// derivative of sigmoid at 2x (sigmoid_slope.wgsl).
// Special values: NaN gives NaN, +-Inf gives 0; subnormal results are kept.
fn math_tanh_slope(x: f32) -> f32 {
  return math_sigmoid_slope_scaled(2.0 * x, 2);
}
