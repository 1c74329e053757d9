// math_erf_slope(x), the derivative of erf: 2/sqrt(pi) e^(-x^2).
//
// Method: x^2 is carried in two parts, square + rest, since rounding it would cost the power x^2 * 2^-24 of its size:
// e^(-square - rest) = e^-square (1 - rest), as rest is at most 2^-18.
// Special values: NaN gives NaN, +-Inf gives 0; subnormal results are kept.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque.
fn math_erf_slope(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let size = bitcast<f32>(min(magnitude, 0x41240000u)); // |x| <= 10.25, from where the result rounds to 0
  let square = math_opaque(size * size);
  let parts = math_split(size);
  let rest = math_opaque(math_opaque(parts.x * parts.x) - square) + (parts.x + size) * parts.y;

  let e = math_exp_reduce(-square);
  let tail = e.q - rest * (1.0 + (e.r + e.q));
  let value = 1.12837917 * (1.0 + math_opaque(e.r + tail));
  let result = math_exp_scale(value, e.k);
  return bitcast<f32>(select(result, bits | 0x00400000u, magnitude > 0x7f800000u));
}
