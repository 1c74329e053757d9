// y = 1 where a <= b, else 0; 0 where one is NaN. It has no gradient.
fn lessEqual_forward(a: f32, b: f32) -> f32 {
  return select(0.0, 1.0, math_less(a, b) | math_equal(a, b));
}
