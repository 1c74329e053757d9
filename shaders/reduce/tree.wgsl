// What the reductions share. Eight are combined in pairs, up to 64 into a part, and then the parts: whatever shader that is, what a
// number has become is rounded 24 times at most on the way to the result.
const partLength = 64u;

fn combine8(a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f, g: vec4f, h: vec4f) -> vec4f {
  return combine4(combine4(combine4(a, b), combine4(c, d)), combine4(combine4(e, f), combine4(g, h)));
}

fn combine_components(v: vec4f) -> f32 {
  return combine(combine(v.x, v.y), combine(v.z, v.w));
}
