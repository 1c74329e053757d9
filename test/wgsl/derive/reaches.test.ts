/** Whether an output is computed from an input: known, or a source that says it where that depends on values. */
import { expect, test } from "vitest";
import { Derivation } from "../../../src/wgsl/derive/derive.js";

const of = (wgsl: string): Derivation => new Derivation(wgsl, "f");

test("of one output with one return it is known", () => {
  const f = of("fn f_forward(x: f32, b: f32) -> f32 { return x * x; }");
  expect([f.reaches(0), f.reaches(1)]).toEqual([true, false]);
});

test("of several outputs each has its own, as far as they are put together where they are returned", () => {
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
