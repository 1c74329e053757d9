// y = a b
fn mul_forward(a: f32, b: f32) -> f32 {
  return a * b;
}

fn mul_backward(a: f32, b: f32, gy: f32) -> vec2f {
  return vec2f(gy * b, gy * a);
}
