// math_divisor_gradient(g, a, b) = -g a / b^2, the gradient that a quotient a / b passes to b.
// Significands and exponents are taken apart (scale.wgsl): a / b, g a and b^2 may leave the range where this doesn't.
fn math_divisor_gradient(g: f32, a: f32, b: f32) -> f32 {
  let divisor = math_scale_significand(b);
  let product = -math_scale_significand(g) * math_scale_significand(a);
  let exponent = math_scale_exponent(g) + math_scale_exponent(a) - 2 * math_scale_exponent(b);
  return math_scale(math_div(math_div(product, divisor), divisor), exponent);
}
