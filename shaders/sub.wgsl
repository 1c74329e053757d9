// y = a - b
fn sub_forward(a: f32, b: f32) -> f32 {
  return a - b;
}

fn sub_backward(gy: f32) -> vec2f {
  return vec2f(gy, -gy);
}
