// y = a, or b where a is 0: it is 0 where both are
fn eitherNonzero_forward(a: f32, b: f32) -> f32 {
  return select(a, b, math_is_zero(a));
}
