// y = -x
fn neg_forward(x: f32) -> f32 {
  return -x;
}

// dy/dx = -1
fn neg_backward(gy: f32) -> f32 {
  return -gy;
}
