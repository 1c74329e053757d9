import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../src/index.js";
import { gradCheck, init, Variable, type Operand } from "../src/index.js";

beforeAll(async () => {
  await init();
});

/** Every differentiable element-wise function, with a range of operands away from its kinks and poles. */
const operations: Record<string, { f: (...x: Variable[]) => Variable; ranges: [number, number][] }> = {
  neg: { f: g.neg, ranges: [[-2, 2]] },
  abs: { f: g.abs, ranges: [[0.3, 2]] },
  square: { f: g.square, ranges: [[-2, 2]] },
  sqrt: { f: g.sqrt, ranges: [[0.5, 3]] },
  reciprocal: { f: g.reciprocal, ranges: [[0.6, 3]] },
  exp: { f: g.exp, ranges: [[-2, 2]] },
  log: { f: g.log, ranges: [[0.5, 3]] },
  sin: { f: g.sin, ranges: [[-4, 4]] },
  cos: { f: g.cos, ranges: [[-4, 4]] },
  tan: { f: g.tan, ranges: [[-1, 1]] },
  tanh: { f: g.tanh, ranges: [[-2, 2]] },
  sigmoid: { f: g.sigmoid, ranges: [[-3, 3]] },
  relu: { f: g.relu, ranges: [[0.2, 2]] },
  softplus: { f: g.softplus, ranges: [[-3, 3]] },
  erf: { f: g.erf, ranges: [[-1.5, 1.5]] },
  add: {
    f: g.add,
    ranges: [
      [-2, 2],
      [-2, 2],
    ],
  },
  sub: {
    f: g.sub,
    ranges: [
      [-2, 2],
      [-2, 2],
    ],
  },
  mul: {
    f: g.mul,
    ranges: [
      [-2, 2],
      [-2, 2],
    ],
  },
  div: {
    f: g.div,
    ranges: [
      [-2, 2],
      [0.6, 2],
    ],
  },
  pow: {
    f: g.pow,
    ranges: [
      [0.5, 2],
      [-2, 2],
    ],
  },
  maximum: {
    f: g.maximum,
    ranges: [
      [0.5, 1],
      [1.2, 2],
    ],
  },
  minimum: {
    f: g.minimum,
    ranges: [
      [0.5, 1],
      [1.2, 2],
    ],
  },
  atan2: {
    f: g.atan2,
    ranges: [
      [-2, -0.6],
      [0.6, 2],
    ],
  },
  where: {
    f: (a, b) => g.where(g.greater(a, 0), a, b),
    ranges: [
      [0.3, 2],
      [-2, 2],
    ],
  },
  sum: { f: (x) => g.sum(x, 0), ranges: [[-2, 2]] },
  mean: { f: (x) => g.mean(x), ranges: [[-2, 2]] },
  max: { f: (x) => g.max(g.mul(x, [[1], [2]])), ranges: [[0.5, 1]] },
  min: { f: (x) => g.min(g.mul(x, [[1], [2]])), ranges: [[0.5, 1]] },
  reshape: { f: (x) => g.square(g.reshape(x, [-1])), ranges: [[-2, 2]] },
  transpose: { f: (x) => g.square(g.transpose(x)), ranges: [[-2, 2]] },
};

function numbers(shape: readonly number[], [low, high]: [number, number], seed: number): Operand {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from(
    { length: size },
    (_, i) => low + (high - low) * (((i + 1) * 0.6180339887 + seed * 0.37) % 1),
  );
  return new Variable(values, { shape });
}

describe.each(Object.entries(operations))("%s", (_name, { f, ranges }) => {
  test("gradients of first and second order agree with differences", async () => {
    await gradCheck(
      f,
      ranges.map((range, k) => numbers([2, 3], range, k)),
    );
  });
});
