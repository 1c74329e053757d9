/**
 * What each element-wise function gives at its edges: kinks, poles, zeros, infinities, NaN. The choices are PyTorch's
 * (tools/autograd/derivatives.yaml), the values those of IEEE 754 and C, rounded to float32.
 */

type Numbers = readonly number[];

export interface Edges {
  /** A list for each operand; they are taken side by side. */
  readonly operands: readonly Numbers[];
  readonly results: Numbers;
  /** Of a function of one operand: its gradient at each of them, for a gradient of 1. A zero of either sign will do. */
  readonly gradients: Numbers | null;
}

const one = (x: Numbers, results: Numbers, gradients: Numbers): Edges => ({ operands: [x], results, gradients });

const two = (a: Numbers, b: Numbers, results: Numbers): Edges => ({ operands: [a, b], results, gradients: null });

const { NaN: nan, Infinity: inf } = { NaN, Infinity };
const round = (x: number): number => Math.fround(x);
/** 2/√π */
const erfSlope = round(1.1283791670955126);

/** By the function's name. */
export const edges: Readonly<Record<string, Edges>> = {
  neg: one([0, -0, inf, nan], [-0, 0, -inf, nan], [-1, -1, -1, -1]),
  abs: one([-2, 0, -0, 2, inf, -inf, nan], [2, 0, 0, 2, inf, inf, nan], [-1, 0, 0, 1, 1, -1, 0]),
  sign: one([0, -0, inf, -inf, -1e-30, nan], [0, 0, 1, -1, -1, 0], [0, 0, 0, 0, 0, 0]),
  square: one([0, -0, inf, -inf, 1e20, nan], [0, 0, inf, inf, inf, nan], [0, 0, inf, -inf, round(2e20), nan]),
  sqrt: one([0, -0, 4, -1, inf, -inf, nan], [0, -0, 2, nan, inf, nan, nan], [inf, -inf, 0.25, nan, 0, nan, nan]),
  reciprocal: one([0, -0, 2, inf, -inf, nan], [inf, -inf, 0.5, 0, -0, nan], [-inf, -inf, -0.25, 0, 0, nan]),
  exp: one([0, -0, 89, inf, -inf, -200, nan], [1, 1, inf, inf, 0, 0, nan], [1, 1, inf, inf, 0, 0, nan]),
  // The gradient is 1 / x everywhere.
  log: one([1, 0, -0, -2, inf, -inf, nan], [0, -inf, -inf, nan, inf, nan, nan], [1, inf, -inf, -0.5, 0, 0, nan]),
  sin: one([0, -0, inf, -inf, nan], [0, -0, nan, nan, nan], [1, 1, nan, nan, nan]),
  cos: one([0, inf, -inf, nan], [1, nan, nan, nan], [0, nan, nan, nan]),
  tan: one([0, -0, inf, nan], [0, -0, nan, nan], [1, 1, nan, nan]),
  tanh: one([0, -0, 60, -60, inf, -inf, nan], [0, -0, 1, -1, 1, -1, nan], [1, 1, 0, 0, 0, 0, nan]),
  sigmoid: one([0, 100, -200, inf, -inf, nan], [0.5, 1, 0, 1, 0, nan], [0.25, 0, 0, 0, 0, nan]),
  // 0 at 0; NaN passes its gradient on.
  relu: one([-1, 0, -0, 1, inf, -inf, nan], [0, 0, 0, 1, inf, 0, nan], [0, 0, 0, 1, 1, 0, 1]),
  softplus: one([0, 1000, -1000, inf, -inf, nan], [round(Math.LN2), 1000, 0, inf, 0, nan], [0.5, 1, 0, 1, 0, nan]),
  erf: one([0, -0, 20, -20, inf, -inf, nan], [0, -0, 1, -1, 1, -1, nan], [erfSlope, erfSlope, 0, 0, 0, 0, nan]),
  // New functions of one operand: above this line.

  add: two([inf, inf, 0, -0, nan, 1, inf], [-inf, 1, -0, -0, 1, nan, nan], [nan, inf, 0, -0, nan, nan, nan]),
  sub: two([inf, inf, 1, nan, 1, inf], [inf, -inf, 1, 1, nan, nan], [nan, inf, 0, nan, nan, nan]),
  mul: two([inf, inf, -1, 1e30, nan, 1, inf], [0, -2, 0, 1e30, 1, nan, nan], [nan, -inf, -0, inf, nan, nan, nan]),
  div: two(
    [1, -1, 0, 1, 1, inf, 0, nan, 1, inf],
    [0, 0, 0, -0, inf, inf, -3, 1, nan, nan],
    [inf, -inf, nan, -inf, 0, nan, -0, nan, nan, nan],
  ),
  // C's special values.
  pow: two(
    [0, -0, nan, inf, 1, 1, nan, 2, 0, 0, -0, -0, 0, -2, -2, -2, -8, -1, 2, 0.5, 2, -inf, inf],
    [0, 0, 0, 0, nan, inf, 1, nan, 2, -1, -1, 3, -2, 3, 2, -1, 1 / 3, 0.5, inf, inf, -inf, 3, -1],
    [1, 1, 1, 1, 1, 1, nan, nan, 0, inf, -inf, -0, inf, -8, 4, -0.5, nan, nan, inf, 0, 0, -inf, 0],
  ),
  maximum: two([nan, 1, nan, inf, -inf, -inf], [1, nan, nan, 3e38, 1, -inf], [nan, nan, nan, inf, 1, -inf]),
  minimum: two([nan, 1, nan, inf, -inf, inf], [1, nan, nan, 1, 1, inf], [nan, nan, nan, 1, -inf, inf]),
  atan2: two([0, -0, 0, 1, -1, nan, 1, nan], [1, 1, 0, inf, inf, 1, nan, nan], [0, -0, 0, 0, -0, nan, nan, nan]),
  // NaN compares false, and differs from everything; the zeros are equal.
  greater: two([nan, 1, nan, 0, inf, inf], [1, nan, nan, -0, 3e38, inf], [0, 0, 0, 0, 1, 0]),
  greaterEqual: two([nan, 1, nan, 0, -0, inf], [1, nan, nan, -0, 0, inf], [0, 0, 0, 1, 1, 1]),
  less: two([nan, 1, nan, -0, -inf, -inf], [1, nan, nan, 0, -3e38, -inf], [0, 0, 0, 0, 1, 0]),
  lessEqual: two([nan, 1, nan, 0, -0, -inf], [1, nan, nan, -0, 0, -inf], [0, 0, 0, 1, 1, 1]),
  equal: two([nan, 1, nan, 0, inf, inf], [1, nan, nan, -0, inf, -inf], [0, 0, 0, 1, 1, 0]),
  notEqual: two([nan, 1, nan, 0, inf, inf], [1, nan, nan, -0, inf, -inf], [1, 1, 1, 0, 0, 1]),
  // New functions of two operands: above this line.

  // A NaN condition is true, as it isn't 0. Nothing of the operand that isn't chosen comes through.
  where: {
    operands: [
      [nan, 0, -0, inf, 1, 0],
      [1, 1, 1, 1, 1, nan],
      [2, 2, 2, 2, nan, 2],
    ],
    results: [1, 2, 2, 1, 1, 2],
    gradients: null,
  },
};
