/** Functions that move elements and change none of them. */
import copyWgsl from "../../shaders/copy.wgsl?raw";
import { checkList } from "../arguments.js";
import { at } from "../assert.js";
import { ShapeError } from "../errors.js";
import { Function } from "../function.js";
import { GpuArray } from "../gpu/array.js";
import { run, Shaders } from "../shaders.js";
import {
  broadcastShapes,
  broadcastStrides,
  checkAxes,
  checkShape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  type Shape,
} from "../shape.js";
import { asVariable, type Operand, type Variable } from "../variable.js";
import { parseElementwise } from "../wgsl/source.js";
import { sumAs } from "./reduce.js";

const shaders = new Shaders(parseElementwise(copyWgsl), { trusted: true });

/** A new array of `shape`, each element read from `array` by these strides. */
function copy(array: GpuArray, shape: Shape, strides: readonly number[]): GpuArray {
  if (array.constant !== null) return GpuArray.constant(array.constant, shape, array.device);
  return at(
    run((accesses) => shaders.forward(accesses), [{ array, strides }], shape, 1),
    0,
  );
}

class Reshape extends Function {
  readonly #shape: Shape;

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  override get name(): string {
    return "Reshape";
  }

  override forward(x: GpuArray): GpuArray {
    return x.reshape(this.#shape);
  }

  override backward(gy: Variable): Variable {
    return reshape(gy, this.input.shape);
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
  const variable = asVariable(x);
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

/** One that moves elements by the shader that copies. */
abstract class Copy extends Function {
  override get wgsl(): string {
    return shaders.forward(["strided"]).source("exact");
  }
}

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
  const variable = asVariable(x);
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

class BroadcastTo extends Copy {
  readonly #shape: Shape;

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  override get name(): string {
    return "BroadcastTo";
  }

  override forward(x: GpuArray): GpuArray {
    return copy(x, this.#shape, broadcastStrides(x.shape, this.#shape));
  }

  override backward(gy: Variable): Variable {
    return sumTo(gy, this.input.shape);
  }
}

/**
 * The array repeated along axes of length 1, or missing ones, until it has this shape. The same shape costs nothing.
 *
 * @throws ShapeError where NumPy's rule doesn't allow it.
 * @example
 * broadcastTo([1, 2], [3, 2]); // [[1, 2], [1, 2], [1, 2]]
 */
export function broadcastTo(x: Operand, shape: readonly number[]): Variable {
  const variable = asVariable(x);
  const wanted = checkShape(shape, "broadcastTo: shape");
  if (sameShape(variable.shape, wanted)) return variable;
  if (!sameShape(broadcastShapes([variable.shape, wanted], "broadcastTo"), wanted)) {
    throw new ShapeError(`broadcastTo: ${showShape(variable.shape)} can't become ${showShape(wanted)}`);
  }
  return new BroadcastTo(wanted).call(variable);
}

/**
 * The inverse of broadcastTo: the sum along the axes that broadcasting from `shape` would have stretched.
 *
 * @throws ShapeError where `shape` doesn't broadcast to the array's.
 * @example
 * sumTo([[1, 2], [3, 4]], [2]); // [4, 6]
 */
export function sumTo(x: Operand, shape: readonly number[]): Variable {
  const variable = asVariable(x);
  const wanted = checkShape(shape, "sumTo: shape");
  if (sameShape(variable.shape, wanted)) return variable;
  if (!sameShape(broadcastShapes([variable.shape, wanted], "sumTo"), variable.shape)) {
    throw new ShapeError(`sumTo: ${showShape(variable.shape)} isn't what ${showShape(wanted)} broadcasts to`);
  }
  const missing = variable.shape.length - wanted.length;
  const axes = variable.shape.flatMap((length, axis) =>
    axis < missing || (wanted[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  return sumAs(variable, axes, wanted);
}
