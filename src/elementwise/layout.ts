/** Where a shader finds the elements of operands that are broadcast or transposed: few dimensions, and a number for each. */
import { at } from "../base/assert.js";
import { LimitError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { wordsOf, type Lie, type Walk } from "../wgsl/strides.js";

/** A uniform has 16 KiB on every device. */
const mostWords = 4096;

/** How a shader walks through such operands, how the elements of each lie, and the words that it reads. */
export interface Layout {
  readonly walk: Walk;
  readonly lies: readonly Lie[];
  readonly words: Uint32Array;
}

/** Which elements of an array a result has: the first one, and how many are skipped by a step along each axis. */
export interface Strides {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The length of a dimension, and the stride of each operand along it. */
export interface Dimension {
  readonly length: number;
  readonly strides: readonly number[];
}

/**
 * The layout of these operands in a result of this shape.
 *
 * @throws LimitError where these are too many dimensions of too many operands.
 */
export function layoutOf(shape: Shape, operands: readonly Strides[], what: string): Layout {
  const dimensions = mergedDimensions(shape, operands);
  const [inner = { length: 1, strides: [] }] = dimensions;
  const rank = dimensions.length;
  const isInRows = rank <= 1 || inner.length % 4 === 0;
  const walk: Walk = { rank, step: isInRows ? "vector" : inner.length >= 3 ? "wrapped" : "single" };
  const count = wordsOf(walk, operands.length);
  if (count > mostWords) {
    throw new LimitError(
      `${what}: ${rank} dimensions of ${operands.length} broadcast operands are too many at once`,
      count,
      mostWords,
    );
  }
  const lies = operands.map(({ offset }, k) => (isInRows ? lieOf(dimensions, offset, k) : "strided"));
  const lengths = dimensions.map(({ length }, k) => (isInRows && k === 0 ? Math.ceil(length / 4) : length));
  const steps = operands.flatMap(({ offset }, k) => {
    const strides = dimensions.map((dimension) => at(dimension.strides, k));
    if (at(lies, k) !== "vec4") return [offset, ...strides];
    return [offset / 4, ...strides.map((stride, dimension) => (dimension === 0 ? stride : stride / 4))];
  });
  return { walk, lies, words: Uint32Array.from([...lengths, ...steps]) };
}

/** The dimensions, the last one first. Neighbouring axes that all strides cross alike become one. */
export function mergedDimensions(shape: Shape, operands: readonly Strides[]): Dimension[] {
  const dimensions: Dimension[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = at(shape, axis);
    if (length === 1) continue;
    const strides = operands.map((operand) => at(operand.strides, axis));
    const inner = dimensions[dimensions.length - 1];
    if (inner !== undefined && strides.every((stride, k) => stride === at(inner.strides, k) * inner.length)) {
      dimensions[dimensions.length - 1] = { length: inner.length * length, strides: inner.strides };
    } else dimensions.push({ length, strides });
  }
  return dimensions;
}

function lieOf(dimensions: readonly Dimension[], offset: number, k: number): Lie {
  const [inner = 0, ...outer] = dimensions.map(({ strides }) => at(strides, k));
  if (inner === 0) return "splat";
  return inner === 1 && [offset, ...outer].every((stride) => stride % 4 === 0) ? "vec4" : "strided";
}
