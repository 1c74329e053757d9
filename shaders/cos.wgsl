// y = cos x
fn cos_forward(x: f32) -> f32 {
  return math_cos(x);
}

// dy/dx = -sin x
fn cos_backward(x: f32, gy: f32) -> f32 {
  return -gy * math_sin(x);
}
