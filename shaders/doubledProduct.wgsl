// y = 2 a b, the gradient that b² passes on
fn doubledProduct_forward(a: f32, b: f32) -> f32 {
  return math_doubled_product(a, b);
}

fn doubledProduct_backward(a: f32, b: f32, gy: f32) -> vec2f {
  return vec2f(math_doubled_product(gy, b), math_doubled_product(gy, a));
}
