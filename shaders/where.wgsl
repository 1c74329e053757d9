// y = a where the condition isn't 0, else b. NaN isn't 0, nor is a subnormal number.
fn where_forward(condition: f32, a: f32, b: f32) -> f32 {
  return select(a, b, math_is_zero(condition));
}

// The condition has no gradient.
fn where_backward(condition: f32, gy: f32) -> vec3f {
  return select(vec3f(0.0, gy, 0.0), vec3f(0.0, 0.0, gy), math_is_zero(condition));
}
