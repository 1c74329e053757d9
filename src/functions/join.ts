/** Arrays put together to a larger one. */
import { checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import type { Range } from "../base/ranges.js";
import { checkAxis, sameShape, showShape, stridesOf, type Shape } from "../base/shape.js";
import { place } from "../elementwise/place.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import { asOperand, type Operand, type Variable } from "../graph/variable.js";
import { expandDims } from "./axes.js";
import { slice } from "./slice.js";

class Concat extends Function {
  readonly #axis: number;
  readonly #shape: Shape;

  constructor(axis: number, shape: Shape) {
    super();
    this.#axis = axis;
    this.#shape = shape;
  }

  override get name(): string {
    return "Concat";
  }

  override get repeatable(): boolean {
    return true;
  }

  override backwardReads(): boolean {
    return false;
  }

  override forward(...inputs: GpuArray[]): GpuArray {
    const whole = GpuArray.allocate(at(inputs, 0).device, this.#shape, "concat");
    const strides = stridesOf(this.#shape);
    try {
      let begin = 0;
      for (const input of inputs) {
        const offset = begin * at(strides, this.#axis);
        if (this.#isInOne) whole.put(offset, input);
        else place(input, whole, { offset, strides });
        begin += at(input.shape, this.#axis);
      }
    } catch (error) {
      whole.release();
      throw error;
    }
    return whole;
  }

  override backward(gy: Variable): (Variable | null)[] {
    let begin = 0;
    return this.inputs.map(({ shape, requiresGrad }) => {
      const start = begin;
      begin += at(shape, this.#axis);
      if (!requiresGrad) return null;
      return slice(gy, ...shape.map((_, axis): Range => (axis === this.#axis ? [start, begin] : null)));
    });
  }

  /** Whether the elements of each operand stay neighbours. */
  get #isInOne(): boolean {
    return this.#shape.slice(0, this.#axis).every((length) => length === 1);
  }
}

/**
 * Arrays one after the other along an axis that they have. Their other axes have the same lengths.
 *
 * @throws ShapeError where the shapes don't fit or there is no such axis; ArgumentError where there is no array.
 * @example
 * concat([[1, 2], [3]]); // [1, 2, 3]
 * concat([[[1], [2]], [[3], [4]]], 1); // [[1, 3], [2, 4]]
 */
export function concat(arrays: readonly Operand[], axis = 0): Variable {
  const operands = checkList<Operand>(arrays, "concat: what it joins").map((each) => asOperand(each));
  const [first] = operands;
  if (first === undefined) throw new ArgumentError("concat: there is nothing to join in an empty list");
  const { shape } = first;
  const along = checkAxis(axis, shape.length, "concat");
  let length = 0;
  for (const operand of operands) {
    const isFitting =
      operand.shape.length === shape.length && operand.shape.every((own, k) => k === along || own === shape[k]);
    if (!isFitting) {
      throw new ShapeError(
        `concat: ${showShape(operand.shape)} doesn't fit ${showShape(shape)}: all axes but ${along} must have the same lengths`,
      );
    }
    length += at(operand.shape, along);
  }
  const whole = Object.freeze(shape.map((own, k) => (k === along ? length : own)));
  return new Concat(along, whole).call(...operands);
}

/**
 * Arrays of one shape side by side along a new axis.
 *
 * @throws ShapeError where the shapes differ or there is no such place for an axis; ArgumentError where there is no array.
 * @example
 * stack([[1, 2], [3, 4]]); // [[1, 2], [3, 4]]
 * stack([[1, 2], [3, 4]], -1); // [[1, 3], [2, 4]]
 */
export function stack(arrays: readonly Operand[], axis = 0): Variable {
  const operands = checkList<Operand>(arrays, "stack: what it joins").map((each) => asOperand(each));
  const [first] = operands;
  if (first === undefined) throw new ArgumentError("stack: there is nothing to join in an empty list");
  const other = operands.find(({ shape }) => !sameShape(shape, first.shape));
  if (other !== undefined) {
    throw new ShapeError(`stack: shapes ${showShape(first.shape)} and ${showShape(other.shape)} differ`);
  }
  const along = checkAxis(axis, first.shape.length + 1, "stack");
  return concat(
    operands.map((operand) => expandDims(operand, along)),
    along,
  );
}
