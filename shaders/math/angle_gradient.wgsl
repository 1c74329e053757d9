// math_angle_gradient(g, a, b) = g b / (a^2 + b^2), the gradient that the angle of the point (b, a) passes to a; that of b
// is -math_angle_gradient(g, b, a).
// a and b are scaled by the same power of two (scale.wgsl), so that the squares stay in range. NaN at the origin.
fn math_angle_gradient(g: f32, a: f32, b: f32) -> f32 {
  let larger = max(bitcast<u32>(a) & 0x7fffffffu, bitcast<u32>(b) & 0x7fffffffu);
  let exponent = math_scale_exponent(bitcast<f32>(larger));
  let scaledA = math_scale(math_scale_significand(a), math_scale_exponent(a) - exponent);
  let scaledB = math_scale(math_scale_significand(b), math_scale_exponent(b) - exponent);
  let squares = scaledA * scaledA + scaledB * scaledB;
  let value = math_scale_significand(g) * math_div(math_scale_significand(b), squares);
  return math_scale(value, math_scale_exponent(g) + math_scale_exponent(b) - 2 * exponent);
}
