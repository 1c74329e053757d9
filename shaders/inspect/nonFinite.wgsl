// 1 where a number is NaN or infinite, else 0. By its bits, since drivers may assume that no number is a NaN.
fn nonFinite_forward(x: f32) -> f32 {
  return select(0.0, 1.0, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}
