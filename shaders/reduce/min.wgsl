// The smallest of all numbers, from +Infinity on; NaN where one is NaN.
fn identity() -> f32 {
  // WGSL has no literal for infinity, and refuses to make one from constants.
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}

fn combine(a: f32, b: f32) -> f32 {
  return math_min(a, b);
}

fn combine4(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(combine(a.x, b.x), combine(a.y, b.y), combine(a.z, b.z), combine(a.w, b.w));
}
