/** Shapes as NumPy has them: row-major, [] for a single number. Pure functions, no GPU. */
import { describe, isList } from "./describe.js";
import { ArgumentError, ShapeError } from "./errors.js";

/** Lengths along the axes, in row-major order: [2, 3] is two rows of three numbers, [] a single number. */
export type Shape = readonly number[];

/** The number of elements in an array of this shape; 1 for []. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** "[2, 3]", for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/**
 * A frozen copy of a shape that came from outside.
 *
 * @throws ArgumentError where it is not an array of numbers; ShapeError where a length is negative, fractional, or
 * the size is beyond exact integers.
 */
export function checkShape(shape: unknown, what = "shape"): Shape {
  if (!isList(shape)) throw new ArgumentError(`${what} must be an array of lengths, not ${describe(shape)}`);
  const lengths: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length: unknown = shape[axis];
    if (typeof length !== "number") {
      throw new ArgumentError(`${what}[${axis}] must be a number, not ${describe(length)}`);
    }
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ShapeError(`${what}[${axis}] must be a whole number of 0 or more, not ${length}`);
    }
    lengths.push(length === 0 ? 0 : length);
  }
  if (!Number.isSafeInteger(sizeOf(lengths))) {
    throw new ShapeError(`${what} ${showShape(lengths)} has more elements than can be counted`);
  }
  return Object.freeze(lengths);
}

/**
 * The shape that operands of these shapes have together, by NumPy's rule: aligned at the last axis, a length of 1
 * stretches.
 *
 * @throws ShapeError where two lengths differ and neither is 1.
 */
export function broadcastShapes(shapes: readonly Shape[], what: string): Shape {
  const [first] = shapes;
  if (first !== undefined && shapes.every((shape) => shape === first)) return first;
  let rank = 0;
  for (const shape of shapes) rank = Math.max(rank, shape.length);
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    shape.forEach((length, axis) => {
      const before = result[offset + axis];
      if (before === 1) result[offset + axis] = length;
      else if (length !== 1 && length !== before) {
        throw new ShapeError(`${what}: shapes ${shapes.map(showShape).join(" and ")} can't be broadcast together`);
      }
    });
  }
  return Object.freeze(result);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}

/** Strides that read an array of `shape` as if it had shape `to`: 0 along every stretched axis. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const own = stridesOf(shape);
  const offset = to.length - shape.length;
  return to.map((_, axis) => (axis < offset || shape[axis - offset] === 1 ? 0 : (own[axis - offset] ?? 0)));
}

/**
 * Axes as NumPy takes them (one or several, negative ones count from the end), sorted, or all where none are given.
 *
 * @throws ArgumentError, ShapeError where an axis is no whole number, out of range or named twice.
 */
export function checkAxes(axes: number | readonly number[] | null | undefined, rank: number, what: string): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, axis) => axis);
  const list: readonly unknown[] = isList(axes) ? axes : [axes];
  const seen = new Set<number>();
  for (const axis of list) {
    if (typeof axis !== "number") throw new ArgumentError(`${what}: an axis must be a number, not ${describe(axis)}`);
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw new ShapeError(`${what}: there is no axis ${axis} in ${rank} dimensions`);
    }
    const positive = axis < 0 ? axis + rank : axis;
    if (seen.has(positive)) throw new ShapeError(`${what}: axis ${axis} is named twice`);
    seen.add(positive);
  }
  return [...seen].sort((a, b) => a - b);
}

/** One axis, counted from the front. @throws ArgumentError, ShapeError where it is no whole number, or out of range. */
export function checkAxis(axis: number, rank: number, what: string): number {
  if (typeof axis !== "number") throw new ArgumentError(`${what}: an axis must be a number, not ${describe(axis)}`);
  return checkAxes(axis, rank, what)[0] ?? 0;
}
