// y = x²
fn square_forward(x: f32) -> f32 {
  return x * x;
}

// dy/dx = 2x
fn square_backward(x: f32, gy: f32) -> f32 {
  return math_doubled_product(gy, x);
}
