/** slice, flip, split, diagonal, concat, stack and what moves axes: against JavaScript that counts indices, and NumPy's examples. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  concat,
  diagonal,
  expandDims,
  flatten,
  flip,
  gradCheck,
  init,
  moveAxis,
  mul,
  ShapeError,
  slice,
  split,
  square,
  squeeze,
  stats,
  stack,
  sum,
  swapAxes,
  Variable,
  type Range,
  type Shape,
} from "../../src/index.js";
import { gradOf, sizeOf } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

/** 1, 2, 3 … in this shape. */
function counted(shape: Shape): Variable {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1);
  return new Variable(data, { shape, requiresGrad: true });
}

/** The positions that a range takes from an axis, by Python's rule written out. */
function positions(range: Range, length: number): number[] {
  if (range === null) return Array.from({ length }, (_, k) => k);
  if (typeof range === "number") return [range < 0 ? range + length : range];
  const [start, stop, by] = range;
  const step = by ?? 1;
  const clamp = (k: number, low: number, high: number): number => Math.min(Math.max(k < 0 ? k + length : k, low), high);
  const list: number[] = [];
  if (step > 0) {
    const end = stop === undefined || stop === null ? length : clamp(stop, 0, length);
    for (let k = start === undefined || start === null ? 0 : clamp(start, 0, length); k < end; k += step) list.push(k);
  } else {
    const end = stop === undefined || stop === null ? -1 : clamp(stop, -1, length - 1);
    const first = start === undefined || start === null ? length - 1 : clamp(start, -1, length - 1);
    for (let k = first; k > end; k += step) list.push(k);
  }
  return list;
}

/** The index of each element of a part. */
function cut(shape: Shape, ranges: readonly Range[]): { shape: number[]; indices: number[] } {
  let indices = [0];
  const lengths: number[] = [];
  shape.forEach((length, axis) => {
    const range = ranges[axis] ?? null;
    const own = positions(range, length);
    if (typeof range !== "number") lengths.push(own.length);
    indices = indices.flatMap((index) => own.map((position) => index * length + position));
  });
  return { shape: lengths, indices };
}

async function expectSlice(shape: Shape, ranges: readonly Range[]): Promise<void> {
  const x = counted(shape);
  const wanted = cut(shape, ranges);
  const y = slice(x, ...ranges);
  expect(y.shape).toEqual(wanted.shape);
  expect([...(await y.read())]).toEqual(wanted.indices.map((index) => index + 1));
  // The gradient of y² / 2, by both ways, is y where it was taken, and 0 elsewhere.
  for (const createGraph of [false, true]) {
    x.clearGrad();
    sum(square(slice(x, ...ranges)).mul(0.5)).backward({ createGraph });
    const gradient = new Array<number>(x.size).fill(0);
    for (const index of wanted.indices) gradient[index] = index + 1;
    expect([...(await gradOf(x))]).toEqual(gradient);
  }
}

