/** Reductions that are made of others: variances, norms, sums of exponentials, and what is true of some or all elements. */
import { checkNumber, checkObject } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import { checkAxes, sizeOf, type Shape } from "../base/shape.js";
import { broadcastTo, sum } from "../elementwise/broadcast.js";
import type { Axes, ReduceOptions } from "../elementwise/reduction.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import { noGrad } from "../graph/no-grad.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, withOperand, type Operand, type Variable } from "../graph/variable.js";
import { abs, add, div, equal, exp, log, mul, notEqual, sqrt, square, sub, where } from "./pointwise.js";
import { max, mean, min } from "./reduce.js";

/** A reduction along axes that is made of others, and differentiated as a whole. */
abstract class AlongAxes extends Function {
  protected readonly axes: readonly number[];
  /** The result's shape with the axes kept as 1. */
  protected readonly kept: Shape;
  readonly #keepDims: boolean;

  constructor({ shape }: Variable, axes: readonly number[], keepDims: boolean) {
    super();
    this.axes = axes;
    this.kept = Object.freeze(shape.map((length, axis) => (axes.includes(axis) ? 1 : length)));
    this.#keepDims = keepDims;
  }

  override get repeatable(): boolean {
    return true;
  }

  /** What has the axes, as the result has them. */
  protected shaped(result: Variable): Variable {
    if (this.#keepDims) return result;
    return reshape(
      result,
      this.kept.filter((_, axis) => !this.axes.includes(axis)),
    );
  }
}

/** Of `variance` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements before it divides: 0, the default as in NumPy, or 1 for samples. */
  readonly correction?: number;
}

/**
 * The mean of the squared distances from the mean, of all elements or along axes: Σ(x - mean)² / (n - correction). NaN, or an
 * infinity, where that number isn't positive. Takes the memory of two arrays more on the way.
 *
 * @throws ShapeError where there is no such axis; ArgumentError where the correction is no number.
 * @example
 * variance([1, 2, 3, 4]); // 1.25
 * variance([1, 2, 3, 4], null, { correction: 1 }); // 1.6666666
 */
export function variance(x: Operand, axes?: Axes, options: VarianceOptions = {}): Variable {
  return spreadOf("variance", x, axes, options);
}

function spreadOf(name: string, x: Operand, axes: Axes | undefined, options: VarianceOptions): Variable {
  const { correction = 0, keepDims = false } = checkObject(options, `${name}'s options`);
  checkNumber(correction, -Infinity, Infinity, false, `${name}'s correction`);
  return withOperand(x, (variable) => {
    const own = checkAxes(axes, variable.shape.length, name);
    const count = sizeOf(own.map((axis) => at(variable.shape, axis)));
    const squares = square(sub(variable, mean(variable, own, { keepDims: true })));
    if (correction === 0) return mean(squares, own, { keepDims });
    return div(sum(squares, own, { keepDims }), Math.max(0, count - correction));
  });
}

/**
 * The standard deviation, the square root of the variance. Where that is 0, so is the gradient.
 *
 * @throws ShapeError where there is no such axis; ArgumentError where the correction is no number.
 * @example
 * std([[1, 3], [2, 2]], 1); // [1, 0]
 */
export function std(x: Operand, axes?: Axes, options: VarianceOptions = {}): Variable {
  const squared = spreadOf("std", x, axes, options);
  return where(equal(squared, 0), 0, sqrt(squared));
}

/** The Euclidean length: of numbers scaled by the greatest of them, so that no square leaves the range of float32. */
class Norm extends AlongAxes {
  override get name(): string {
    return "Norm";
  }

  override forward(x: GpuArray): Variable {
    const greatest = max(abs(x), this.axes, { keepDims: true });
    // An infinity, NaN and nothing but zeros are as they come.
    const scale = where(equal(sub(greatest, greatest), 0), where(equal(greatest, 0), 1, greatest), 1);
    const scaled = sqrt(sum(square(div(x, scale)), this.axes, { keepDims: true }));
    const length = mul(scaled, scale);
    return this.shaped(length);
  }

  override backward(gy: Variable): Variable {
    const [length, given] = [reshape(this.output, this.kept), reshape(gy, this.kept)];
    return where(equal(length, 0), 0, mul(given, div(this.input, length)));
  }
}

/** Of `norm`. */
export interface NormOptions extends ReduceOptions {
  /** 1 adds up the absolute values, 2, the default, is the Euclidean length, Infinity takes the greatest absolute value. */
  readonly p?: number;
}

/**
 * The length of all elements as a vector, or of those along axes, right for numbers whose squares are not in the range of float32.
 * Where it is 0, so is the gradient. Takes the memory of two arrays more on the way.
 *
 * @throws ShapeError where there is no such axis; ArgumentError for another p.
 * @example
 * norm([3, 4]); // 5
 * norm([3, -4], null, { p: 1 }); // 7
 * norm([3e30, 4e30]); // 5e30
 */
