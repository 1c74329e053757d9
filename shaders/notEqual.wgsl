// y = 1 where a and b differ, else 0; 1 where one is NaN. It has no gradient.
fn notEqual_forward(a: f32, b: f32) -> f32 {
  return select(1.0, 0.0, math_equal(a, b));
}
