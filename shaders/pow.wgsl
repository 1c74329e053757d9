// y = a to the power of b, with C's special cases: 1 for b = 0, NaN for a < 0 unless b is a whole number
fn pow_forward(a: f32, b: f32) -> f32 {
  return math_pow(a, b);
}

// dy/da = b a^(b-1), 0 where b = 0; dy/db = y ln a, 0 where a = 0 and b >= 0
fn pow_backward(a: f32, b: f32, gy: f32) -> vec2f {
  return math_pow_gradient(gy, a, b);
}
