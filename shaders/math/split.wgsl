// math_split(x) = (x with its last 12 bits cut off, the rest): the two add up to x exactly, and products of two
// upper parts are exact. For |x| from 2^-100, so that the rest is no subnormal.
fn math_split(x: f32) -> vec2f {
  let upper = bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
  return vec2f(upper, math_opaque(x - upper));
}
