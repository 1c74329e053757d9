/** Broadcasting and summing: each is the other's gradient. */
import { ShapeError } from "../base/errors.js";
import { broadcastShapes, broadcastStrides, checkShape, sameShape, showShape, type Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { gradEnabled } from "../graph/grad-mode.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, type Operand, type Variable } from "../graph/variable.js";
import { Copy, copy } from "./copy.js";
import { summing } from "./reducer.js";
import { Reduction, type Axes, type ReduceOptions } from "./reduction.js";

class Sum extends Reduction {
  override backward(gy: Variable): Variable | GpuArray {
    if (gy.size === 1 && !gradEnabled()) return GpuArray.repeat(gy.array, this.input.shape);
    return broadcastGradient(reshape(gy, this.kept), this.input.shape);
  }

  override backwardReads(): boolean {
    return false;
  }
}

/**
 * The sum of all elements, or along axes. Of no elements it is 0.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * sum([[1, 2], [3, 4]]); // 10
 * sum([[1, 2], [3, 4]], 0); // [4, 6]
 * sum([[1, 2], [3, 4]], -1, { keepDims: true }); // [[3], [7]]
 */
export function sum(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asOperand(x);
  return new Sum(summing, variable, axes, options).call(variable);
}

/** The sum along `axes`, under this shape, which has as many elements: what `sumTo` does in one node. */
function sumAs(x: Variable, axes: readonly number[], shape: Shape): Variable {
  return new Sum(summing, x, axes, {}, shape).call(x);
}

/** @internal */
export class BroadcastTo extends Copy {
  readonly #shape: Shape;

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  override get name(): string {
    return "BroadcastTo";
  }

  override forward(x: GpuArray): GpuArray {
    return sameShape(x.shape, this.#shape) ? x : copy(x, this.#shape, broadcastStrides(x.shape, this.#shape));
  }

  override backward(gy: Variable): Variable {
    return sumGradient(gy, this.input.shape);
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
  const variable = asOperand(x);
  const wanted = checkShape(shape, "broadcastTo: shape");
  if (!sameShape(broadcastShapes([variable.shape, wanted], "broadcastTo"), wanted)) {
    throw new ShapeError(`broadcastTo: ${showShape(variable.shape)} can't become ${showShape(wanted)}`);
  }
  return new BroadcastTo(wanted).call(variable);
}

/** The same; `x` itself where it has the shape: for gradients on their way, of which nobody has the one before. @internal */
export function broadcastGradient(x: Variable, shape: Shape): Variable {
  return sameShape(x.shape, shape) ? x : broadcastTo(x, shape);
}

/**
 * The inverse of broadcastTo: the sum along the axes that broadcasting from `shape` would have stretched.
 *
 * @throws ShapeError where `shape` doesn't broadcast to the array's.
 * @example
 * sumTo([[1, 2], [3, 4]], [2]); // [4, 6]
 */
export function sumTo(x: Operand, shape: readonly number[]): Variable {
  const variable = asOperand(x);
  const wanted = checkShape(shape, "sumTo: shape");
  if (!sameShape(broadcastShapes([variable.shape, wanted], "sumTo"), variable.shape)) {
    throw new ShapeError(`sumTo: ${showShape(variable.shape)} isn't what ${showShape(wanted)} broadcasts to`);
  }
  const missing = variable.shape.length - wanted.length;
  const axes = variable.shape.flatMap((length, axis) =>
    axis < missing || (wanted[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  return sumAs(variable, axes, wanted);
}

/** The same; `x` itself where it has the shape: see broadcastGradient. @internal */
export function sumGradient(x: Variable, shape: Shape): Variable {
  return sameShape(x.shape, shape) ? x : sumTo(x, shape);
}
