// math_tan_slope(x), the derivative of tan: 1 + tan^2 x, from tan x in two parts (tan.wgsl): squaring it doubles its error,
// so that tan x rounded to a float is not enough.
// Special values: +-Inf and NaN give NaN.
fn math_tan_slope(x: f32) -> f32 {
  let t = math_tan_parts(x);
  let slope = 1.0 + (t.x * t.x + 2.0 * t.x * t.y);
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  return bitcast<f32>(select(bitcast<u32>(slope), 0x7fc00000u, magnitude >= 0x7f800000u));
}
