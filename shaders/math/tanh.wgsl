// math_tanh(x).
//
// Method: x + x^3 T(x^2) with a minimax T for |x| < 0.35 (own fit, relative error 2^-31); above,
// (1 - e) / (1 + e) with e = e^-2|x|, each carried in two parts and the quotient corrected for the driver's error
// (quotient.wgsl). Both are computed, as nearby inputs mix both cases.
// Largest error: 0.724 ULP at |x| = 0.516, over all 2^32 inputs; monotonic.
// Special values: tanh(+-0) = +-0, |x| < 2^-12 returns x (subnormals too), +-Inf gives +-1, NaN gives NaN.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_tanh(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let size = bitcast<f32>(min(magnitude, 0x41200000u)); // |x| <= 10, from where the result rounds to 1

  let z = size * size;
  var p = 0.0194481760263443;
  p = p * z - 0.053729645907878876;
  p = p * z + 0.1333240568637848;
  p = p * z - 0.33333322405815125;
  let small = size + math_opaque(size * z * p);

  let e = math_exp_reduce(-2.0 * size);
  let scaled = math_exp_significand(e) * bitcast<f32>(u32(e.k + 127) << 23u);
  let numerator = math_two_sum(1.0, -scaled.x);
  let denominator = math_two_sum(1.0, scaled.x);
  let quotient = math_quotient(numerator.x, denominator.x, denominator.y + scaled.y);
  // The numerator's own tail, divided by a rough denominator.
  let large = quotient.x + math_opaque(quotient.y + (numerator.y - scaled.y) * (1.0 - 0.5 * scaled.x));

  let value = select(large, small, magnitude < 0x3eb33333u);
  var result = bitcast<u32>(value) | (bits & 0x80000000u);
  result = select(result, bits, magnitude < 0x39800000u);
  result = select(result, bits | 0x00400000u, magnitude > 0x7f800000u);
  return bitcast<f32>(result);
}
