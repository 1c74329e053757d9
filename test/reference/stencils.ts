/**
 * Stencils in float64, position by position: the values, and the gradients by pushing what each position gives to the cells
 * that it has read. Derivatives are differences, so that nothing here is derived as the library does it.
 */
import type { Boundary } from "../../src/index.js";

/** What a position sees: each field by its name (a vector's component with its number behind: v0, v1), each number. */
export type Around = Readonly<Record<string, (...offset: number[]) => number>>;

/** The function of a position: all components of its result. */
export type Calculation = (around: Around, position: readonly number[], extent: readonly number[]) => readonly number[];

export interface ReferenceInput {
  readonly name: string;
  /** null for a number, which is the same everywhere. */
  readonly boundary: Boundary | null;
  /** 1 where it isn't said. */
  readonly components?: number;
  readonly values: ArrayLike<number>;
}

/** Where a coordinate ends that leaves its axis; null for outside. */
function landing(coordinate: number, length: number, boundary: Boundary): number | null {
  if (coordinate >= 0 && coordinate < length) return coordinate;
  if (boundary === "clamp") return Math.min(Math.max(coordinate, 0), length - 1);
  if (boundary === "wrap") return ((coordinate % length) + length) % length;
  return null;
}

/** The index of the cell that an offset leads to; null for outside. */
function cellAt(
  position: readonly number[],
  offset: readonly number[],
  extent: readonly number[],
  boundary: Boundary,
): number | null {
  let index = 0;
  for (const [axis, length] of extent.entries()) {
    const at = landing((position[axis] ?? 0) + (offset[axis] ?? 0), length, boundary);
    if (at === null) return null;
    index = index * length + at;
  }
  return index;
}

function positionsOf(extent: readonly number[]): number[][] {
  return extent.reduce<number[][]>(
    (positions, length) => positions.flatMap((p) => Array.from({ length }, (_, k) => [...p, k])),
    [[]],
  );
}

/** One value that a position has read: of which input, at which place in its array. */
interface Visit {
  readonly input: number;
  readonly index: number;
}

/** @param replaced values that stand for what was read, by the key of the read */
function evaluate(
  f: Calculation,
  inputs: readonly ReferenceInput[],
  extent: readonly number[],
  position: readonly number[],
  visits: Map<string, Visit & { value: number }>,
  replaced: { key: string; value: number } | null = null,
): readonly number[] {
  const around: Record<string, (...offset: number[]) => number> = {};
  inputs.forEach(({ name, boundary, components = 1, values }, input) => {
    for (let c = 0; c < components; c++) {
      const own = components === 1 ? name : `${name}${c}`;
      around[own] = (...offset) => {
        const cell = boundary === null ? 0 : cellAt(position, offset, extent, boundary);
        if (cell === null) return typeof boundary === "number" ? boundary : 0;
        const index = cell * components + c;
        const key = `${own},${offset.join()}`;
        const value = values[index] ?? NaN;
        visits.set(key, { input, index, value });
        return replaced?.key === key ? replaced.value : value;
      };
    }
  });
  return f(around, position, extent);
}

export function forwardOf(f: Calculation, inputs: readonly ReferenceInput[], extent: readonly number[]): number[] {
  return positionsOf(extent).flatMap((position) => evaluate(f, inputs, extent, position, new Map()));
}

/** The gradient of each input, for this one of the output. */
export function gradientsOf(
  f: Calculation,
  inputs: readonly ReferenceInput[],
  extent: readonly number[],
  gy: ArrayLike<number>,
): number[][] {
  const gradients = inputs.map(({ values }) => new Array<number>(values.length).fill(0));
  positionsOf(extent).forEach((position, k) => {
    const visits = new Map<string, Visit & { value: number }>();
    const count = evaluate(f, inputs, extent, position, visits).length;
    for (const [key, { input, index, value }] of visits) {
      const step = 2 ** -9 * Math.max(1, Math.abs(value));
      const at = (steps: number): readonly number[] =>
        evaluate(f, inputs, extent, position, new Map(), { key, value: value + steps * step });
      const [a, b, c, d] = [at(-2), at(-1), at(1), at(2)];
      const own = gradients[input];
      for (let m = 0; m < count; m++) {
        const slope = ((a[m] ?? 0) - 8 * (b[m] ?? 0) + 8 * (c[m] ?? 0) - (d[m] ?? 0)) / (12 * step);
        if (own) own[index] = (own[index] ?? 0) + slope * (gy[k * count + m] ?? 0);
      }
    }
  });
  return gradients;
}

/** What the gradients change by as the inputs do, by their differences: the second derivatives times a direction. */
export function secondOf(
  f: Calculation,
  inputs: readonly ReferenceInput[],
  extent: readonly number[],
  gy: ArrayLike<number>,
  directions: readonly ArrayLike<number>[],
): number[][] {
  const step = 2 ** -8;
  const moved = (steps: number): number[][] =>
    gradientsOf(
      f,
      inputs.map((input, k) => ({
        ...input,
        values: Array.from(input.values, (value, i) => value + steps * step * (directions[k]?.[i] ?? 0)),
      })),
      extent,
      gy,
    );
  const [a, b, c, d] = [moved(-2), moved(-1), moved(1), moved(2)];
  return a.map((own, k) =>
    own.map((value, i) => (value - 8 * (b[k]?.[i] ?? 0) + 8 * (c[k]?.[i] ?? 0) - (d[k]?.[i] ?? 0)) / (12 * step)),
  );
}
