/** variance, std, norm, logSumExp, softmax, logSoftmax, any, all, count: against float64, at the ends of the range, and their gradients. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  all,
  any,
  ArgumentError,
  count,
  gradCheck,
  init,
  logSoftmax,
  logSumExp,
  norm,
  ShapeError,
  softmax,
  square,
  std,
  sum,
  variance,
  Variable,
  type Operand,
} from "../../src/index.js";
import { expectClose, gradOf, leaf, spread } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const inf = Infinity;
const read = async (x: Variable): Promise<number[]> => [...(await x.read())];

/** Rows of a matrix of these numbers, in float64. */
function rowsOf(data: Float32Array, columns: number): number[][] {
  return Array.from({ length: data.length / columns }, (_, row) => [...data.slice(row * columns, (row + 1) * columns)]);
}

const total = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);
const meanOf = (row: readonly number[]): number => total(row) / row.length;
const varianceOf = (row: readonly number[], correction = 0): number =>
  total(row.map((x) => (x - meanOf(row)) ** 2)) / (row.length - correction);
const logSumExpOf = (row: readonly number[]): number => {
  const greatest = Math.max(...row);
  return Math.log(total(row.map((x) => Math.exp(x - greatest)))) + greatest;
};

describe("against float64, along the last axis, the first one, and all", () => {
  const data = spread(600, [-3, 9]);
  const x = (): Variable => new Variable(data, { shape: [6, 100] });
  const columns = Array.from({ length: 100 }, (_, k) => rowsOf(data, 100).map((row) => row[k]!));

  test.each([
    ["variance", (v: Operand, axis?: number) => variance(v, axis), (row: number[]) => varianceOf(row), 1e-6],
    [
      "variance of samples",
      (v: Operand, axis?: number) => variance(v, axis, { correction: 1 }),
      (row: number[]) => varianceOf(row, 1),
      1e-6,
    ],
    ["std", (v: Operand, axis?: number) => std(v, axis), (row: number[]) => Math.sqrt(varianceOf(row)), 1e-6],
    ["norm", (v: Operand, axis?: number) => norm(v, axis), (row: number[]) => Math.hypot(...row), 1e-6],
    [
      "norm 1",
      (v: Operand, axis?: number) => norm(v, axis, { p: 1 }),
      (row: number[]) => total(row.map(Math.abs)),
      1e-6,
    ],
    [
      "norm ∞",
      (v: Operand, axis?: number) => norm(v, axis, { p: inf }),
      (row: number[]) => Math.max(...row.map(Math.abs)),
      0,
    ],
    ["logSumExp", (v: Operand, axis?: number) => logSumExp(v, axis), logSumExpOf, 1e-6],
    [
      "count",
      (v: Operand, axis?: number) => count(v, axis),
      (row: number[]) => row.filter((each) => each !== 0).length,
      0,
    ],
  ] as const)("%s", async (_name, f, reference, relative) => {
    expectClose(
      await f(x(), 1).read(),
      rowsOf(data, 100).map((row) => reference(row)),
      relative,
    );
    expectClose(
      await f(x(), 0).read(),
      columns.map((row) => reference(row)),
      relative,
    );
    expectClose(await f(x()).read(), [reference([...data])], relative);
  });

  test("softmax and logSoftmax", async () => {
    const rows = rowsOf(data, 100);
    const logs = rows.flatMap((row) => row.map((each) => each - logSumExpOf(row)));
    expectClose(await softmax(x()).read(), logs.map(Math.exp), 2e-6);
    expectClose(await logSoftmax(x()).read(), logs, 1e-6, 1e-6);
    const along = columns.map((row) => row.map((each) => Math.exp(each - logSumExpOf(row))));
    expectClose(
      await softmax(x(), 0).read(),
      rows.flatMap((row, k) => row.map((_, c) => along[c]![k]!)),
      2e-6,
    );
  });

  test("keepDims", () => {
    for (const f of [variance, std, norm, logSumExp, any, all, count]) {
      expect(f(x(), 1, { keepDims: true }).shape).toEqual([6, 1]);
      expect(f(x(), [0, 1]).shape).toEqual([]);
      expect(f(x(), 0).shape).toEqual([100]);
    }
  });
});

