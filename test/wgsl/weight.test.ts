/** What a shader weighs for a compiler, which inlines every call. */
import { expect, test } from "vitest";
import { withAllMath } from "../../src/wgsl/all-math.js";
import { weightOf } from "../../src/wgsl/weight.js";

const source = withAllMath(`
  // fn no(x: f32) -> f32 { return 1.0; }
  fn part(x: f32) -> f32 { return x * x; }
  fn once(x: f32) -> f32 { return part(x); }
  fn thrice(x: f32) -> f32 { return part(part(part(x))); }
  fn sine(x: f32) -> f32 { return math_sin(x); }`);

const weigh = (name: string, mode: "exact" | "native" = "exact"): number => weightOf(source, name, mode);

test("what is called counts at each call", () => {
  expect(weigh("part")).toBe(9);
  expect(weigh("thrice") - weigh("once")).toBe(2 * weigh("part"));
  expect(weigh("no")).toBe(0);
});

test("the exact sine weighs as much as dozens of products, the driver's as one function", () => {
  expect(weigh("sine")).toBeGreaterThan(50 * weigh("part"));
  expect(weigh("sine", "native")).toBeLessThan(3 * weigh("part"));
});

test("a function that calls itself, which WGSL has none of, has an end", () => {
  expect(weightOf("fn a(x: f32) -> f32 { return a(x); }", "a", "exact")).toBeGreaterThan(0);
});
