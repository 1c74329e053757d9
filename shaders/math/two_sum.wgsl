// math_two_sum(a, b) = (rounded sum, its rounding error), for |a| >= |b| or a = 0: the two add up to a + b exactly
// (T. J. Dekker, "A floating-point technique for extending the available precision", 1971).
// math_opaque keeps relaxed math from simplifying the error to 0.
fn math_two_sum(a: f32, b: f32) -> vec2f {
  let sum = math_opaque(a + b);
  return vec2f(sum, math_opaque(b - math_opaque(sum - a)));
}
