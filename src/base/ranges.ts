/** Parts of axes, as NumPy counts them. */
import { at } from "./assert.js";
import { describe, isList } from "./describe.js";
import { ArgumentError, ShapeError } from "./errors.js";
import { showShape, stridesOf, type Shape } from "./shape.js";

/**
 * Which positions of an axis: one, which drops the axis; `[start, stop, step]`, of which the last two may be missing and null is
 * as far as it goes; or null, all of them. Negative positions count from the end, a negative step goes backward.
 */
export type Range = number | null | readonly [start?: number | null, stop?: number | null, step?: number | null];

/** Which elements of an array a part of it has, and the part's shape. */
export interface Cut {
  readonly shape: Shape;
  readonly offset: number;
  readonly strides: readonly number[];
}

/**
 * What ranges cut out of an array of this shape. Axes without a range are whole.
 *
 * @throws ArgumentError, ShapeError where a range is none, has a step of 0 or is for an axis that isn't there, or a position is
 * outside.
 */
export function cutOf(shape: Shape, ranges: readonly unknown[], what: string): Cut {
  if (ranges.length > shape.length) {
    throw new ShapeError(`${what}: ${ranges.length} ranges for the ${shape.length} axes of ${showShape(shape)}`);
  }
  const lengths: number[] = [];
  const strides: number[] = [];
  let offset = 0;
  stridesOf(shape).forEach((stride, axis) => {
    const length = at(shape, axis);
    const range = ranges[axis] ?? null;
    if (typeof range === "number") {
      offset += positionOf(range, length, `${what}: axis ${axis}`) * stride;
      return;
    }
    const { start, step, count } = spanOf(range, length, `${what}: axis ${axis}`);
    lengths.push(count);
    strides.push(step * stride);
    if (count > 0) offset += start * stride;
  });
  return { shape: Object.freeze(lengths), offset, strides };
}

/** @throws ArgumentError, ShapeError */
function positionOf(position: number, length: number, what: string): number {
  if (!Number.isInteger(position)) throw new ArgumentError(`${what}: ${position} is no whole number`);
  if (position < -length || position >= length) {
    throw new ShapeError(`${what}: there is no position ${position} in a length of ${length}`);
  }
  return position < 0 ? position + length : position;
}

/** @throws ArgumentError */
function spanOf(
  range: unknown,
  length: number,
  what: string,
): { readonly start: number; readonly step: number; readonly count: number } {
  if (range === null) return { start: 0, step: 1, count: length };
  if (!isList(range) || range.length > 3) {
    throw new ArgumentError(`${what}: a range is a position, [start, stop, step] or null, not ${describe(range)}`);
  }
  const [first, end, by] = [0, 1, 2].map((k) => wholeOrNull(range[k], what));
  const step = by ?? 1;
  if (step === 0) throw new ArgumentError(`${what}: a step of 0 goes nowhere`);
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const clamped = (position: number | null | undefined, otherwise: number): number =>
    position === null || position === undefined
      ? otherwise
      : Math.min(Math.max(position < 0 ? position + length : position, least), most);
  const start = clamped(first, step > 0 ? least : most);
  const stop = clamped(end, step > 0 ? most : least);
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)) };
}

function wholeOrNull(value: unknown, what: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new ArgumentError(`${what}: start, stop and step are whole numbers or null, not ${describe(value)}`);
}
