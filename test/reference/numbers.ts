/** Numbers for the tests: where they come from, and how close two of them are. */
import { expect } from "vitest";
import { stats, Variable, type Shape } from "../../src/index.js";

export type Range = readonly [low: number, high: number];

/** Spread over a range, the same for the same seed, and float32 numbers. */
export function spread(size: number, [low, high]: Range, seed = 0): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => low + (high - low) * (((i + 1) * 0.6180339887498949 + seed * 0.37) % 1),
  );
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** A leaf that needs a gradient. */
export function leaf(values: number[] | Float32Array): Variable {
  return new Variable(values, { requiresGrad: true });
}

/** A Variable of this shape, with numbers spread over a range. */
export function variable(shape: Shape, range: Range, seed = 0, requiresGrad = true): Variable {
  return new Variable(spread(sizeOf(shape), range, seed), { shape, requiresGrad });
}

/** The distance from a float32 number of this size to the next. */
export function ulp(x: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)));
  return 2 ** (exponent - 23);
}

/**
 * Each number within so many ULP of what float64 gives; NaN, infinities and the lengths must agree. Below the smallest
 * normal number WGSL may give 0.
 */
export function expectWithinUlp(actual: Float32Array, expected: readonly number[], most: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((wanted, i) => {
    const found = actual[i] ?? NaN;
    const rounded = Math.fround(wanted);
    if (!Number.isFinite(rounded)) expect(found, `element ${i}`).toBe(rounded);
    else if (Math.abs(wanted) < 2 ** -126) expect(Math.abs(found), `element ${i}`).toBeLessThanOrEqual(2 ** -126);
    else {
      const distance = Math.abs(found - wanted) / ulp(wanted);
      expect(distance, `element ${i}: ${found} for ${wanted}, in ULP`).toBeLessThanOrEqual(most);
    }
  });
}

/** Each number within a relative error, and an absolute one for those near 0. */
export function expectClose(
  actual: ArrayLike<number> | undefined,
  expected: readonly number[],
  relative = 1e-6,
  absolute = 1e-30,
): void {
  expect(actual?.length).toBe(expected.length);
  expected.forEach((wanted, i) => {
    const found = actual?.[i] ?? NaN;
    const distance = Math.abs(found - wanted);
    expect(distance, `element ${i}: ${found} for ${wanted}`).toBeLessThanOrEqual(
      relative * Math.abs(wanted) + absolute,
    );
  });
}

/** What a gradient holds. Fails where there is none. */
export async function gradOf(x: Variable): Promise<number[]> {
  expect(x.grad, `the gradient of ${x.toString()}`).not.toBeNull();
  return [...((await x.grad?.read()) ?? [])];
}

/** How many dispatches `work` records. */
export function dispatchesOf(work: () => unknown): number {
  const before = stats().dispatches;
  work();
  return stats().dispatches - before;
}

/** How many pipelines `work` compiles. */
export function pipelinesOf(work: () => unknown): number {
  const before = stats().pipelines;
  work();
  return stats().pipelines - before;
}

/** NumPy's broadcasting in plain JavaScript: `f` of the elements that meet, in row-major order. */
export function broadcastMap(
  f: (...x: number[]) => number,
  operands: readonly { readonly shape: Shape; readonly values: ArrayLike<number> }[],
): { shape: number[]; values: number[] } {
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, axis) => {
    const lengths = operands.map((operand) => operand.shape[axis - rank + operand.shape.length] ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  });
  const values = Array.from({ length: sizeOf(shape) }, (_, index) => {
    const x = operands.map((operand) => {
      let rest = index;
      let stride = 1;
      let offset = 0;
      for (let axis = rank - 1; axis >= 0; axis--) {
        const length = operand.shape[axis - rank + operand.shape.length] ?? 1;
        const whole = shape[axis] ?? 1;
        if (length !== 1) offset += (rest % whole) * stride;
        stride *= length;
        rest = Math.floor(rest / whole);
      }
      return operand.values[offset] ?? NaN;
    });
    return f(...x);
  });
  return { shape, values };
}

/** A vector of so many times one number. */
export function filled(size: number, value: number, requiresGrad = true): Variable {
  return new Variable(new Float32Array(size).fill(value), { requiresGrad });
}

/** The first number, which is all that the test needs. */
export async function firstOf(x: Variable): Promise<number | undefined> {
  return (await x.read())[0];
}
