// math_sin(x), x in radians.
//
// Method: exact reduction to |r| <= pi/4 for every x (trig_reduce.wgsl), then polynomials (sincos.wgsl).
// Largest error: 1.59 ULP at x = 2.2 * 10^8, over all 2^32 inputs.
// Special values: sin(+-0) = +-0, |x| < 2^-12 returns x (subnormals too), +-Inf and NaN give NaN.
// Relaxed math: see trig_reduce.wgsl and sincos.wgsl; special values are selected by comparing bits.
fn math_sin(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let reduced = math_trig_reduce(x);
  let value = math_sincos(reduced.quadrant, reduced.high, reduced.low);
  var result = bitcast<u32>(value) ^ (bits & 0x80000000u);
  result = select(result, bits, magnitude < 0x39800000u);
  result = select(result, 0x7fc00000u, magnitude >= 0x7f800000u);
  return bitcast<f32>(result);
}
