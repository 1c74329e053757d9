// math_sigmoid(x) = 1 / (1 + e^-x).
//
// Method: with e = e^-|x| <= 1, which cannot overflow, it is 1 / (1 + e) for x >= 0 and e / (1 + e) for x < 0.
// e and 1 + e are carried in two parts, and the quotient is corrected for the driver's error (quotient.wgsl).
// Largest error: 0.68 ULP at x = -5.18, over all 2^32 inputs; no fall among them.
// Special values: NaN gives NaN, +Inf gives 1, -Inf gives 0; subnormal results are kept (x < -87.336).
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_sigmoid(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let isNegative = bits >= 0x80000000u;
  let e = math_exp_reduce(-bitcast<f32>(min(magnitude, 0x42d00000u))); // |x| <= 104
  let significand = math_exp_significand(e);
  let scaled = significand * bitcast<f32>(u32(max(e.k, -126) + 127) << 23u);
  let denominator = math_two_sum(1.0, scaled.x);

  let numerator = select(1.0, significand.x, isNegative);
  let quotient = math_quotient(numerator, denominator.x, denominator.y + scaled.y);
  // The numerator's own tail, divided by a rough denominator.
  let numeratorTail = select(0.0, significand.y, isNegative) * (1.0 - 0.5 * scaled.x);
  let value = quotient.x + math_opaque(quotient.y + numeratorTail);
  let result = math_exp_scale(value, select(0, e.k, isNegative));
  return bitcast<f32>(select(result, bits | 0x00400000u, magnitude > 0x7f800000u));
}
