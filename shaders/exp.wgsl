// y = eˣ
fn exp_forward(x: f32) -> f32 {
  return math_exp(x);
}

// dy/dx = eˣ = y: the output is as exact as a second exp, and cheaper.
fn exp_backward(y: f32, gy: f32) -> f32 {
  return y * gy;
}
