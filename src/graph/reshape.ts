/** The same numbers under another shape: the one Function that costs nothing, and that the graph itself needs. */
import { checkList } from "../base/arguments.js";
import { ShapeError } from "../base/errors.js";
import { checkShape, showShape, sizeOf, type Shape } from "../base/shape.js";
import type { GpuArray } from "../gpu/array.js";
import { Function } from "./function.js";
import { asOperand, type Operand, type Variable } from "./variable.js";

export class Reshape extends Function {
  readonly #shape: Shape;

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  override get name(): string {
    return "Reshape";
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(x: GpuArray): GpuArray {
    return x.reshape(this.#shape);
  }

  override readonly givesFreshGradients = true;

  override backward(gy: Variable): Variable {
    return reshape(gy, this.input.shape);
  }

  override backwardReads(): boolean {
    return false;
  }
}

/**
 * The same elements in row-major order under another shape, without a copy. One length may be -1: it is computed.
 *
 * @throws ShapeError where the shape has another size.
 * @example
 * reshape([[1, 2, 3], [4, 5, 6]], [3, -1]); // [[1, 2], [3, 4], [5, 6]]
 */
export function reshape(x: Operand, shape: readonly number[]): Variable {
  const variable = asOperand(x);
  const wanted = checkList<number>(shape, "reshape: shape");
  checkShape(
    wanted.map((length) => (length === -1 ? 1 : length)),
    "reshape: shape",
  );
  const open = wanted.indexOf(-1);
  const known = sizeOf(wanted.filter((_, axis) => axis !== open));
  const full = wanted.map((length, axis) => (axis === open ? variable.size / (known || 1) : length));
  if (full.some((length) => length % 1 !== 0) || sizeOf(full) !== variable.size) {
    throw new ShapeError(`reshape: ${showShape(variable.shape)} can't become ${showShape(wanted)}`);
  }
  const checked = checkShape(full, "reshape: shape");
  return new Reshape(checked).call(variable);
}