export function norm(x: Operand, axes?: Axes, options: NormOptions = {}): Variable {
  const { p = 2, keepDims = false } = checkObject(options, "norm's options");
  const variable = asOperand(x);
  const own = checkAxes(axes, variable.shape.length, "norm");
  if (p === 1) return sum(abs(variable), own, { keepDims });
  if (variable.size === 0) return sum(variable, own, { keepDims });
  if (p === Infinity) return max(abs(variable), own, { keepDims });
  if (p !== 2) throw new ArgumentError(`norm: p is 1, 2 or Infinity, not ${describe(p)}`);
  return new Norm(variable, own, keepDims).call(variable);
}

/** ln Σ eˣ, from distances to the greatest element, so that nothing overflows. */
class LogSumExp extends AlongAxes {
  override get name(): string {
    return "LogSumExp";
  }

  override forward(x: GpuArray): Variable {
    const greatest = max(x, this.axes, { keepDims: true });
    // An infinity has no distances: the sum is 0 or infinite then, and so is its logarithm.
    const from = where(equal(sub(greatest, greatest), 0), greatest, 0);
    const total = add(log(sum(exp(sub(x, from)), this.axes, { keepDims: true })), from);
    return this.shaped(total);
  }

  /** The softmax; of nothing but -Infinity 0. */
  override backward(gy: Variable): Variable {
    const [total, given] = [reshape(this.output, this.kept), reshape(gy, this.kept)];
    return mul(given, exp(sub(this.input, where(equal(total, -Infinity), 0, total))));
  }
}

/**
 * The logarithm of the sum of exponentials, of all elements or along axes: ln Σ eˣ, without overflow. Of nothing, and of nothing
 * but -Infinity, it is -Infinity. Takes the memory of two arrays more on the way.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * logSumExp([1000, 1000]); // 1000.6931
 */
export function logSumExp(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const { keepDims = false } = checkObject(options, "logSumExp's options");
  const variable = asOperand(x);
  const own = checkAxes(axes, variable.shape.length, "logSumExp");
  if (variable.size === 0) return log(sum(variable, own, { keepDims }));
  return new LogSumExp(variable, own, keepDims).call(variable);
}

/** eˣ / Σ eˣ along an axis. */
class Softmax extends Function {
  readonly #axis: number;

  constructor(axis: number) {
    super();
    this.#axis = axis;
  }

  override get name(): string {
    return "Softmax";
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(x: GpuArray): Variable {
    const powers = exp(sub(x, max(x, this.#axis, { keepDims: true })));
    return div(powers, sum(powers, this.#axis, { keepDims: true }));
  }

  override backward(gy: Variable): Variable {
    const y = this.output;
    const shares = mul(gy, y);
    return sub(shares, mul(y, sum(shares, this.#axis, { keepDims: true })));
  }
}

/**
 * Positive numbers that add up to 1 along an axis: eˣ / Σ eˣ, without overflow. Beside a NaN or an infinity all are NaN, but for
 * -Infinity, which has 0 beside other numbers. Takes the memory of two arrays more on the way.
 *
 * @param axis the last one where none is given
 * @throws ShapeError where there is no such axis.
 * @example
 * softmax([0, Math.log(3)]); // [0.25, 0.75]
 */
export function softmax(x: Operand, axis = -1): Variable {
  const variable = asOperand(x);
  const [own = 0] = checkAxes(axis, variable.shape.length, "softmax");
  return variable.size === 0 ? mul(variable, 1) : new Softmax(own).call(variable);
}

/**
 * The logarithm of the softmax, x - ln Σ eˣ along an axis, as exact where the softmax itself is 0.
 *
 * @param axis the last one where none is given
 * @throws ShapeError where there is no such axis.
 * @example
 * logSoftmax([0, 200]); // [-200, 0]
 */
export function logSoftmax(x: Operand, axis = -1): Variable {
  return withOperand(x, (variable) => {
    const [own = 0] = checkAxes(axis, variable.shape.length, "logSoftmax");
    return sub(variable, logSumExp(variable, own, { keepDims: true }));
  });
}

/**
 * 1 where some element isn't 0, else 0; of no elements 0. NaN isn't 0. It has no gradient.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * any([[0, 2], [0, 0]], 1); // [1, 0]
 */
export function any(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  return chosen(x, axes, options, max);
}

/**
 * 1 where no element is 0, else 0; of no elements 1. NaN isn't 0. It has no gradient.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * all([[1, 2], [0, 2]], 1); // [1, 0]
 */
export function all(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  return chosen(x, axes, options, min);
}

function chosen(x: Operand, axes: Axes | undefined, options: ReduceOptions, choose: typeof max): Variable {
  const variable = asOperand(x);
  return noGrad(() => {
    const isNonzero = notEqual(variable, 0);
    if (variable.size > 0) return choose(isNonzero, axes, options);
    const counts = sum(isNonzero, axes, options);
    return broadcastTo(choose === max ? 0 : 1, counts.shape);
  });
}

/**
 * How many elements aren't 0, of all or along axes; exact up to 2²⁴. NaN isn't 0. It has no gradient.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * count([0, 3, -1]); // 2
 */
export function count(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asOperand(x);
  return noGrad(() => sum(notEqual(variable, 0), axes, options));
}
