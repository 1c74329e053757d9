/** Parts of an array, and their reverse: an array of zeros with a part in it. Each is the other's gradient. */
import { checkList, checkObject } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { describe } from "../base/describe.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { cutOf, type Cut, type Range } from "../base/ranges.js";
import { checkAxes, checkAxis, sameShape, stridesOf, type Shape } from "../base/shape.js";
import { Copy, copy } from "../elementwise/copy.js";
import { place } from "../elementwise/place.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import { asOperand, withOperand, type Operand, type Variable } from "../graph/variable.js";

/** A part of an array, each element of it once at most. @internal */
export class Slice extends Copy {
  readonly #name: string;
  readonly #cut: Cut;

  constructor(name: string, cut: Cut) {
    super();
    this.#name = name;
    this.#cut = cut;
  }

  override get name(): string {
    return this.#name;
  }

  override forward(x: GpuArray): GpuArray {
    const { shape, strides, offset } = this.#cut;
    if (sameShape(shape, x.shape) && offset === 0 && sameShape(strides, stridesOf(shape))) return x;
    return copy(x, shape, strides, offset);
  }

  override backward(gy: Variable): Variable {
    return new Place(this.#cut, this.input.shape).call(gy);
  }

  override readonly addGradient = (gy: GpuArray, gradient: GpuArray): void => {
    if (gy.constant !== 0) place(gy, gradient, this.#cut, true);
  };
}

/** Zeros, with an array where a Slice would read it. */
class Place extends Function {
  readonly #cut: Cut;
  readonly #whole: Shape;

  constructor(cut: Cut, whole: Shape) {
    super();
    this.#cut = cut;
    this.#whole = whole;
  }

  override get name(): string {
    return "Place";
  }

  override get repeatable(): boolean {
    return true;
  }

  override backwardReads(): boolean {
    return false;
  }

  override forward(x: GpuArray): GpuArray {
    const whole = GpuArray.constant(0, this.#whole, x.device);
    if (x.constant === 0) return whole;
    try {
      place(x, whole, this.#cut);
    } catch (error) {
      whole.release();
      throw error;
    }
    return whole;
  }

  override backward(gy: Variable): Variable {
    return new Slice("Slice", this.#cut).call(gy);
  }
}

/**
 * A part of an array, as NumPy's x[…], a range for each axis: a position, which drops the axis; `[start, stop, step]`, of which the
 * last two may be missing; or null, the whole axis, as all are for which nothing is given. Negative positions count from the end,
 * a negative step goes backward, and a range that reaches beyond the axis ends there. Its elements are copied; its gradient has
 * zeros elsewhere.
 *
 * @throws ShapeError where a position is outside or there is no such axis; ArgumentError where a range is none.
 * @example
 * const x = new Variable([[1, 2, 3], [4, 5, 6]]);
 * slice(x, 0); // [1, 2, 3], x[0]
 * slice(x, null, [1]); // [[2, 3], [5, 6]], x[:, 1:]
 * slice(x, -1, [null, null, -1]); // [6, 5, 4], x[-1, ::-1]
 */
export function slice(x: Operand, ...ranges: readonly Range[]): Variable {
  const variable = asOperand(x);
  return new Slice("Slice", cutOf(variable.shape, ranges, "slice")).call(variable);
}

/**
 * The array with the order of its elements reversed, along all axes or along those that are named.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * flip([[1, 2], [3, 4]]); // [[4, 3], [2, 1]]
 * flip([[1, 2], [3, 4]], 1); // [[2, 1], [4, 3]]
 */
export function flip(x: Operand, axes?: number | readonly number[] | null): Variable {
  const variable = asOperand(x);
  const flipped = checkAxes(axes, variable.shape.length, "flip");
  const ranges = variable.shape.map((_, axis): Range => (flipped.includes(axis) ? [null, null, -1] : null));
  return new Slice("Flip", cutOf(variable.shape, ranges, "flip")).call(variable);
}

/**
 * Parts side by side along an axis: so many of equal length, or cut before each of the positions that are given, as NumPy's split.
 *
 * @throws ShapeError where the length can't be divided so, or there is no such axis; ArgumentError.
 * @example
 * const [a, b] = split([1, 2, 3, 4], 2); // [1, 2] and [3, 4]
 * const [head, middle, tail] = split([1, 2, 3, 4], [1, 3]); // [1], [2, 3] and [4]
 */
export function split(x: Operand, parts: number | readonly number[], axis = 0): Variable[] {
  return withOperand(x, (variable) => {
    const { shape } = variable;
    const along = checkAxis(axis, shape.length, "split");
    const length = at(shape, along);
    const cuts = typeof parts === "number" ? equalCuts(length, parts) : checkList<number>(parts, "split: positions");
    for (const cut of cuts) {
      if (!Number.isInteger(cut)) throw new ArgumentError(`split: a position is a whole number, not ${describe(cut)}`);
    }
    return [...cuts, null].map((stop, k) => {
      const range: Range = [k === 0 ? null : at(cuts, k - 1), stop];
      return slice(variable, ...shape.map((_, each): Range => (each === along ? range : null)));
    });
  });
}

function equalCuts(length: number, parts: number): number[] {
  if (!Number.isInteger(parts) || parts < 1) {
    throw new ArgumentError(`split: parts are a whole number of 1 or more, or positions, not ${describe(parts)}`);
  }
  if (length % parts !== 0) throw new ShapeError(`split: a length of ${length} has no ${parts} equal parts`);
  return Array.from({ length: parts - 1 }, (_, k) => ((k + 1) * length) / parts);
}

/** Where a diagonal begins and ends, in the plane of two axes. */
export interface DiagonalOptions {
  /** Above the main diagonal (positive), or below it. Default 0. */
  readonly offset?: number;
  /** The axes whose positions go together. Default 0 and 1. */
  readonly axes?: readonly [number, number];
}

/**
 * The elements whose positions along two axes are the same, or differ by an offset, as the last axis of the result.
 *
 * @throws ShapeError where there are no such axes; ArgumentError where the offset is no whole number.
 * @example
 * diagonal([[1, 2], [3, 4]]); // [1, 4]
 * diagonal([[1, 2], [3, 4]], { offset: 1 }); // [2]
 */
export function diagonal(x: Operand, options: DiagonalOptions = {}): Variable {
  const { offset = 0, axes = [0, 1] } = checkObject(options, "diagonal's options");
  const variable = asOperand(x);
  const { shape } = variable;
  const pair = checkList<number>(axes, "diagonal: axes").map((axis) => checkAxis(axis, shape.length, "diagonal"));
  const [row = 0, column = 0] = pair;
  if (pair.length !== 2 || row === column) throw new ShapeError("diagonal: needs two different axes");
  if (!Number.isInteger(offset))
    throw new ArgumentError(`diagonal: an offset is a whole number, not ${describe(offset)}`);
  const strides = stridesOf(shape);
  const [down, right] = [Math.max(0, -offset), Math.max(0, offset)];
  const count = Math.max(0, Math.min(at(shape, row) - down, at(shape, column) - right));
  const rest = shape.map((_, axis) => axis).filter((axis) => axis !== row && axis !== column);
  const cut: Cut = {
    shape: Object.freeze([...rest.map((axis) => at(shape, axis)), count]),
    offset: count === 0 ? 0 : down * at(strides, row) + right * at(strides, column),
    strides: [...rest.map((axis) => at(strides, axis)), at(strides, row) + at(strides, column)],
  };
  return new Slice("Diagonal", cut).call(variable);
}
