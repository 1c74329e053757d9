import { expect, test } from "vitest";
import { programOf } from "./program.js";

/** gpugrad's own functions of more than one operand, as their files describe them: values at x = 3, y = 0.5. */
test.each<[string, number, readonly number[]]>([
  // -g a / b^2, with g = 2
  ["math_divisor_gradient(2, x, y)", -24, [-8, 96]],
  // g b / (a^2 + b^2), with g = 2
  ["math_angle_gradient(2, x, y)", 1 / 9.25, [-6 / 9.25 ** 2, 2 / 9.25 - 1 / 9.25 ** 2]],
  ["math_doubled_product(x, y)", 3, [1, 6]],
  ["math_pow_gradient(2, x, y).x", 3 ** -0.5, [-0.5 * 3 ** -1.5, 2 * 3 ** -0.5 * (1 + 0.5 * Math.log(3))]],
  [
    "math_pow_gradient(2, x, y).y",
    2 * 3 ** 0.5 * Math.log(3),
    [3 ** -0.5 * (Math.log(3) + 2), 2 * 3 ** 0.5 * Math.log(3) ** 2],
  ],
  ["math_pow_gradient(2, x - 3, y - 0.5).x", 0, [0, 0]],
  ["math_pow_gradient(2, x - 3, y).y", 0, [0, 0]],
  ["math_quotient(x, y, 0).x", 6, [2, -12]],
  ["math_scale(x, math_scale_exponent(y)) + math_scale_significand(x)", 3, [1, 0]],
  ["math_split(x).x + math_two_sum(x, y).x + math_opaque(y)", 7, [2, 2]],
  ["select(x, y, math_order(x) > math_order(-y) && math_less(y, x) && !math_equal(x, y))", 0.5, [0, 1]],
  ["math_div(x, y) + math_exact_sin(0) + math_sqrt(x + 1)", 8, [2.25, -12]],
])("%s", (expression, value, gradient) => {
  const source = `fn f(x: f32, y: f32) -> f32 { return ${expression}; }`;
  const found = programOf(source).gradient("f", [3, 0.5]);
  expect(found.value).toBeCloseTo(value, 12);
  gradient.forEach((slope, k) => expect(found.gradient[k]).toBeCloseTo(slope, 12));
});
