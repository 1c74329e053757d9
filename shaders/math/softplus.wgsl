// math_softplus(x) = log(1 + e^x), without the threshold that PyTorch's softplus has.
//
// Method: max(x, 0) + log(1 + e) with e = e^-|x| <= 1, which cannot overflow. For e > sqrt(2) - 1,
// log(1 + e) = ln 2 + log(1 + (e - 1) / 2), so that log.wgsl's polynomial serves both cases.
// Largest error: 1.53 ULP at x = -0.88, over all 2^32 inputs. Not monotonic: neighbours may be
// 1 ULP out of order.
// Special values: NaN gives NaN, +Inf gives +Inf, -Inf gives 0, x >= 32 returns x; subnormal results are kept.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_softplus(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let clamped = bitcast<f32>(min(magnitude, 0x42d00000u)); // |x| <= 104
  let e = math_exp_reduce(-clamped);
  let significand = math_exp_significand(e);
  let scaled = significand * bitcast<f32>(u32(max(e.k, -126) + 127) << 23u);
  // d log(1 + e) = de / (1 + e); a rough 1 / (1 + e) will do for the tail.
  let tail = scaled.y * (1.0 - 0.5 * scaled.x);

  let isHalved = scaled.x > 0.41421356;
  let f = select(scaled.x, (scaled.x - 1.0) * 0.5, isHalved);
  let high = select(0.0, 0.693145751953125, isHalved); // ln 2 in two parts
  let low = select(0.0, 1.428606765330187e-06, isHalved);
  let bend = math_opaque(f * f * (f * math_log_polynomial(f) - 0.5) + (low + tail));
  let logarithm = math_opaque(high + math_opaque(f + bend));
  let sum = select(clamped, 0.0, bits >= 0x80000000u) + logarithm;

  var result = bitcast<u32>(sum);
  // For x < -20, log(1 + e) is e to within 2^-29.
  result = select(result, math_exp_scale(significand.x, e.k), bits > 0xc1a00000u);
  result = select(result, bits, i32(bits) >= 0x42000000);
  return bitcast<f32>(select(result, bits | 0x00400000u, magnitude > 0x7f800000u));
}
