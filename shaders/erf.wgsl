// y = erf x = 2/√π ∫₀ˣ exp(-t²) dt
fn erf_forward(x: f32) -> f32 {
  return math_erf(x);
}

// dy/dx = 2/√π exp(-x²)
fn erf_backward(x: f32, gy: f32) -> f32 {
  return gy * math_erf_slope(x);
}
