// y = sin x
fn sin_forward(x: f32) -> f32 {
  return math_sin(x);
}

// dy/dx = cos x
fn sin_backward(x: f32, gy: f32) -> f32 {
  return gy * math_cos(x);
}
