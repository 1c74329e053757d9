/** Reductions beside the sum: mean, max and min, of all elements or along axes. */
import { broadcastGradient, sum } from "../elementwise/broadcast.js";
import { isLarge } from "../elementwise/gather.js";
import { meanOf, meanSource } from "../elementwise/mean.js";
import { maximizing, minimizing, summing } from "../elementwise/reducer.js";
import { Reduction, type Axes, type ReduceOptions } from "../elementwise/reduction.js";
import { GpuArray } from "../gpu/array.js";
import { gradEnabled } from "../graph/grad-mode.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, asVariable, type Operand, type Variable } from "../graph/variable.js";
import { add, div, equal, mul, notEqual, sub, where } from "./pointwise.js";

class Extremum extends Reduction {
  /** The elements that equal the result share its gradient; beside a NaN, all have NaN. Others get 0, whatever it is. */
  override backward(gy: Variable): Variable {
    const result = reshape(this.output, this.kept);
    const given = reshape(gy, this.kept);
    const equals = equal(this.input, result);
    const each = div(given, sum(equals, this.axes, { keepDims: true }));
    const isNone = notEqual(result, result);
    const share = where(equal(given, 0), 0, where(isNone, mul(given, result), each));
    return where(add(equals, isNone), share, 0);
  }
}

class Mean extends Reduction {
  override get name(): string {
    return "Mean";
  }

  override get wgsl(): string {
    return `${super.wgsl}\n${meanSource()}`;
  }

  override forward(x: GpuArray): GpuArray {
    const sums = super.forward(x);
    try {
      return isLarge(x.device, x.bytes) ? this.#ofLarge(x, asVariable(sums)) : meanOf(x, sums, this.axes);
    } finally {
      sums.release();
    }
  }

  /** Above one binding: where a sum isn't finite, that of numbers too small for it to overflow is taken. */
  #ofLarge(x: GpuArray, sums: Variable): GpuArray {
    const count = x.size / sums.size;
    using small = mul(asVariable(x), 2 ** -32);
    using smallSums = asVariable(super.forward(small.array));
    return where(equal(sub(sums, sums), 0), div(sums, count), mul(div(smallSums, count), 2 ** 32)).array;
  }

  override backward(gy: Variable): Variable | GpuArray {
    const { shape, size } = this.input;
    const each = div(gy, size / gy.size);
    if (gy.size !== 1 || gradEnabled()) return broadcastGradient(reshape(each, this.kept), shape);
    const repeated = GpuArray.repeat(each.array, shape);
    each.dispose();
    return repeated;
  }

  override backwardReads(): boolean {
    return false;
  }
}

/**
 * The mean of all elements, or along axes: their sum divided by their number, and within the range of float32 where the
 * sum is not. Of no elements it is NaN.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * mean([1, 2, 6]); // 3
 * mean([3e38, 3e38]); // 3e38
 */
export function mean(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asOperand(x);
  if (variable.size > 0) return new Mean(summing, variable, axes, options).call(variable);
  return div(sum(variable, axes, options), 0);
}

/**
 * The greatest element of all, or along axes; NaN where one is NaN. Equal ones share the gradient, as in PyTorch's amax.
 *
 * @throws ShapeError where there is no such axis, or no element.
 * @example
 * max([[1, 5], [3, 2]]); // 5
 * max([[1, 5], [3, 2]], 1); // [5, 3]
 */
export function max(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asOperand(x);
  return new Extremum(maximizing, variable, axes, options).call(variable);
}

/**
 * The smallest element of all, or along axes; NaN where one is NaN. Equal ones share the gradient, as in PyTorch's amin.
 *
 * @throws ShapeError where there is no such axis, or no element.
 * @example
 * min([[1, 5], [3, 2]], 0); // [1, 2]
 */
export function min(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asOperand(x);
  return new Extremum(minimizing, variable, axes, options).call(variable);
}
