// y = a / b
fn div_forward(a: f32, b: f32) -> f32 {
  return math_div(a, b);
}

// dy/da = 1 / b, dy/db = -a / b²
fn div_backward(a: f32, b: f32, gy: f32) -> vec2f {
  return vec2f(math_div(gy, b), math_divisor_gradient(gy, a, b));
}
