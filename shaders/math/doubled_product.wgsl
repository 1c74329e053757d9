// math_doubled_product(a, b) = 2 a b. The factor that can be doubled without leaving the range is: 2 b may be infinite, and
// a b subnormal, where the result isn't.
fn math_doubled_product(a: f32, b: f32) -> f32 {
  let isLarge = abs(b) >= 1.0;
  return select(a, a + a, isLarge) * select(b + b, b, isLarge);
}
