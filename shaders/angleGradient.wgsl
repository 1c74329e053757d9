// y = g b / (a² + b²), the gradient that atan2(a, b) passes to a
fn angleGradient_forward(g: f32, a: f32, b: f32) -> f32 {
  return math_angle_gradient(g, a, b);
}

// With s = a / (a² + b²) and c = b / (a² + b²): dy/dg = c, dy/da = -2 y s, dy/db = g (s² - c²)
fn angleGradient_backward(g: f32, a: f32, b: f32, y: f32, gy: f32) -> vec3f {
  let s = math_angle_gradient(1.0, b, a);
  let c = math_angle_gradient(1.0, a, b);
  return vec3f(math_angle_gradient(gy, a, b), gy * (-2.0 * (y * s)), gy * (g * ((s - c) * (s + c))));
}
