// math_is_zero(x): whether x is 0 or -0. It looks at the bits: x == 0.0 may be true for subnormal x as well.
fn math_is_zero(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0u;
}
