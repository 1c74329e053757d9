/** Arrays whose elements come again or change places: roll, repeat, tile; and parts of matrices: trace, tril, triu. */
import { checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { describe } from "../base/describe.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import type { Range } from "../base/ranges.js";
import { checkAxis, showShape } from "../base/shape.js";
import { broadcastTo, sum } from "../elementwise/broadcast.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, withOperand, type Operand, type Variable } from "../graph/variable.js";
import { concat } from "./join.js";
import { arange } from "./making.js";
import { greaterEqual, lessEqual, where } from "./pointwise.js";
import { diagonal, slice, type DiagonalOptions } from "./slice.js";

/**
 * The elements moved on along an axis; those that leave at the end come in at the beginning.
 *
 * @param shift by so many positions, negative ones back
 * @param axis where none is given, all elements are moved as one row
 * @throws ShapeError where there is no such axis; ArgumentError where the shift is no whole number.
 * @example
 * roll([1, 2, 3, 4], 1); // [4, 1, 2, 3]
 * roll([[1, 2], [3, 4]], 1, 0); // [[3, 4], [1, 2]]
 */
export function roll(x: Operand, shift: number, axis?: number): Variable {
  if (!Number.isInteger(shift)) throw new ArgumentError(`roll: a shift is a whole number, not ${describe(shift)}`);
  return withOperand(x, (variable) => {
    if (axis === undefined) return reshape(rolled(reshape(variable, [variable.size]), shift, 0), variable.shape);
    return rolled(variable, shift, checkAxis(axis, variable.shape.length, "roll"));
  });
}

function rolled(x: Variable, shift: number, axis: number): Variable {
  const length = at(x.shape, axis);
  const first = length === 0 ? 0 : (((-shift % length) + length) % length) + 0;
  const part = (range: Range): Variable => slice(x, ...x.shape.map((_, k): Range => (k === axis ? range : null)));
  return first === 0 ? slice(x) : concat([part([first]), part([0, first])], axis);
}

/**
 * Each element so many times, one beside the other.
 *
 * @param axis where none is given, the array is taken as one row
 * @throws ShapeError where there is no such axis; ArgumentError where the count isn't a whole number of 0 or more.
 * @example
 * repeat([1, 2], 2); // [1, 1, 2, 2]
 * repeat([[1, 2], [3, 4]], 2, 0); // [[1, 2], [1, 2], [3, 4], [3, 4]]
 */
export function repeat(x: Operand, times: number, axis?: number): Variable {
  const variable = asOperand(x);
  if (!Number.isInteger(times) || times < 0) {
    throw new ArgumentError(`repeat: a count is a whole number of 0 or more, not ${describe(times)}`);
  }
  const flat = axis === undefined ? reshape(variable, [variable.size]) : variable;
  const { shape } = flat;
  const along = checkAxis(axis ?? 0, shape.length, "repeat");
  const [before, length, behind] = [shape.slice(0, along), at(shape, along), shape.slice(along + 1)];
  const each = reshape(flat, [...before, length, 1, ...behind]);
  return reshape(broadcastTo(each, [...before, length, times, ...behind]), [...before, length * times, ...behind]);
}

/**
 * The whole array so many times along each axis. Where these are fewer than the axes, they are for the last ones; where they are
 * more, there are new axes in front.
 *
 * @throws ArgumentError where a count isn't a whole number of 0 or more.
 * @example
 * tile([1, 2], 2); // [1, 2, 1, 2]
 * tile([[1], [2]], [1, 3]); // [[1, 1, 1], [2, 2, 2]]
 */
export function tile(x: Operand, times: number | readonly number[]): Variable {
  const variable = asOperand(x);
  const counts = typeof times === "number" ? [times] : checkList<number>(times, "tile: counts");
  for (const each of counts) {
    if (!Number.isInteger(each) || each < 0) {
      throw new ArgumentError(`tile: a count is a whole number of 0 or more, not ${describe(each)}`);
    }
  }
  const rank = Math.max(counts.length, variable.shape.length);
  const inFront = <T>(list: readonly T[], one: T): T[] => [
    ...Array.from({ length: rank - list.length }, () => one),
    ...list,
  ];
  const shape = inFront(variable.shape, 1);
  const repeats = inFront(counts, 1);
  const apart = reshape(
    variable,
    shape.flatMap((length) => [1, length]),
  );
  const tiled = broadcastTo(
    apart,
    shape.flatMap((length, axis) => [at(repeats, axis), length]),
  );
  return reshape(
    tiled,
    shape.map((length, axis) => length * at(repeats, axis)),
  );
}

/**
 * The sum of a diagonal, of a matrix or of each matrix of a larger array.
 *
 * @throws ShapeError where there are no two axes.
 * @example
 * trace([[1, 2], [3, 4]]); // 5
 */
export function trace(x: Operand, options: DiagonalOptions = {}): Variable {
  return sum(diagonal(x, options), -1);
}

/**
 * The lower triangle of each matrix: zeros above a diagonal.
 *
 * @param offset of the last diagonal that stays: 0 the main one, 1 the one above
 * @throws ShapeError where there are no two axes; ArgumentError where the offset is no whole number.
 * @example
 * tril([[1, 2], [3, 4]]); // [[1, 0], [3, 4]]
 */
export function tril(x: Operand, offset = 0): Variable {
  return triangle("tril", x, offset);
}

/**
 * The upper triangle of each matrix: zeros below a diagonal.
 *
 * @param offset of the first diagonal that stays: 0 the main one, 1 the one above
 * @throws ShapeError where there are no two axes; ArgumentError where the offset is no whole number.
 * @example
 * triu([[1, 2], [3, 4]]); // [[1, 2], [0, 4]]
 */
export function triu(x: Operand, offset = 0): Variable {
  return triangle("triu", x, offset);
}

function triangle(name: "tril" | "triu", x: Operand, offset: number): Variable {
  const variable = asOperand(x);
  const [rows, columns] = variable.shape.slice(-2);
  if (rows === undefined || columns === undefined) {
    throw new ShapeError(`${name}: needs matrices, and ${showShape(variable.shape)} has no two axes`);
  }
  if (!Number.isInteger(offset))
    throw new ArgumentError(`${name}: an offset is a whole number, not ${describe(offset)}`);
  const row = reshape(arange(offset, offset + rows), [rows, 1]);
  const column = arange(columns);
  return where(name === "tril" ? greaterEqual(row, column) : lessEqual(row, column), variable, 0);
}
