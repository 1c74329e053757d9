// math_sigmoid_slope(x), the derivative of sigmoid: e / (1 + e)^2 with e = e^-|x|. It is even.
//
// Method: e <= 1 cannot overflow, and nothing cancels: what 1 - sigmoid x would lose for large x is kept down to the
// smallest number. 1 + e is carried in two parts and its inverse corrected for the driver's error (quotient.wgsl).
// Special values: NaN gives NaN, +-Inf gives 0; subnormal results are kept.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_sigmoid_slope(x: f32) -> f32 {
  return math_sigmoid_slope_scaled(x, 0);
}

// The same times 2^shift, which may be normal where the slope itself isn't.
fn math_sigmoid_slope_scaled(x: f32, shift: i32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let e = math_exp_reduce(-bitcast<f32>(min(magnitude, 0x42d40000u))); // |x| <= 106
  let significand = math_exp_significand(e);
  let scaled = significand * bitcast<f32>(u32(max(e.k, -126) + 127) << 23u);
  let denominator = math_two_sum(1.0, scaled.x);
  let quotient = math_quotient(1.0, denominator.x, denominator.y + scaled.y);
  // significand * quotient^2, to first order in what the second parts add.
  let product = significand.x * quotient.x;
  let correction = 2.0 * product * quotient.y + significand.y * quotient.x * quotient.x;
  let result = math_exp_scale(product * quotient.x + correction, e.k + shift);
  return bitcast<f32>(select(result, bits | 0x00400000u, magnitude > 0x7f800000u));
}
