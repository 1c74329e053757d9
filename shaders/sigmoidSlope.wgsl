// y = e⁻ˣ / (1 + e⁻ˣ)², the derivative of sigmoid
fn sigmoidSlope_forward(x: f32) -> f32 {
  return math_sigmoid_slope(x);
}

// dy/dx = y (1 - 2 sigmoid x) = -y tanh(x/2)
fn sigmoidSlope_backward(x: f32, y: f32, gy: f32) -> f32 {
  return gy * -(y * math_tanh(0.5 * x));
}
