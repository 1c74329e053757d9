/** Axes in another order. */
import { checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ShapeError } from "../base/errors.js";
import { checkAxes, showShape, stridesOf } from "../base/shape.js";
import { Copy, copy } from "../elementwise/copy.js";
import type { GpuArray } from "../gpu/array.js";
import { asOperand, type Operand, type Variable } from "../graph/variable.js";

class Transpose extends Copy {
  readonly #axes: readonly number[];

  constructor(axes: readonly number[]) {
    super();
    this.#axes = axes;
  }

  override get name(): string {
    return "Transpose";
  }

  override forward(x: GpuArray): GpuArray {
    const strides = stridesOf(x.shape);
    return copy(
      x,
      Object.freeze(this.#axes.map((axis) => at(x.shape, axis))),
      this.#axes.map((axis) => at(strides, axis)),
    );
  }

  override backward(gy: Variable): Variable {
    const inverse = this.#axes.map((_, axis) => this.#axes.indexOf(axis));
    return transpose(gy, inverse);
  }
}

/**
 * The array with its axes in another order: reversed, or as `axes` names them.
 *
 * @throws ShapeError where `axes` doesn't name each axis once.
 * @example
 * transpose([[1, 2, 3], [4, 5, 6]]); // [[1, 4], [2, 5], [3, 6]]
 */
export function transpose(x: Operand, axes?: readonly number[]): Variable {
  const variable = asOperand(x);
  const rank = variable.shape.length;
  const order =
    axes === undefined
      ? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
      : checkList<number>(axes, "transpose: axes");
  if (checkAxes(order, rank, "transpose").length !== rank) {
    throw new ShapeError(`transpose: axes ${showShape(order)} must name each of ${rank} axes once`);
  }
  return new Transpose(order.map((axis) => (axis < 0 ? axis + rank : axis))).call(variable);
}
