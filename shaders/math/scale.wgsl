// math_scale(x, k) = x * 2^k, rounded once, for any k and |x| from 2^-6 to 2^6, or 0, Inf or NaN.
//
// With the two functions below it, a product of many factors is taken of their significands, and their exponents are
// added: then no factor and no product on the way leaves the range where the result is in it.
fn math_scale(x: f32, k: i32) -> f32 {
  let limited = clamp(k, -200, 200);
  let half = limited >> 1u;
  return x * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(limited - half + 127) << 23u);
}

// The k with |x| in [2^k, 2^(k + 1)), for subnormal x too; 0 for 0, Inf and NaN.
fn math_scale_exponent(x: f32) -> i32 {
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  let exponent = i32(math_scale_normal(magnitude) >> 23u) - select(127, 127 + 149, magnitude < 0x00800000u);
  return select(exponent, 0, (magnitude == 0u) | (magnitude >= 0x7f800000u));
}

// x * 2^-math_scale_exponent(x), of a size in [1, 2); 0, Inf and NaN stay.
fn math_scale_significand(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let significand = (math_scale_normal(magnitude) & 0x007fffffu) | 0x3f800000u | (bits & 0x80000000u);
  return bitcast<f32>(select(significand, bits, (magnitude == 0u) | (magnitude >= 0x7f800000u)));
}

// The bits of a subnormal are the integer x * 2^149, which is a normal number.
fn math_scale_normal(magnitude: u32) -> u32 {
  return select(magnitude, bitcast<u32>(f32(i32(magnitude))), magnitude < 0x00800000u);
}
