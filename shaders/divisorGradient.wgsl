// y = -g a / b², the gradient that a / b passes to b
fn divisorGradient_forward(g: f32, a: f32, b: f32) -> f32 {
  return math_divisor_gradient(g, a, b);
}

// dy/dg = -a / b², dy/da = -g / b², dy/db = -2 y / b
fn divisorGradient_backward(g: f32, a: f32, b: f32, y: f32, gy: f32) -> vec3f {
  return vec3f(math_divisor_gradient(gy, a, b), math_divisor_gradient(gy, g, b), -2.0 * (gy * math_div(y, b)));
}
