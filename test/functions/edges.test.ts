/**
 * What happens at the edges: kinks, ties, poles, zeros, infinities and NaN (reference/edges.ts has the table). The choices
 * are PyTorch's; gradients are compared on both paths, the backward shaders and the derivatives.
 */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { grad, init, Variable } from "../../src/index.js";
import { gradOf } from "../reference/numbers.js";
import { edges } from "../reference/edges.js";
import { functionNamed } from "../reference/elementwise-functions.js";

beforeAll(async () => {
  await init();
});

const values = async (y: Variable): Promise<number[]> => [...(await y.read())];
const round = (x: number): number => Math.fround(x);

/** The gradients of the inputs from ones, the same on both paths. */
async function gradients(f: (...x: Variable[]) => Variable, ...inputs: number[][]): Promise<number[][]> {
  const paths = [];
  for (const createGraph of [false, true]) {
    const leaves = inputs.map((numbers) => new Variable(numbers));
    f(...leaves).backward({ createGraph });
    paths.push(await Promise.all(leaves.map(gradOf)));
  }
  const [shaders = [], derivatives = []] = paths;
  expect(derivatives.map((list) => list.map(positiveZero))).toEqual(shaders.map((list) => list.map(positiveZero)));
  return shaders.map((list) => list.map(positiveZero));
}

/** A gradient of -0 is as good as one of 0. */
function positiveZero(x: number): number {
  return x === 0 ? 0 : x;
}

const { NaN: nan, Infinity: inf } = { NaN, Infinity };

describe("as the table has it", () => {
  test.each(Object.entries(edges))("%s", async (name, { operands, results, gradients: expected }) => {
    const f = functionNamed(name);
    expect(await values(f(...operands.map((list) => [...list])))).toEqual(results);
    if (expected === null) return;
    const [x = []] = operands;
    expect(await gradients((v = new Variable(nan)) => f(v), [...x])).toEqual([expected]);
  });
});

describe("two operands", () => {
  test("the gradient of a division by 0 is infinite, or NaN for 0 / 0", async () => {
    expect(await gradients((a, b) => g.div(a, b), [1, -1, 0], [0, 0, 0])).toEqual([
      [inf, inf, inf],
      [-inf, inf, nan],
    ]);
  });

  test("maximum and minimum share the gradient between equals, half each", async () => {
    const a = [1, 2, 3, 0, inf];
    const b = [3, 2, 1, -0, inf];
    const high = [0, 0.5, 1, 0.5, 0.5];
    const low = [1, 0.5, 0, 0.5, 0.5];
    expect(await gradients((x, y) => g.maximum(x, y), a, b)).toEqual([high, low]);
    expect(await gradients((x, y) => g.minimum(x, y), a, b)).toEqual([low, high]);
  });

  test("next to NaN, both operands of maximum and minimum get the gradient", async () => {
    for (const f of [g.maximum, g.minimum]) {
      expect(await gradients((x, y) => f(x, y), [nan, 1], [1, nan])).toEqual([
        [1, 1],
        [1, 1],
      ]);
    }
  });

  test("atan2 knows the quadrant, signed zeros and infinities", async () => {
    const pi = Math.PI;
    const a = [0, -0, 0, -0, 1, -1, 1, -1, inf, -inf, inf, 1, 1];
    const b = [1, 1, -1, -1, 0, 0, -1, -1, 1, 1, -inf, inf, -inf];
    const expected = a.map((x, i) => Math.atan2(x, b[i] ?? nan));
    const found = await values(g.atan2(a, b));
    found.forEach((x, i) => {
      expect(Object.is(Math.sign(x), Math.sign(expected[i] ?? nan)), `atan2(${a[i]}, ${b[i]})`).toBe(true);
      expect(Math.abs(x - (expected[i] ?? nan)), `atan2(${a[i]}, ${b[i]})`).toBeLessThan(pi * 2 ** -23);
    });
    expect(await values(g.atan2(0, 0))).toEqual([0]);
    expect(await gradients((x, y) => g.atan2(x, y), [0], [0])).toEqual([[nan], [nan]]);
  });
});

