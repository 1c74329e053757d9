// math_erf(x), the error function 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.
//
// Method: x + x E(x^2) for |x| < 0.875; above, 1 - e^(|x| L(|x|)), as log(1 - erf x) is close to a polynomial
// (the form is Norbert Juffa's; own minimax fits of E and L, relative errors of the result 2^-30).
// Both are computed, as nearby inputs mix both cases.
// Largest error: 1.37 ULP at x = 2.08e-38, over all 2^32 inputs.
// Neighbours may be 1 ULP out of order.
// Special values: erf(+-0) = +-0, +-Inf gives +-1, NaN gives NaN; |x| > 3.92 gives +-1. Subnormal x
// and results are kept.
// Relaxed math: math_opaque keeps x + x E from being computed as x (1 + E), which is less accurate.
fn math_erf(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let size = bitcast<f32>(min(magnitude, 0x40800000u)); // |x| <= 4, from where the result rounds to 1

  let z = size * size;
  var p = 7.842241757316515e-05;
  p = p * z - 0.0008021723479032516;
  p = p * z + 0.0051906355656683445;
  p = p * z - 0.026855282485485077;
  p = p * z + 0.11283621937036514;
  p = p * z - 0.3761262893676758;
  p = p * z + 0.12837916612625122;
  let small = size + math_opaque(size * p);

  var l = -5.767287348135142e-06;
  l = l * size + 5.5596381571376696e-05;
  l = l * size - 9.901564226311166e-07;
  l = l * size - 0.0027917190454900265;
  l = l * size + 0.022452248260378838;
  l = l * size - 0.1050543487071991;
  l = l * size - 0.6357314586639404;
  l = l * size - 1.1285290718078613;
  let e = math_exp_reduce(size * l);
  let scale = bitcast<f32>(u32(e.k + 127) << 23u);
  let large = 1.0 - math_opaque((1.0 + (e.r + e.q)) * scale);

  // Below 2^-100 the polynomial's products would leave the normal range.
  let tiny = select(small, size * 1.12837917, magnitude < 0x0d800000u);
  let value = select(large, tiny, magnitude < 0x3f600000u);
  // A subnormal's bits are an integer count of units: 1.128... times that count, in integers.
  let subnormal = i32(magnitude) + i32(f32(i32(magnitude)) * 0.128379167 + 0.5);
  let positive = select(bitcast<u32>(value), u32(subnormal), magnitude < 0x00800000u);
  let result = select(positive | (bits & 0x80000000u), bits | 0x00400000u, magnitude > 0x7f800000u);
  return bitcast<f32>(result);
}