describe("slice", () => {
  test("of NumPy's documentation", async () => {
    const x = new Variable([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...(await slice(x, [1, 7, 2]).read())]).toEqual([1, 3, 5]);
    expect([...(await slice(x, [-2, 10]).read())]).toEqual([8, 9]);
    expect([...(await slice(x, [-3, 3, -1]).read())]).toEqual([7, 6, 5, 4]);
    expect([...(await slice(x, [5]).read())]).toEqual([5, 6, 7, 8, 9]);
    const y = counted([2, 3, 1]);
    expect(slice(y, [1, 2]).shape).toEqual([1, 3, 1]);
    expect(slice(y, null, null, 0).shape).toEqual([2, 3]);
  });

  test("random shapes and ranges", { timeout: 600_000 }, async () => {
    const position = fc.option(fc.integer({ min: -9, max: 9 }), { nil: null });
    const step = fc.constantFrom(-3, -2, -1, 1, 2, 3, null);
    const cases = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 5 }).chain((shape) => {
      const ranges = shape.map((length) =>
        fc.oneof(
          fc.constant<Range>(null),
          fc.integer({ min: -length, max: length - 1 }),
          fc.tuple(position, position, step),
        ),
      );
      return fc.tuple(fc.constant(shape), fc.tuple(...ranges), fc.nat(shape.length));
    });
    await fc.assert(
      fc.asyncProperty(cases, ([shape, ranges, given]) => expectSlice(shape, ranges.slice(0, given))),
      { numRuns: 80, seed: 1 },
    );
  });

  test("the whole costs nothing; empty parts are", async () => {
    const x = counted([3, 4]);
    expect(await slice(x).read()).toEqual(await x.read());
    expect(slice(x, [2, 1]).shape).toEqual([0, 4]);
    expect([...(await slice(x, [2, 1]).read())]).toEqual([]);
    await expectSlice([3, 4], [[9, 12]]);
    await expectSlice([1], [0]);
  });

  test("a part that was changed in place doesn't change the whole", async () => {
    const x = new Variable([1, 2, 3]);
    const y = slice(x);
    x.assign([7, 8, 9]);
    expect([...(await y.read())]).toEqual([1, 2, 3]);
  });

  test("of gradients that are constants", async () => {
    const x = counted([3]);
    sum(x).backward();
    expect([...(await slice(x.grad!, [0, 2]).read())]).toEqual([1, 1]);
  });

  test("gradients to the second order", async () => {
    await gradCheck((x) => square(slice(x, null, [null, null, -2])).mul(slice(x, null, [0, 2])), [[[0.3, -0.7, 1.1]]], {
      order: 2,
    });
  });

  test.each([
    [[3], ShapeError, "there is no position 3 in a length of 3"],
    [[-4], ShapeError, "there is no position -4 in a length of 3"],
    [[0.5], ArgumentError, "0.5 is no whole number"],
    [[[0, 2, 0]], ArgumentError, "a step of 0"],
    [[[0, 1.5]], ArgumentError, "whole numbers or null"],
    [["1"], ArgumentError, "a range is a position"],
    [[null, null], ShapeError, "2 ranges for the 1 axes"],
  ])("refuses %j", (ranges, kind, message) => {
    const call = (): unknown => slice([1, 2, 3], ...(ranges as Range[]));
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });
});

describe("split", () => {
  test("in equal parts, and before positions", async () => {
    const parts = split(counted([2, 6]), 3, 1);
    expect(parts.map(({ shape }) => shape)).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
    expect([...(await parts[1]!.read())]).toEqual([3, 4, 9, 10]);
    const cuts = split(counted([8]), [3, 5, 6, 10]);
    expect(cuts.map(({ size }) => size)).toEqual([3, 2, 1, 2, 0]);
  });

  test("refuses what doesn't fit", () => {
    expect(() => split(counted([5]), 2)).toThrow(ShapeError);
    expect(() => split(counted([5]), 0)).toThrow(ArgumentError);
    expect(() => split(counted([5]), [0.5])).toThrow(ArgumentError);
    expect(() => split(counted([5]), 1, 1)).toThrow(ShapeError);
  });

  test("the gradients of all parts come together", async () => {
    const x = counted([2, 4]);
    const [a, b] = split(x, 2, 1);
    sum(mul(a!, b!)).backward();
    expect([...(await gradOf(x))]).toEqual([3, 4, 1, 2, 7, 8, 5, 6]);
  });
});