describe("pow", () => {
  test("the base's gradient at 0: 0 for exponents 0, 2 and 3, 1 for 1, infinite below 1", async () => {
    const f = (exponent: number) => (x: Variable) => g.pow(x, exponent);
    expect(await gradients(f(0), [0, 2, -2, nan, inf])).toEqual([[0, 0, 0, 0, 0]]);
    expect(await gradients(f(1), [0, -3])).toEqual([[1, 1]]);
    expect(await gradients(f(2), [0, -3])).toEqual([[0, -6]]);
    expect(await gradients(f(3), [0, -2])).toEqual([[0, 12]]);
    expect(await gradients(f(0.5), [0, 4, -1])).toEqual([[inf, 0.25, nan]]);
    expect(await gradients(f(-1), [0, 2])).toEqual([[-inf, -0.25]]);
  });

  test("the exponent's gradient is 0 at base 0 for exponents from 0 on, and NaN for negative bases", async () => {
    const [, both] = await gradients((a, b) => g.pow(a, b), [0, 0, 0, 0], [0, 2, 0.5, -1]);
    expect(both).toEqual([0, 0, 0, -inf]);
    const [constant] = await gradients((b) => g.pow([0, 0, 0, 0, -2, 1, nan], b), [0, 2, 0.5, -1, 2, 5, 1]);
    expect(constant).toEqual([0, 0, 0, -inf, nan, 0, nan]);
  });
  test("higher derivatives at base 0 are those of the polynomial", async () => {
    for (const [exponent, expected] of [
      [0, [0, 0, 0]],
      [1, [1, 0, 0]],
      [2, [0, 2, 0]],
      [3, [0, 0, 6]],
    ] as const) {
      let f = (x: Variable): Variable => g.pow(x, exponent);
      const found: number[] = [];
      for (let order = 0; order < 3; order++) {
        const slope = grad(f);
        f = (x) => slope(x);
        found.push(positiveZero(await slope(0).item()));
      }
      expect(found, `x to the power of ${exponent}`).toEqual(expected);
    }
  });

  test("the mixed second derivative at exponent 0 is 1 / a", async () => {
    const mixed = grad((b) => grad((a) => g.pow(a, b))(4))(0);
    expect(await mixed.item()).toBe(0.25);
  });
});

describe("where", () => {
  test("lets nothing of the operand that isn't chosen through to a gradient", async () => {
    expect(await gradients((a, b) => g.where([1, 0], a, b), [1, nan], [nan, 2])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe("reductions", () => {
  test("a sum or mean with NaN, or of opposite infinities, is NaN; infinity stays", async () => {
    for (const f of [g.sum, g.mean]) {
      expect(await values(f([1, nan, 2]))).toEqual([nan]);
      expect(await values(f([inf, -inf]))).toEqual([nan]);
      expect(await values(f([inf, 1]))).toEqual([inf]);
    }
  });

  test("max and min are NaN where one is NaN, wherever it stands", async () => {
    for (const f of [g.max, g.min]) {
      for (const at of [0, 1, 2]) {
        const x = [1, -2, 3];
        x[at] = nan;
        expect(await values(f(x))).toEqual([nan]);
      }
      expect(
        await values(
          f(
            [
              [1, nan],
              [3, 4],
            ],
            1,
          ),
        ),
      ).toEqual([nan, f === g.max ? 4 : 3]);
    }
  });

  test("max and min of infinities", async () => {
    expect(await values(g.max([-inf, -inf]))).toEqual([-inf]);
    expect(await values(g.max([-inf, 0]))).toEqual([0]);
    expect(await values(g.min([inf, inf]))).toEqual([inf]);
  });

  test("equals share the gradient of max and min evenly", async () => {
    expect(await gradients((x) => g.max(x), [3, 1, 3, 3, 0, 3])).toEqual([[0.25, 0, 0.25, 0.25, 0, 0.25]]);
    expect(await gradients((x) => g.min(x), [0, 1, -0, 3])).toEqual([[0.5, 0, 0.5, 0]]);
    expect(await gradients((x) => g.max(x), [-inf, -inf])).toEqual([[0.5, 0.5]]);
    const rows = await gradients((x) => g.max(x.reshape([2, 3]), 1), [1, 1, 0, 5, 6, 7]);
    expect(rows).toEqual([[0.5, 0.5, 0, 0, 0, 1]]);
  });

  test("the gradient of a max that is NaN is NaN, as in PyTorch's amax", async () => {
    expect(await gradients((x) => g.max(x), [1, nan])).toEqual([[nan, nan]]);
  });

  test("all equal, the gradients of max add up to one", async () => {
    const [found = []] = await gradients((x) => g.max(x), new Array<number>(1000).fill(2));
    expect(new Set(found)).toEqual(new Set([round(1 / 1000)]));
  });
});
