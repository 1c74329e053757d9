// math_equal(a, b): whether a = b; false where one is NaN. Subnormal numbers are not 0 (order.wgsl).
fn math_equal(a: f32, b: f32) -> bool {
  return (math_order(a) == math_order(b)) & !math_is_nan(a) & !math_is_nan(b);
}
