// y = g b aᵇ⁻¹, the gradient that aᵇ passes to a; 0 where b = 0
fn baseGradient_forward(g: f32, a: f32, b: f32) -> f32 {
  return math_pow_gradient(g, a, b).x;
}

// dy/dg = b aᵇ⁻¹, dy/da = g b (b - 1) aᵇ⁻², dy/db = g aᵇ⁻¹ (1 + b ln a). Where b = 0 and a is 0 or NaN, the power of 1
// is taken: what is multiplied by b must be finite.
fn baseGradient_backward(g: f32, a: f32, b: f32, gy: f32) -> vec3f {
  let base = select(a, 1.0, math_is_zero(b) & (math_is_zero(a) | math_is_nan(a)));
  let power = math_pow(base, b - 1.0);
  let bend = math_pow_gradient(gy * g, base, b - 1.0).x;
  let mixed = power + math_pow_gradient(b, base, b - 1.0).y;
  return vec3f(math_pow_gradient(gy, a, b).x, b * bend, gy * g * mixed);
}