describe("concat and stack", () => {
  test.each([0, 1, 2, -1])("along axis %i, for random shapes", async (axis) => {
    const along = axis < 0 ? axis + 3 : axis;
    for (const lengths of [[1], [2, 3], [4, 1, 4], [5, 0, 2]]) {
      const parts = lengths.map((length) => {
        const x = counted([2, 3, 4].map((own, k) => (k === along ? length : own)));
        return x;
      });
      const y = concat(parts, axis);
      const total = lengths.reduce((a, b) => a + b);
      expect(y.shape).toEqual([2, 3, 4].map((own, k) => (k === along ? total : own)));
      const data = await y.read();
      let begin = 0;
      for (const [k, part] of parts.entries()) {
        const own: Range[] = [null, null, null];
        own[along] = [begin, begin + lengths[k]!];
        const { indices } = cut(y.shape, own);
        expect(indices.map((index) => data[index])).toEqual([...(await part.read())]);
        begin += lengths[k]!;
      }
      const weight = Float32Array.from(data, (_, i) => (i * 5) % 13);
      sum(mul(y, new Variable(weight, { shape: y.shape, requiresGrad: false }))).backward();
      begin = 0;
      for (const [k, part] of parts.entries()) {
        const own: Range[] = [null, null, null];
        own[along] = [begin, begin + lengths[k]!];
        expect([...(await gradOf(part))]).toEqual(cut(y.shape, own).indices.map((index) => weight[index]));
        begin += lengths[k]!;
      }
    }
  });

  test("of NumPy's documentation", async () => {
    const [a, b] = [new Variable([1, 2, 3]), new Variable([4, 5, 6])];
    expect([...(await stack([a, b]).read())]).toEqual([1, 2, 3, 4, 5, 6]);
    const columns = stack([a, b], -1);
    expect(columns.shape).toEqual([3, 2]);
    expect([...(await columns.read())]).toEqual([1, 4, 2, 5, 3, 6]);
    const joined = concat([
      [
        [1, 2],
        [3, 4],
      ],
      [[5, 6]],
    ]);
    expect(joined.shape).toEqual([3, 2]);
  });

  test("one array twice, and a second order", async () => {
    const x = counted([2]);
    sum(square(concat([x, x]))).backward();
    expect([...(await gradOf(x))]).toEqual([4, 8]);
    await gradCheck((a, b) => square(concat([square(a), b, mul(a, a)], 1)), [[[0.5, -0.2]], [[0.7]]], { order: 2 });
  });

  test("refuses what doesn't fit, and nothing", () => {
    expect(() => concat([])).toThrow(ArgumentError);
    expect(() => stack([])).toThrow(ArgumentError);
    expect(() => concat([[[1, 2]], [[1, 2, 3]]])).toThrow("all axes but 0 must have the same lengths");
    expect(() => concat([[1], [[1]]])).toThrow(ShapeError);
    expect(() => concat([[1]], 1)).toThrow(ShapeError);
    expect(() => concat([1, 2])).toThrow(ShapeError);
    expect(() => stack([[1], [1, 2]])).toThrow(ShapeError);
    expect(() => concat("no" as unknown as number[])).toThrow(ArgumentError);
  });
});

test("flip, diagonal", async () => {
  expect([...(await flip(counted([2, 3])).read())]).toEqual([6, 5, 4, 3, 2, 1]);
  expect([...(await flip(counted([2, 3]), 1).read())]).toEqual([3, 2, 1, 6, 5, 4]);
  expect([...(await flip(counted([2, 2, 2]), [0, -1]).read())]).toEqual([6, 5, 8, 7, 2, 1, 4, 3]);
  const x = counted([3, 4]);
  expect([...(await diagonal(x).read())]).toEqual([1, 6, 11]);
  expect([...(await diagonal(x, { offset: 2 }).read())]).toEqual([3, 8]);
  expect([...(await diagonal(x, { offset: -1 }).read())]).toEqual([5, 10]);
  expect(diagonal(x, { offset: 9 }).shape).toEqual([0]);
  // NumPy's: a[:, :, 0] diagonals of [[0, 2], [4, 6]] and [[1, 3], [5, 7]].
  const cube = slice(counted([2, 2, 2]).sub(1));
  const both = diagonal(cube);
  expect(both.shape).toEqual([2, 2]);
  expect([...(await both.read())]).toEqual([0, 6, 1, 7]);
  sum(square(diagonal(x, { offset: 1, axes: [1, 0] }))).backward();
  expect([...(await gradOf(x))]).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0, 20, 0, 0]);
  expect(() => diagonal(x, { axes: [0, 0] })).toThrow(ShapeError);
  expect(() => diagonal([1, 2])).toThrow(ShapeError);
  expect(() => diagonal(x, { offset: 0.5 })).toThrow(ArgumentError);
});

test("axes that come, go and change places", async () => {
  const x = counted([2, 1, 3]);
  expect(squeeze(x).shape).toEqual([2, 3]);
  expect(squeeze(x, 1).shape).toEqual([2, 3]);
  expect(squeeze(new Variable([[5]])).shape).toEqual([]);
  expect(() => squeeze(x, 0)).toThrow("axis 0 of [2, 1, 3] isn't of length 1");
  expect(expandDims(x, 0).shape).toEqual([1, 2, 1, 3]);
  expect(expandDims(x, [-1, 1]).shape).toEqual([2, 1, 1, 3, 1]);
  expect(() => expandDims(x, 4)).toThrow(ShapeError);
  expect(flatten(x).shape).toEqual([6]);
  expect(moveAxis(x, 0, -1).shape).toEqual([1, 3, 2]);
  expect(moveAxis(x, -1, 0).shape).toEqual([3, 2, 1]);
  expect([...(await moveAxis(x, 0, -1).read())]).toEqual([1, 4, 2, 5, 3, 6]);
  expect(swapAxes(x, 0, 2).shape).toEqual([3, 1, 2]);
  expect(swapAxes(x, 1, 1).shape).toEqual([2, 1, 3]);
  sum(square(moveAxis(swapAxes(x, 0, 2), 0, 1))).backward();
  expect([...(await gradOf(x))]).toEqual([2, 4, 6, 8, 10, 12]);
});

