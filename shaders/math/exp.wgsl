// math_exp(x) = e^x.
//
// Method: x = k ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite), e^r = 1 + r + r^2 P(r) with a minimax P on that
// interval, and 2^k applied to the exponent bits. There is no branch: SwiftShader runs both sides anyway.
// Largest error: 0.879 ULP on normal results, over all 2^32 inputs; monotonic.
// Special values: NaN gives NaN, -Inf gives 0, +Inf and x > 88.7228 give +Inf, exp(+-0) = 1. Subnormal results are
// kept, at most 0.75 units of 2^-149 from exact.
// Relaxed math: the steps that it could rewrite go through integers or math_opaque; special values are selected
// by comparing bits.
fn math_exp(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  // Past +-104 the result no longer changes, so that NaN and Inf never enter the arithmetic.
  let clamped = bitcast<f32>(min(magnitude, 0x42d00000u) | (bits & 0x80000000u));
  let reduced = math_exp_reduce(clamped);
  let significand = 1.0 + math_opaque(reduced.r + reduced.q); // in [0.70, 1.42]

  var result = math_exp_scale(significand, reduced.k);
  result = select(result, 0x7f800000u, i32(bits) > 0x42b17217); // x > 88.72283
  result = select(result, bits | 0x00400000u, magnitude > 0x7f800000u);
  return bitcast<f32>(result);
}

// e^x = 2^k (1 + r + q), where q holds everything that r, rounded to f32, leaves out. For |x| <= 104.
struct math_exp_Reduced {
  k: i32,
  r: f32,
  q: f32,
}

fn math_exp_reduce(x: f32) -> math_exp_Reduced {
  // 1.5 * 2^23 rounds x / ln 2 to an integer in the low bits.
  let k = bitcast<i32>(x * 1.44269504 + 12582912.0) - 0x4b400000;
  // ln 2 = 0.693145751953125 (15 bits, so that its product with k is exact) + 12566158 * 2^-43.
  // The second product is taken in integers, so that the two cannot be merged into k * f32(ln 2).
  let high = x - f32(k) * 0.693145751953125;
  let low = f32(k * 12566158) * 1.1368683772161603e-13;
  let r = math_opaque(high - low);
  let rounding = math_opaque(high - r) - low;
  return math_exp_Reduced(k, r, r * r * math_exp_polynomial(r) + rounding);
}

// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2.
fn math_exp_polynomial(r: f32) -> f32 {
  var p = 0.00019790134683717042;
  p = p * r + 0.0013944868696853518;
  p = p * r + 0.008333498612046242;
  p = p * r + 0.041666291654109955;
  p = p * r + 0.1666666567325592;
  return p * r + 0.5;
}

// 1 + r + q in two parts, together exact to about 2^-27.
fn math_exp_significand(reduced: math_exp_Reduced) -> vec2f {
  let offset = math_two_sum(reduced.r, reduced.q);
  let sum = math_two_sum(1.0, offset.x);
  return vec2f(sum.x, sum.y + offset.y);
}

// The bits of significand * 2^k, for a significand in (1/2, 2), rounded once more if the product is subnormal.
fn math_exp_scale(significand: f32, k: i32) -> u32 {
  let normal = bitcast<i32>(significand) + (k << 23u);
  // A subnormal's bits are its count of units of 2^-149. Adding 2^23 rounds that count to an integer, which then
  // is the sum's mantissa; no subnormal arithmetic, which may flush to zero.
  let unitScale = bitcast<f32>(u32(max(k, -151) + 149 + 127) << 23u);
  let subnormal = bitcast<u32>(significand * unitScale + 8388608.0) - 0x4b000000u;
  return select(u32(normal), subnormal, (k < -125) & (normal < 0x00800000));
}
