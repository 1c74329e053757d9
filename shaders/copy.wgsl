// y = x: what transposes and broadcasts do to each element, once the harness has found it
fn copy_forward(x: f32) -> f32 {
  return x;
}
