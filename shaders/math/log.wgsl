// math_log(x) = natural logarithm of x.
//
// Method: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), both taken from the bits; log x = k ln 2 + log(1 + f),
// and log(1 + f) = f - f^2/2 + f^3 P(f) with a minimax P on that interval (own fit, relative error 2^-27).
// Largest error: 0.923 ULP at x = 0.7064, over all 2^32 inputs; monotonic.
// Special values: log(+-0) = -Inf, log(x < 0) = NaN, NaN gives NaN, +Inf gives +Inf, log(1) = +0.
// Subnormal x is as accurate as any other: its bits are converted as an integer.
// Relaxed math: math_opaque keeps the order of the last sums, small terms first; k ln 2 is split with an integer
// product.
fn math_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // The bits of a subnormal are the integer x * 2^149.
  let isSubnormal = bits < 0x00800000u;
  let normal = select(bits, bitcast<u32>(f32(i32(bits))), isSubnormal);
  let offset = select(0, -149, isSubnormal);
  // Subtracting the bits of sqrt(1/2) puts the carry into the next exponent at sqrt(1/2) instead of at 1.
  let exponent = i32(normal - 0x3f3504f3u) >> 23u;
  let f = bitcast<f32>(normal - (u32(exponent) << 23u)) - 1.0;
  let k = exponent + offset;
  // ln 2 = 0.693145751953125 (15 bits, so that its product with k is exact) + 12566158 * 2^-43.
  let high = f32(k) * 0.693145751953125;
  let low = f32(k * 12566158) * 1.1368683772161603e-13;
  let bend = math_opaque(f * f * (f * math_log_polynomial(f) - 0.5) + low);
  let sum = high + math_opaque(f + bend);

  var result = bitcast<u32>(sum);
  result = select(result, bits | 0x7fc00000u, bits > 0x7f800000u); // negative or NaN
  result = select(result, 0x7f800000u, bits == 0x7f800000u);
  result = select(result, 0xff800000u, (bits & 0x7fffffffu) == 0u);
  return bitcast<f32>(result);
}

// (log(1 + f) - f + f^2 / 2) / f^3 for 1 + f in [sqrt(1/2), sqrt(2)].
fn math_log_polynomial(f: f32) -> f32 {
  var p = -0.07636940479278564;
  p = p * f + 0.12762485444545746;
  p = p * f - 0.13159550726413727;
  p = p * f + 0.14201539754867554;
  p = p * f - 0.1662341058254242;
  p = p * f + 0.2000124305486679;
  p = p * f - 0.2500081956386566;
  return p * f + 0.3333333134651184;
}
