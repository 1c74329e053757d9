// y = the operand
fn gate_forward(gradient: f32, operand: f32) -> f32 {
  return operand;
}

// What isn't finite counts as 0 where the gradient is 0 that the operand was multiplied by.
fn gate_backward(gradient: f32, gy: f32) -> vec2f {
  let isFinite = (bitcast<u32>(gy) & 0x7f800000u) != 0x7f800000u;
  return vec2f(0.0, select(gy, 0.0, math_is_zero(gradient) && !isFinite));
}
