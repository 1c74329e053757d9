/** Every element-wise operation: gpugrad's function, the same in float64, and operands away from kinks and poles. */
import * as g from "../../src/index.js";
import type { Operand, Variable } from "../../src/index.js";
import type { Range } from "./numbers.js";

export interface Operation {
  readonly f: (...x: Operand[]) => Variable;
  readonly float64: (...x: number[]) => number;
  readonly ranges: readonly Range[];
}

const unary = (f: (x: Operand) => Variable, float64: (x: number) => number, range: Range): Operation => ({
  f: (...x) => f(first(x)),
  float64: (...x) => float64(x[0] ?? NaN),
  ranges: [range],
});

const binary = (
  f: (a: Operand, b: Operand) => Variable,
  float64: (a: number, b: number) => number,
  a: Range,
  b: Range,
): Operation => ({
  f: (...x) => f(first(x), second(x)),
  float64: (...x) => float64(x[0] ?? NaN, x[1] ?? NaN),
  ranges: [a, b],
});

function first(x: readonly Operand[]): Operand {
  return x[0] ?? NaN;
}

function second(x: readonly Operand[]): Operand {
  return x[1] ?? NaN;
}

/** erf in float64: its Maclaurin series, for |x| up to 3. */
function erf64(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const sigmoid64 = (x: number): number => 1 / (1 + Math.exp(-x));
const bool = (x: boolean): number => (x ? 1 : 0);

/** One input. sign's gradient is 0, so that no error of 1 % can be planted in it. */
export const unaryOperations = {
  neg: unary(g.neg, (x) => -x, [-2, 2]),
  abs: unary(g.abs, Math.abs, [0.3, 2]),
  sign: unary(g.sign, Math.sign, [0.3, 2]),
  square: unary(g.square, (x) => x * x, [-2, 2]),
  sqrt: unary(g.sqrt, Math.sqrt, [0.5, 3]),
  reciprocal: unary(g.reciprocal, (x) => 1 / x, [0.6, 3]),
  exp: unary(g.exp, Math.exp, [-2, 2]),
  log: unary(g.log, Math.log, [0.5, 3]),
  sin: unary(g.sin, Math.sin, [-4, 4]),
  cos: unary(g.cos, Math.cos, [-4, 4]),
  tan: unary(g.tan, Math.tan, [-1, 1]),
  tanh: unary(g.tanh, Math.tanh, [-2, 2]),
  sigmoid: unary(g.sigmoid, sigmoid64, [-3, 3]),
  relu: unary(g.relu, (x) => Math.max(x, 0), [0.2, 2]),
  softplus: unary(g.softplus, (x) => Math.log1p(Math.exp(x)), [-3, 3]),
  erf: unary(g.erf, erf64, [-1.5, 1.5]),
  // New functions of one operand: above this line.
} satisfies Record<string, Operation>;

/** Two inputs, with a gradient for each. */
export const binaryOperations = {
  add: binary(g.add, (a, b) => a + b, [-2, 2], [-2, 2]),
  sub: binary(g.sub, (a, b) => a - b, [-2, 2], [-2, 2]),
  mul: binary(g.mul, (a, b) => a * b, [-2, 2], [-2, 2]),
  div: binary(g.div, (a, b) => a / b, [-2, 2], [0.6, 2]),
  pow: binary(g.pow, (a, b) => a ** b, [0.5, 2], [-2, 2]),
  maximum: binary(g.maximum, (a, b) => Math.max(a, b), [0.5, 1], [1.2, 2]),
  minimum: binary(g.minimum, (a, b) => Math.min(a, b), [1.2, 2], [0.5, 1]),
  atan2: binary(g.atan2, Math.atan2, [-2, -0.6], [0.6, 2]),
  // New functions of two operands: above this line.
} satisfies Record<string, Operation>;

/** 0 or 1, without a gradient. */
export const comparisons = {
  greater: binary(g.greater, (a, b) => bool(a > b), [-2, 2], [-2, 2]),
  greaterEqual: binary(g.greaterEqual, (a, b) => bool(a >= b), [-2, 2], [-2, 2]),
  less: binary(g.less, (a, b) => bool(a < b), [-2, 2], [-2, 2]),
  lessEqual: binary(g.lessEqual, (a, b) => bool(a <= b), [-2, 2], [-2, 2]),
  equal: binary(g.equal, (a, b) => bool(a === b), [-2, 2], [-2, 2]),
  notEqual: binary(g.notEqual, (a, b) => bool(a !== b), [-2, 2], [-2, 2]),
} satisfies Record<string, Operation>;
