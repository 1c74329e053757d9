// math_sign(x) = 1, 0 or -1 as x is positive, zero or negative.
//
// It looks at the bits, so that subnormals have a sign even where arithmetic flushes them to 0.
// sign(+-0) = 0. sign(NaN) = 0 as torch.sign has it.
fn math_sign(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let isZero = (magnitude == 0u) | (magnitude > 0x7f800000u);
  return select(select(1.0, -1.0, bits >= 0x80000000u), 0.0, isZero);
}
