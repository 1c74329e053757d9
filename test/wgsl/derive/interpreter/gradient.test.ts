import { describe, expect, test } from "vitest";
import { programOf } from "./program.js";

describe("the gradient by reverse accumulation", () => {
  const gradient = (expression: string, args: number[]): number[] => {
    const names = ["a", "b", "c"].slice(0, args.length);
    const source = `fn f(${names.map((name) => `${name}: f32`).join(", ")}) -> f32 { return ${expression}; }`;
    return programOf(source).gradient("f", args).gradient;
  };

  test.each<[string, number[], number[]]>([
    ["a * a * b", [3, 5], [30, 9]],
    ["a / b", [3, 2], [0.5, -0.75]],
    ["sin(a) * exp(b)", [1, 2], [Math.cos(1) * Math.exp(2), Math.sin(1) * Math.exp(2)]],
    ["max(a, b) + 10 * min(a, b)", [2, 2], [5.5, 5.5]],
    ["max(a, b) + 10 * min(a, b)", [2, 3], [10, 1]],
    ["abs(a) + sign(a)", [0], [0]],
    ["clamp(a, b, c)", [1, 1, 2], [1, 0, 0]],
    ["clamp(a, b, c)", [2, 1, 2], [1, 0, 0]],
    ["clamp(a, b, c)", [3, 1, 2], [0, 0, 1]],
    ["clamp(a, b, c)", [0, 1, 2], [0, 1, 0]],
    ["clamp(a, b, c)", [1.5, 2, 1], [0, 0, 1]],
    ["select(a, sqrt(b), b > 0)", [1, -1], [1, 0]],
    ["dot(select(vec2f(a), sqrt(vec2f(b)), vec2f(b) > vec2f()), vec2f(1))", [1, -1], [2, 0]],
    ["floor(a) + step(a, b) + f32(i32(a)) + round(b)", [0.3, 0.4], [0, 0]],
    ["a % b", [7, 2], [1, -3]],
    ["pow(a, b)", [0, 2], [0, 0]],
    ["determinant(mat2x2f(a, 2, b, 3))", [5, 7], [3, -2]],
    ["modf(a).fract * 2 + fract(a) + frexp(a).fract", [1.5], [3.5]],
  ])("of %s at %j is %j", (expression, args, expected) => expectGradient(gradient(expression, args), expected));

  function expectGradient(actual: number[], expected: number[]): void {
    expected.forEach((value, k) => expect(actual[k]).toBeCloseTo(value, 12));
  }

  test("goes through loops, calls, arrays and what is assigned to in parts", () => {
    const source = `
      fn step(v: vec2f, k: f32) -> vec2f { var w = v; w.x += k * v.y; w[1] *= k; return w; }
      fn f(a: f32, b: f32) -> f32 {
        var v = vec2f(a, 1);
        var sums = array<f32, 3>();
        for (var i = 0; i < 3; i++) { v = step(v, b); sums[i] = v.x; }
        return sums[0] * sums[2];
      }`;
    // v.x after each turn: a + b, a + b + b^2, a + b + b^2 + b^3
    const [a, b] = [2, 3];
    const [first, last] = [a + b, a + b + b ** 2 + b ** 3];
    const { value, gradient: found } = programOf(source).gradient("f", [a, b]);
    expect(value).toBe(first * last);
    expect(found).toEqual([first + last, last + first * (1 + 2 * b + 3 * b * b)]);
  });
});
