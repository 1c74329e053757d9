// y = x, and 0 where the gradient is 0 and the value isn't finite: gate's backward, to be differentiated again
fn gated_forward(gradient: f32, value: f32, x: f32) -> f32 {
  let isFinite = (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
  return select(x, 0.0, math_is_zero(gradient) && !isFinite);
}

fn gated_backward(gradient: f32, value: f32, gy: f32) -> vec3f {
  return vec3f(0.0, 0.0, gated_forward(gradient, value, gy));
}
