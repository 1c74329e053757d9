// y = a where the condition isn't 0, else b. NaN isn't 0: only == says so on every driver, != may not.
fn where_forward(condition: f32, a: f32, b: f32) -> f32 {
  return select(a, b, condition == 0.0);
}

// The condition has no gradient.
fn where_backward(condition: f32, gy: f32) -> vec3f {
  return select(vec3f(0.0, gy, 0.0), vec3f(0.0, 0.0, gy), condition == 0.0);
}
