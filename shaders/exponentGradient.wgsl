// y = g aᵇ ln a, the gradient that aᵇ passes to b; 0 where a = 0 and b >= 0
fn exponentGradient_forward(g: f32, a: f32, b: f32) -> f32 {
  return math_pow_gradient(g, a, b).y;
}

// dy/dg = aᵇ ln a, dy/da = g aᵇ⁻¹ (1 + b ln a), dy/db = y ln a; all 0 where a = 0 and b >= 0
fn exponentGradient_backward(g: f32, a: f32, b: f32, y: f32, gy: f32) -> vec3f {
  let isFlat = math_is_zero(a) & (math_equal(b, 0.0) | math_less(0.0, b));
  let base = select(a, 1.0, isFlat);
  let mixed = math_pow(base, b - 1.0) + math_pow_gradient(b, base, b - 1.0).y;
  return vec3f(math_pow_gradient(gy, a, b).y, select(gy * g * mixed, 0.0, isFlat), gy * (y * math_log(base)));
}
