/** Whether an output is computed from an input: known, or a source that says it where that depends on values. */
import { expect, test } from "vitest";
import { Derivation } from "../../../src/wgsl/derive/derive.js";

const of = (wgsl: string): Derivation => new Derivation(wgsl, "f");

test("of one output with one return it is known", () => {
  const f = of("fn f_forward(x: f32, b: f32) -> f32 { return x * x; }");
  expect([f.reaches(0), f.reaches(1)]).toEqual([true, false]);
});

test("of several outputs each has its own", () => {
  const f = of("fn f_forward(x: f32, b: f32) -> vec2f { return vec2f(x * x, x * b); }");
  const found = [0, 1].map((output) => [f.reaches(0, output), f.reaches(1, output)]);
  expect(found).toEqual([
    [true, false],
    [true, true],
  ]);
});

test("where one return has the input and another hasn't, a source says where, with all that this depends on", () => {
  const f = of(`
    fn f_limit(x: f32) -> f32 { return 2.0 * x; }
    fn f_forward(x: f32, b: f32) -> f32 {
      var t = f_limit(x);
      if (t > 1.0) { return x; }
      return t * b;
    }`);
  expect(f.reaches(0)).toBe(true);
  expect(f.reaches(1)).toBe(`fn f_reached_by_b_limit(x: f32) -> f32 {
  return 2.0 * x;
}

fn f_reached_by_b_forward(x: f32, b: f32) -> f32 {
  var t = f_reached_by_b_limit(x);
  if (t > 1.0) {
    return 0.0;
  }
  return 1.0;
}
`);
});

/** For each output, the inputs from which it is computed. */
function inputsOf(body: string, before = "", type = "vec2f"): string[] {
  const f = of(`${before} fn f_forward(x: f32, b: f32) -> ${type} { ${body} }`);
  const outputs = type === "vec2f" ? [0, 1] : [0, 1, 2];
  return outputs.map((output) =>
    ["x", "b"]
      .filter((_, input) => {
        const reaches = f.reaches(input, output);
        if (typeof reaches === "string") throw new Error(`by values: ${reaches}`);
        return reaches;
      })
      .join(""),
  );
}

test.each([
  ["a vector under a name", "let v = vec2f(x * x, x * b); return v;"],
  ["a vector that is calculated with", "let v = 2.0 * vec2f(x, b) + vec2f(1.0, x); return -v * v;"],
  ["what is written to one component", "var v = vec2f(x); v.y += b; return v;"],
  ["letters in another order", "let v = vec2f(b, x).yx; return vec2f(v.x, v.r * v.g);"],
  ["several components at once", "var v = vec3f(0.0, b, 0.0); v.xz = vec2f(x, b); v.y *= x; return v.xy;"],
  ["an array's elements", "var t: array<f32, 3>; t[0] = x; t[2] = x * b; return vec2f(t[0], t[2]);"],
  ["an array of vectors", "let t = array<vec2f, 2>(vec2f(b, x), vec2f(x, b)); return vec2f(t[0][1], t[1].y * t[1].x);"],
  ["a matrix by its columns", "var m = mat2x2f(1.0, x, b, x); m = 2.0 * m; return vec2f(m[0].y, m[1][0] * m[0][1]);"],
  ["a function of each component", "let v = sin(vec2f(x, x * b)); return max(v, vec2f(0.5, b));"],
  ["select by components", "return select(vec2f(x, b), vec2f(1.0, x), vec2<bool>(x > 0.0, b > 0.0));"],
  ["what a loop carries", "var v = vec2f(x, 1.0); for (var k = 0; k < 3; k++) { v.y *= b * v.x; } return v;"],
  ["modf's fraction", "return vec2f(modf(vec2f(b, x)).fract.y, modf(vec2f(x, b) * x).fract.y);"],
])("%s: the first output from x, the second from both", (_what, body) => {
  expect(inputsOf(body)).toEqual(["x", "xb"]);
});

test("through functions of the source, by each of their parameters' components", () => {
  const helpers = `
    struct f_Pair { a: f32, b: vec2f }
    fn f_pair(v: vec2f) -> f_Pair { return f_Pair(v.x, vec2f(1.0, v.y * v.x)); }
    fn f_first(v: vec2f) -> f32 { return v.x; }`;
  expect(inputsOf("let p = f_pair(vec2f(x, b)); return vec2f(p.a, p.b.y);", helpers)).toEqual(["x", "xb"]);
  expect(inputsOf("return vec2f(f_first(vec2f(x, b)), f_first(vec2f(x * b, x)));", helpers)).toEqual(["x", "xb"]);
  expect(inputsOf("let p = f_pair(vec2f(x, b)); return vec2f(p.b.x * x, p.b.y);", helpers)).toEqual(["x", "xb"]);
});

test("where it isn't known which component is meant, any may be", () => {
  const either = "let k = i32(x) & 1; let v = vec2f(x, b); return vec2f(v[k], v.x);";
  expect(inputsOf(either)).toEqual(["xb", "x"]);
  const written = "var v = vec3f(x, b, 1.0); v[i32(x) & 1] = b; return v;";
  expect(inputsOf(written, "", "vec3f")).toEqual(["xb", "b", "b"]);
  // All components are made of all.
  expect(inputsOf("return normalize(vec2f(x, b));")).toEqual(["xb", "xb"]);
  expect(inputsOf("return mat2x2f(x, 0.0, 0.0, b) * vec2f(1.0, 1.0);")).toEqual(["xb", "xb"]);
  expect(inputsOf("let l = length(vec2f(x, b)); return vec2f(l, 1.0);")).toEqual(["xb", ""]);
});

test("what is written over counts: all that was ever in a variable does", () => {
  expect(inputsOf("var v = vec2f(b, b); v.x = x; v.y *= x; return v;")).toEqual(["xb", "xb"]);
});

test("values of very many numbers are looked at as one", () => {
  const body = "var t: array<vec4f, 17>; t[0].x = x; t[16].w = b; return vec2f(t[0].x, t[16].w * x);";
  expect(inputsOf(body)).toEqual(["xb", "xb"]);
});
