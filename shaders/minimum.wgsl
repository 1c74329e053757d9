// y = the smaller of a and b; NaN where one is NaN
fn minimum_forward(a: f32, b: f32) -> f32 {
  return math_min(a, b);
}

// The smaller one gets the gradient; equals share it.
fn minimum_backward(a: f32, b: f32, gy: f32) -> vec2f {
  let share = select(select(0.0, gy, a < b), 0.5 * gy, a == b);
  return vec2f(share, gy - share);
}