describe("at the ends of the range", () => {
  test("norm", async () => {
    expect(await norm([3e30, 4e30]).item()).toBeCloseTo(5e30, -25);
    expectClose(await norm([3e-30, 4e-30]).read(), [5e-30], 1e-6);
    expectClose(await norm([2 ** 127, 2 ** 126]).read(), [2 ** 126 * Math.sqrt(5)], 1e-6);
    expect(
      await read(
        norm(
          [
            [0, 0],
            [inf, 1],
            [NaN, 1],
            [-inf, inf],
          ],
          1,
        ),
      ),
    ).toEqual([0, inf, NaN, inf]);
    expect(await read(norm([], null))).toEqual([0]);
  });

  test("logSumExp", async () => {
    expectClose(await logSumExp([1e30, 1e30]).read(), [1e30]);
    expectClose(await logSumExp([-1000, -1000]).read(), [-1000 + Math.LN2]);
    expect(
      await read(
        logSumExp(
          [
            [-inf, -inf],
            [inf, 0],
            [-inf, 2],
            [NaN, 1],
            [inf, -inf],
          ],
          1,
        ),
      ),
    ).toEqual([-inf, inf, 2, NaN, inf]);
    expect(await read(logSumExp([]))).toEqual([-inf]);
  });

  test("softmax and logSoftmax", async () => {
    expect(await read(softmax([1e4, 0, -inf]))).toEqual([1, 0, 0]);
    expect(await read(softmax([-inf, -inf]))).toEqual([NaN, NaN]);
    expect(await read(logSoftmax([0, 1e4]))).toEqual([-1e4, 0]);
    expect(softmax(new Variable([], { shape: [0, 3] })).shape).toEqual([0, 3]);
    expect(await read(softmax([5]).reshape([1]).mul(1))).toEqual([1]);
  });

  test("any, all, count", async () => {
    const x = [
      [0, 0],
      [0, -0],
      [NaN, 0],
      [1, 2],
    ];
    expect(await read(any(x, 1))).toEqual([0, 0, 1, 1]);
    expect(await read(all(x, 1))).toEqual([0, 0, 0, 1]);
    expect(await read(count(x, 1))).toEqual([0, 0, 1, 2]);
    expect(await read(any([]))).toEqual([0]);
    expect(await read(all([]))).toEqual([1]);
    expect(all([1]).requiresGrad).toBe(false);
  });

  test("variance of one, of none, and where there are too few samples", async () => {
    expect(await read(variance([5]))).toEqual([0]);
    expect(await read(variance([5], null, { correction: 1 }))).toEqual([NaN]);
    expect(await read(variance([]))).toEqual([NaN]);
  });
});

describe("gradients", () => {
  const x = [
    [0.5, -1.2, 0.8, 2.1],
    [1.5, 0.3, -0.4, -0.9],
  ];

  test.each([
    ["variance", (v: Variable) => variance(v, 1)],
    ["variance of samples", (v: Variable) => variance(v, 0, { correction: 1, keepDims: true })],
    ["std", (v: Variable) => std(v, 1)],
    ["norm", (v: Variable) => norm(v, 1)],
    ["norm of all", (v: Variable) => norm(v)],
    ["norm 1", (v: Variable) => norm(v, 1, { p: 1 })],
    ["norm ∞", (v: Variable) => norm(v, 1, { p: inf })],
    ["logSumExp", (v: Variable) => logSumExp(v, 0)],
    ["softmax", (v: Variable) => square(softmax(v))],
    ["logSoftmax", (v: Variable) => square(logSoftmax(v, 0))],
  ])("%s, to the second order", async (_name, f) => {
    await gradCheck(f, [x], { order: 2 });
  });

  test.each([
    ["norm at 0", norm, [0, 0], [0, 0]],
    ["std of equal numbers", std, [3, 3, 3], [0, 0, 0]],
    ["logSumExp of nothing but -Infinity", logSumExp, [-inf, -inf], [0, 0]],
    ["logSumExp beside -Infinity", logSumExp, [-inf, 1], [0, 1]],
    ["norm of large numbers", norm, [3e30, 4e30], [0.6, 0.8]],
    ["norm of small numbers", norm, [3e-30, -4e-30], [0.6, -0.8]],
  ] as const)("%s, by both ways", async (_name, f, values, expected) => {
    for (const createGraph of [false, true]) {
      const v = leaf([...values]);
      f(v).backward({ createGraph });
      expectClose(await gradOf(v), [...expected], 1e-6, 0);
    }
  });

  test("logSumExp's is the softmax", async () => {
    const v = leaf([1, 2, 4]);
    sum(logSumExp(v)).backward();
    expectClose(await gradOf(v), [...(await softmax([1, 2, 4]).read())], 1e-6);
  });
});

test("bad input", () => {
  for (const f of [variance, std, norm, logSumExp, any, all, count]) {
    expect(() => f([1, 2], 1)).toThrow(ShapeError);
    expect(() => f([1, 2], 0.5)).toThrow(ShapeError);
  }
  for (const f of [softmax, logSoftmax]) {
    expect(() => f([1, 2], 1)).toThrow(ShapeError);
    expect(() => f(1)).toThrow(ShapeError);
  }
  expect(() => norm([1], 0, { p: 3 })).toThrow("p is 1, 2 or Infinity, not 3");
  expect(() => variance([1], 0, { correction: "1" as unknown as number })).toThrow(ArgumentError);
});

test("as methods", async () => {
  const x = new Variable([
    [1, 3],
    [2, 2],
  ]);
  expect(await read(x.variance(1))).toEqual([1, 0]);
  expect(await read(x.std(1))).toEqual([1, 0]);
  expect(await read(new Variable([3, 4]).norm())).toEqual([5]);
  expect(await read(x.any())).toEqual([1]);
  expect(await read(x.all())).toEqual([1]);
  expect(await read(x.count(0))).toEqual([2, 2]);
  expect(x.softmax().logSoftmax(0).logSumExp(1, { keepDims: true }).shape).toEqual([2, 1]);
});
