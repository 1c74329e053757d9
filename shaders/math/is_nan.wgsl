// math_is_nan(x): whether x is a NaN, of either sign and any payload.
//
// It looks at the bits (all exponent bits set, some mantissa bit set), because drivers may assume that
// no NaN occurs and delete the usual test x != x. Exact for all 2^32 inputs.
fn math_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
