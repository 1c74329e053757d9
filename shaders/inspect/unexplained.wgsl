// The result of a function where its operand is finite; 0 where the operand is not, and explains what became of it.
fn unexplained_forward(result: f32, operand: f32) -> f32 {
  return select(result, 0.0, (bitcast<u32>(operand) & 0x7f800000u) == 0x7f800000u);
}
