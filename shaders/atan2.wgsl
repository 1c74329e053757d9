// y = the angle of the point (b, a), from -π to π
fn atan2_forward(a: f32, b: f32) -> f32 {
  return math_atan2(a, b);
}

// dy/da = b / (a² + b²), dy/db = -a / (a² + b²); NaN at the origin
fn atan2_backward(a: f32, b: f32, gy: f32) -> vec2f {
  return vec2f(math_angle_gradient(gy, a, b), -math_angle_gradient(gy, b, a));
}
