// math_atan2(y, x), the angle of the point (x, y) in (-pi, pi].
//
// Method: a = atan(t), t = min(|x|, |y|) / max(|x|, |y|), by t + t^3 A(t^2) with a minimax A for t <= 1 (own fit,
// relative error 2^-28); then pi/2 - a and pi - a as the octant asks, with pi/2 and pi in two parts. Both sizes are
// divided as significands, with t scaled afterwards, so that no input or quotient leaves the range, and the
// quotient is corrected for the driver's error (quotient.wgsl).
// Largest error: 1.21 ULP over 1.2 * 10^8 random pairs.
// Special values: as C's atan2 for signed zeros and infinities; NaN gives NaN. Subnormal x and y are exact.
// Subnormal results are kept.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque; cases are selected by bits.
fn math_atan2(y: f32, x: f32) -> f32 {
  let yBits = bitcast<u32>(y);
  let xBits = bitcast<u32>(x);
  let ySize = yBits & 0x7fffffffu;
  let xSize = xBits & 0x7fffffffu;
  let larger = max(xSize, ySize);
  let smaller = min(xSize, ySize);

  let top = math_atan2_normalize(smaller);
  let bottom = math_atan2_normalize(larger);
  let quotient = math_quotient(top.significand, bottom.significand, 0.0);
  let exponent = top.exponent - bottom.exponent;

  // 2^-40 is small enough to vanish beside pi/2; the smaller ones only count for x > |y|, below.
  let scale = bitcast<f32>(u32(max(exponent, -40) + 127) << 23u);
  let t = quotient.x * scale;
  let z = t * t;
  var p = -0.0017904058331623673;
  p = p * z + 0.010899696499109268;
  p = p * z - 0.031148936599493027;
  p = p * z + 0.05792722851037979;
  p = p * z - 0.08401581645011902;
  p = p * z + 0.10951506346464157;
  p = p * z - 0.14264102280139923;
  p = p * z + 0.1999853402376175;
  p = p * z - 0.33333298563957214;
  // atan' = 1 / (1 + t^2); a rough value will do for the quotient's correction.
  let correction = math_opaque(t * z * p + quotient.y * scale * (1.0 - 0.5 * z));

  // angle = base + baseTail +- (t + correction)
  let isSteep = ySize > xSize;
  let isLeft = xBits >= 0x80000000u;
  let base = select(select(0.0, 3.14159274, isLeft), 1.57079637, isSteep);
  let baseTail = select(select(0.0, -8.74227766e-8, isLeft), -4.37113883e-8, isSteep);
  let sign = select(1.0, -1.0, isSteep != isLeft);
  let first = math_two_sum(base, sign * t);
  let angle = first.x + math_opaque(first.y + (baseTail + sign * correction));

  var result = bitcast<u32>(angle);
  // For x > 0 and y / x < 2^-20 the angle is the quotient itself.
  let ratio = math_exp_scale(quotient.x + quotient.y, max(exponent, -160));
  result = select(result, ratio, !isSteep & !isLeft & (exponent < -20));
  // The quotient has no meaning if smaller is 0 or larger is Inf: t is 0, or 1 for two infinities.
  let isSame = smaller == 0x7f800000u;
  let quarter = select(0x3f490fdbu, 0x4016cbe4u, isLeft); // pi/4, 3 pi/4
  let axis = select(select(0u, 0x40490fdbu, isLeft), 0x3fc90fdbu, isSteep); // 0, pi, pi/2
  result = select(result, axis, (smaller == 0u) | (larger == 0x7f800000u));
  result = select(result, quarter, isSame);
  result = result | (yBits & 0x80000000u);
  return bitcast<f32>(select(result, 0x7fc00000u, larger > 0x7f800000u));
}

// The number with the given bits as significand * 2^exponent, significand in [1, 2); a subnormal's bits are the
// integer x * 2^149.
struct math_atan2_Normalized {
  significand: f32,
  exponent: i32,
}

fn math_atan2_normalize(bits: u32) -> math_atan2_Normalized {
  let isSubnormal = bits < 0x00800000u;
  let normal = select(bits, bitcast<u32>(f32(i32(bits))), isSubnormal);
  let significand = bitcast<f32>((normal & 0x007fffffu) | 0x3f800000u);
  let exponent = i32(normal >> 23u) - select(127, 127 + 149, isSubnormal);
  return math_atan2_Normalized(significand, exponent);
}
