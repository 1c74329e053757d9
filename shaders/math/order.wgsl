// math_order(x): integers in the order of the floats, equal for -0 and +0. Comparing them tells subnormal numbers from 0,
// which a driver's own comparison may not. NaN has no place in it: ask math_is_nan.
fn math_order(x: f32) -> i32 {
  let bits = bitcast<u32>(x);
  let magnitude = i32(bits & 0x7fffffffu);
  return select(magnitude, -magnitude, bits >= 0x80000000u);
}
