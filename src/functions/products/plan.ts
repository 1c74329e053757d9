/** From the letters of axes and the shapes to a product of matrices: which dimensions are its batches, rows, columns and sums. */
import { at } from "../../base/assert.js";
import { stridesOf, type Shape } from "../../base/shape.js";
import { mergedDimensions, type Dimension } from "../../elementwise/layout.js";
import type { ProductLoad } from "../../wgsl/product.js";

/**
 * Which axes of two operands and of their product are the same: a letter for each. What the product lacks is summed over. Within
 * one array, no letter stands twice.
 */
export interface Letters {
  readonly a: string;
  readonly b: string;
  readonly y: string;
}

/** An array's letters, and how far apart its elements are along each. */
export interface Lettered {
  readonly letters: string;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** An array by its shape alone, in row-major order; or where all elements are one, by that one. */
export function lettered(letters: string, shape: Shape, isOne = false): Lettered {
  return { letters, shape, strides: isOne ? shape.map(() => 0) : stridesOf(shape) };
}

/** The stride of an array along a letter; null where it hasn't that axis, or it is of length 1 and so anybody's. */
function strideOf({ letters, shape, strides }: Lettered, letter: string): number | null {
  const axis = letters.indexOf(letter);
  return axis < 0 || shape[axis] === 1 ? null : at(strides, axis);
}

/** The letters that both operands have and the product lacks. */
export function summedLetters(a: Lettered, b: Lettered, y: Lettered): string[] {
  return Array.from(a.letters).filter(
    (letter) => strideOf(a, letter) !== null && strideOf(b, letter) !== null && strideOf(y, letter) === null,
  );
}

/**
 * A product of matrices. Dimensions are the innermost first, with the strides of a, b and y (batches), a and y (rows), b and y
 * (columns), a and b (sums, of which the first one is the innermost loop).
 */
export interface Plan {
  /** Whether a and b have changed places. */
  readonly isSwapped: boolean;
  readonly batches: readonly Dimension[];
  readonly rows: readonly Dimension[];
  readonly columns: readonly Dimension[];
  readonly sums: readonly Dimension[];
}

/** Neighbouring axes that all of them cross alike are one. The last axis of y is one of the columns, where that can be. */
export function planOf(a: Lettered, b: Lettered, y: Lettered): Plan {
  const last = Array.from(y.letters)
    .filter((letter) => strideOf(y, letter) !== null)
    .pop();
  const isRowOfA = last !== undefined && strideOf(b, last) === null;
  const plan = isRowOfA ? groups(b, a, y) : groups(a, b, y);
  const isRow = plan.rows.length === 0 && plan.columns.length > 0;
  // A row times a matrix that lies along k: better as that matrix times a column.
  if (isRow && plan.columns[0]?.strides[0] !== 1) {
    return { ...(isRowOfA ? groups(a, b, y) : groups(b, a, y)), isSwapped: !isRowOfA };
  }
  return { ...plan, isSwapped: isRowOfA };
}

function groups(a: Lettered, b: Lettered, y: Lettered): Omit<Plan, "isSwapped"> {
  const ofY = Array.from(y.letters).filter((letter) => strideOf(y, letter) !== null);
  const has = (operand: Lettered) => (letter: string) => strideOf(operand, letter) !== null;
  const hasNot = (operand: Lettered) => (letter: string) => strideOf(operand, letter) === null;
  const sums = dimensions(summedLetters(a, b, y), [a, b]);
  return {
    batches: dimensions(ofY.filter(has(a)).filter(has(b)), [a, b, y]),
    rows: dimensions(ofY.filter(hasNot(b)), [a, y]),
    columns: dimensions(ofY.filter(hasNot(a)), [b, y]),
    sums: [...sums].sort((one, other) => other.length - one.length),
  };
}

function dimensions(letters: readonly string[], arrays: readonly Lettered[]): Dimension[] {
  const [first] = arrays;
  const shape = letters.map((letter) => at(first?.shape ?? [], first?.letters.indexOf(letter) ?? -1));
  const operands = arrays.map((array) => ({
    offset: 0,
    strides: letters.map((letter) => strideOf(array, letter) ?? 0),
  }));
  return mergedDimensions(shape, operands);
}

/** The number of elements in these dimensions. */
export function countOf(list: readonly Dimension[]): number {
  return list.reduce((count, { length }) => count * length, 1);
}

/**
 * How an operand is loaded.
 *
 * @param own its rows, or its columns
 * @param rest its strides along all other dimensions than these and the innermost sum
 * @param tile how many of its rows or columns a tile has
 */
export function loadOf(
  inner: { readonly length: number; readonly stride: number },
  own: readonly { readonly length: number; readonly stride: number }[],
  rest: readonly number[],
  tile: number,
): ProductLoad {
  const areFours = (strides: readonly number[]): boolean => strides.every((stride) => stride % 4 === 0);
  const [first, ...others] = own;
  const further = [...others.map(({ stride }) => stride), ...rest];
  if (inner.stride === 1 && inner.length % 4 === 0 && areFours([first?.stride ?? 0, ...further])) return "along";
  const isAcross = tile >= 4 && first?.stride === 1 && first.length % 4 === 0 && areFours([inner.stride, ...further]);
  return isAcross ? "across" : "number";
}
