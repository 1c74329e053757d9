// y = a where the condition isn't 0, else b
fn where_forward(condition: f32, a: f32, b: f32) -> f32 {
  return select(b, a, condition != 0.0);
}

// The condition has no gradient.
fn where_backward(condition: f32, gy: f32) -> vec3f {
  return select(vec3f(0.0, 0.0, gy), vec3f(0.0, gy, 0.0), condition != 0.0);
}
