// y = a + b
fn add_forward(a: f32, b: f32) -> f32 {
  return a + b;
}

fn add_backward(gy: f32) -> vec2f {
  return vec2f(gy, gy);
}
