// y = the smaller of a and b; NaN where one is NaN
fn minimum_forward(a: f32, b: f32) -> f32 {
  return math_min(a, b);
}

// The smaller one gets the gradient; equals share it. Where one is NaN, both get it.
fn minimum_backward(a: f32, b: f32, gy: f32) -> vec2f {
  let share = select(gy, 0.5 * gy, math_equal(a, b));
  return vec2f(select(share, 0.0, math_less(b, a)), select(share, 0.0, math_less(a, b)));
}
