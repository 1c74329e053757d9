// math_tan(x), x in radians.
//
// Method: exact reduction to |r| <= pi/4 for every x (trig_reduce.wgsl); t = tan r = r + r^3 T(r^2) with a minimax T
// (own fit, relative error 2^-29), or -1/t in odd quadrants. t is kept in two parts and the reciprocal corrected
// for the driver's error (quotient.wgsl).
// Largest error: 1.94 ULP at x = 2.95e22, over all 2^32 inputs.
// Special values: tan(+-0) = +-0, |x| < 2^-12 returns x (subnormals too), +-Inf and NaN give NaN. No f32 is near
// enough to a multiple of pi/2 to overflow.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_tan(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let parts = math_tan_parts(x);
  var result = bitcast<u32>(parts.x + parts.y) ^ (bits & 0x80000000u);
  result = select(result, bits, magnitude < 0x39800000u);
  result = select(result, 0x7fc00000u, magnitude >= 0x7f800000u);
  return bitcast<f32>(result);
}

// tan |x| as the sum of two f32, for finite x.
fn math_tan_parts(x: f32) -> vec2f {
  let reduced = math_trig_reduce(x);
  let r = reduced.high;
  let z = r * r;
  var p = 0.004372341558337212;
  p = p * z + 9.882983431452885e-05;
  p = p * z + 0.010827098973095417;
  p = p * z + 0.021286293864250183;
  p = p * z + 0.05405890569090843;
  p = p * z + 0.13332675397396088;
  p = p * z + 0.33333349227905273;
  // The derivative of tan is 1 + t^2, about 1 + z.
  let correction = math_opaque(r * z * p + reduced.low * (1.0 + z));
  let t = math_two_sum(r, correction);
  let inverse = math_quotient(1.0, t.x, t.y);
  return select(t, -inverse, (reduced.quadrant & 1u) != 0u);
}
