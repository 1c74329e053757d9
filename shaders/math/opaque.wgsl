// math_opaque(x): x itself, but the compiler cannot know it.
//
// Some drivers compile with relaxed math (Metal's fast-math is Dawn's default there): they may rewrite
// (a + b) - a as b, which deletes the compensation terms that make an accurate sum accurate. A value that has
// gone through an integer "exclusive or" with a zero only known at run time cannot be rewritten.
// math_zero() is supplied by whoever assembles the shader.
fn math_opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ math_zero());
}
