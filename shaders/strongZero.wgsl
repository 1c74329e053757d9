// y = the product, and 0 where the gradient that it was made from is exactly 0: what doesn't count makes no NaN
fn strongZero_forward(gradient: f32, product: f32) -> f32 {
  return select(product, 0.0, math_is_zero(gradient));
}

// The product gets its gradient as it is, also where it was replaced: it must stay the factor of what changes `gradient`.
fn strongZero_backward(gy: f32) -> vec2f {
  return vec2f(0.0, gy);
}