describe("with bindings of 4 KiB", () => {
  let limits: { maxStorageBufferBindingSize: number };
  let before: number;

  beforeAll(async () => {
    ({ limits } = (await init()) as unknown as { limits: { maxStorageBufferBindingSize: number } });
    before = limits.maxStorageBufferBindingSize;
    limits.maxStorageBufferBindingSize = 4096;
  });

  afterAll(() => {
    limits.maxStorageBufferBindingSize = before;
  });

  test("parts of larger arrays, and larger arrays of parts", async () => {
    await expectSlice([70, 50], [[3, 60, 2], null]);
    await expectSlice([3000], [[null, null, -1]]);
    await expectSlice([5000], [[100, 4900, 7]]);
    const [a, b] = [counted([2, 700]), counted([2, 900])];
    const y = concat([a, b], 1);
    expect([...(await slice(y, 1, [699, 701]).read())]).toEqual([1400, 901]);
    sum(square(y)).backward();
    expect([...(await gradOf(b))].slice(-2)).toEqual([3598, 3600]);
  });
});

describe("the gradients of many parts of one array", () => {
  test("are added in place: one array for all, and right where parts overlap", async () => {
    const x = counted([1024]);
    const parts = Array.from({ length: 20 }, (_, k) => sum(square(slice(x, [k * 50, k * 50 + 60]))));
    const total = parts.reduce((a, b) => a.add(b));
    await total.item();
    const before = stats().dispatches;
    total.backward({ retainGrad: false });
    // For each, square's and one that adds; one more makes the array. Arrays of zeros would cost two more each.
    expect(stats().dispatches - before).toBe(41);
    const gradient = await gradOf(x);
    const expected = new Float32Array(1024);
    for (let k = 0; k < 20; k++) for (let i = k * 50; i < k * 50 + 60; i++) expected[i]! += 2 * (i + 1);
    expect([...gradient]).toEqual([...expected]);
  });

  test("beside other gradients, those of the start, and of memory that is shared", async () => {
    const x = counted([4]);
    const y = x.add(0);
    const z = y
      .add(x)
      .add(slice(x, [0, 4]))
      .add(concat([slice(y, [2]), slice(y, [0, 2])]));
    const start = new Variable([1, 10, 100, 1000]);
    z.grad = start;
    z.backward();
    // x has it three times, and from y once more, in another order.
    expect([...(await gradOf(x))]).toEqual([103, 1030, 301, 3010]);
    expect([...(await start.read())]).toEqual([1, 10, 100, 1000]);
    expect([...(await z.grad.read())]).toEqual([1, 10, 100, 1000]);
    expect([...(await y.grad!.read())]).toEqual([101, 1010, 101, 1010]);
  });

  test("twice in a row, and with a gradient that was there", async () => {
    const x = counted([3]);
    for (let k = 0; k < 2; k++) sum(slice(x, [0, 2]).add(slice(x, [1, 3]))).backward();
    expect([...(await gradOf(x))]).toEqual([2, 4, 2]);
  });
});

test("as methods", async () => {
  const x = counted([2, 3]);
  expect([...(await x.slice(0, [1]).read())]).toEqual([2, 3]);
  expect([...(await x.flip(0).read())]).toEqual([4, 5, 6, 1, 2, 3]);
  expect(x.split(3, 1).map(({ shape }) => shape)).toEqual([
    [2, 1],
    [2, 1],
    [2, 1],
  ]);
  expect([...(await x.diagonal({ offset: 1 }).read())]).toEqual([2, 6]);
  expect(x.expandDims(0).squeeze().flatten().shape).toEqual([6]);
  expect(x.moveAxis(0, 1).swapAxes(0, 1).shape).toEqual([2, 3]);
});
