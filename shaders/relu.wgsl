// y = max(x, 0); NaN stays NaN
fn relu_forward(x: f32) -> f32 {
  return select(x, 0.0, (math_order(x) <= 0) & !math_is_nan(x));
}

// dy/dx = 1 for x > 0, else 0; 0 at 0, 1 for NaN
fn relu_backward(x: f32, gy: f32) -> f32 {
  return select(gy, 0.0, (math_order(x) <= 0) & !math_is_nan(x));
}
