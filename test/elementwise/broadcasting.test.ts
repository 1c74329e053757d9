/**
 * Broadcast and transposed operands are read at the right places: against JavaScript that counts indices, for shapes of 0 to 8
 * axes, and for each way in which a shader walks through them (wgsl/strides.ts).
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { elementwise, fuse, init, sum, transpose, Variable, type Operand, type Shape } from "../../src/index.js";
import { sizeOf } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const weigh = elementwise<[Operand, Operand, Operand, Operand]>(
  "fn weigh_forward(a: f32, b: f32, c: f32, d: f32) -> f32 { return a + 3.0 * b + 7.0 * c * d; }",
);

/** Whole numbers, of which all sums and products here are exact. */
function numbered(shape: Shape, seed: number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 5) % 23) - 11);
}

/** Of each element of `whole`, the index of the one that an array of `shape` has there. */
function places(shape: Shape, whole: Shape): number[] {
  const missing = whole.length - shape.length;
  return Array.from({ length: sizeOf(whole) }, (_, index) => {
    let [rest, place, step] = [index, 0, 1];
    for (let axis = whole.length - 1; axis >= 0; axis--) {
      const position = rest % whole[axis]!;
      rest = Math.floor(rest / whole[axis]!);
      const length = shape[axis - missing] ?? 1;
      if (length !== 1) place += position * step;
      step *= length;
    }
    return place;
  });
}

async function expectBroadcast(whole: Shape, shapes: readonly Shape[], isFused: boolean): Promise<void> {
  const f = isFused ? fuse((a: Variable, b: Variable, c: Variable, d: Variable) => weigh(a, b, c, d)) : weigh;
  const data = shapes.map((shape, k) => numbered(shape, k));
  const [a, b, c, d] = shapes.map((shape, k) => new Variable(data[k]!, { shape, requiresGrad: true }));
  const at = shapes.map((shape) => places(shape, whole));
  const value = (k: number, i: number): number => data[k]![at[k]![i]!]!;
  using y = f(a!, b!, c!, d!);
  const count = sizeOf(whole);
  expect(y.shape).toEqual(whole);
  const expected = Array.from({ length: count }, (_, i) => {
    return value(0, i) + 3 * value(1, i) + 7 * value(2, i) * value(3, i);
  });
  expect([...(await y.read())]).toEqual(expected);
  sum(y).backward();
  const slopes = [() => 1, () => 3, (i: number) => 7 * value(3, i), (i: number) => 7 * value(2, i)];
  for (const [k, leaf] of [a, b, c, d].entries()) {
    const gradient = new Array<number>(leaf!.size).fill(0);
    for (let i = 0; i < count; i++) gradient[at[k]![i]!]! += slopes[k]!(i);
    expect([...(await leaf!.grad!.read())], `gradient ${k}`).toEqual(gradient);
  }
}

describe.each([
  ["unfused", false],
  ["fused", true],
])("%s", (_way, isFused) => {
  // The last axis decides how neighbours are found: in one row, across its end, or each by itself.
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 255])("rows of %i, columns and mixtures", async (inner) => {
    const whole = [3, 5, inner];
    const shapes: Shape[][] = [
      [whole, [inner], [5, 1], [3, 1, 1]],
      [[3, 1, inner], [5, 1], [1], whole],
      [[5, 1], [3, 1, inner], [inner], [3, 5, 1]],
      [[3, 1, 1], [5, 1], [inner], []],
    ];
    for (const own of shapes) await expectBroadcast(whole, own, isFused);
  });

  test("random shapes", { timeout: 600_000 }, async () => {
    const axis = fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 5 }));
    const cases = fc.array(axis, { maxLength: 8 }).chain((lengths) => {
      const whole = lengths.map((length, k) => (k < lengths.length - 5 ? Math.min(length, 2) : length));
      const operand = fc
        .tuple(fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length }), fc.nat(whole.length))
        .map(([kept, missing]) => whole.map((length, k) => (kept[k] === true ? length : 1)).slice(missing));
      return fc.tuple(fc.constant(whole), fc.tuple(fc.constant(whole), operand, operand, operand));
    });
    await fc.assert(
      fc.asyncProperty(cases, async ([whole, shapes]) => expectBroadcast(whole, shapes, isFused)),
      { numRuns: 60, seed: 1 },
    );
  });
});

test.each([
  [
    [7, 9],
    [1, 0],
  ],
  [
    [8, 12],
    [1, 0],
  ],
  [
    [3, 4, 5],
    [2, 0, 1],
  ],
  [
    [4, 3, 8],
    [0, 2, 1],
  ],
  [
    [2, 3, 4, 4],
    [1, 3, 0, 2],
  ],
  [
    [2, 2, 2, 2, 2, 2, 2, 2],
    [7, 0, 6, 1, 5, 2, 4, 3],
  ],
])("transposed: %j by %j", async (shape, axes) => {
  const data = numbered(shape, 3);
  const x = new Variable(data, { shape, requiresGrad: true });
  const y = transpose(x, axes);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const expected = Array.from({ length: data.length }, (_, index) => {
    let [rest, place] = [index, 0];
    for (let k = axes.length - 1; k >= 0; k--) {
      place += (rest % shape[axes[k]!]!) * strides[axes[k]!]!;
      rest = Math.floor(rest / shape[axes[k]!]!);
    }
    return data[place];
  });
  expect([...(await y.read())]).toEqual(expected);
  sum(y.mul(y)).backward();
  expect([...(await x.grad!.read())]).toEqual(Array.from(data, (each) => 2 * each));
});
