// math_cos(x), x in radians.
//
// Method: exact reduction to |r| <= pi/4 for every x (trig_reduce.wgsl), then polynomials (sincos.wgsl);
// cos x = sin(x + pi/2) is one quadrant further.
// Largest error: 1.56 ULP at x = 2.172034e+18, over all 2^32 inputs.
// Special values: cos(+-0) = 1, +-Inf and NaN give NaN.
// Relaxed math: see trig_reduce.wgsl and sincos.wgsl; special values are selected by comparing bits.
fn math_cos(x: f32) -> f32 {
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  let reduced = math_trig_reduce(x);
  let value = math_sincos(reduced.quadrant + 1u, reduced.high, reduced.low);
  let result = select(bitcast<u32>(value), 0x7fc00000u, magnitude >= 0x7f800000u);
  return bitcast<f32>(result);
}
