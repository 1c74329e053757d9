/** The functions as methods of Variable: `x.mul(y)` is `mul(x, y)`. Each element-wise function is one (pointwise.ts). */
import { broadcastTo, sum, sumTo } from "../elementwise/broadcast.js";
import type { Axes, ReduceOptions } from "../elementwise/reduction.js";
import { ArgumentError } from "../base/errors.js";
import { GpuArray } from "../gpu/array.js";
import { reshape } from "../graph/reshape.js";
import { Variable, type Operand } from "../graph/variable.js";
import type { Range } from "../base/ranges.js";
import { expandDims, flatten, moveAxis, squeeze, swapAxes } from "./axes.js";
import * as pointwise from "./pointwise.js";
import { dot, linear, matmul, outer } from "./products.js";
import { max, mean, min } from "./reduce.js";
import { repeat, roll, tile, trace, tril, triu } from "./repeat.js";
import {
  all,
  any,
  count,
  logSoftmax,
  logSumExp,
  norm,
  softmax,
  std,
  variance,
  type NormOptions,
  type VarianceOptions,
} from "./statistics.js";
import { diagonal, flip, slice, split, type DiagonalOptions } from "./slice.js";
import { transpose } from "./transpose.js";

declare module "../graph/variable.js" {
  interface Variable {
    /** -x; the same as neg(x). */
    neg(): Variable;
    /** |x|; the same as abs(x). */
    abs(): Variable;
    /** -1, 0 or 1; the same as sign(x). */
    sign(): Variable;
    /** x²; the same as square(x). */
    square(): Variable;
    /** √x; the same as sqrt(x). */
    sqrt(): Variable;
    /** 1 / x; the same as reciprocal(x). */
    reciprocal(): Variable;
    /** eˣ; the same as exp(x). */
    exp(): Variable;
    /** The natural logarithm; the same as log(x). */
    log(): Variable;
    /** sin x, x in radians; the same as sin(x). */
    sin(): Variable;
    /** cos x, x in radians; the same as cos(x). */
    cos(): Variable;
    /** tan x, x in radians; the same as tan(x). */
    tan(): Variable;
    /** The hyperbolic tangent; the same as tanh(x). */
    tanh(): Variable;
    /** 1 / (1 + e⁻ˣ); the same as sigmoid(x). */
    sigmoid(): Variable;
    /** max(x, 0); the same as relu(x). */
    relu(): Variable;
    /** ln(1 + eˣ); the same as softplus(x). */
    softplus(): Variable;
    /** The error function; the same as erf(x). */
    erf(): Variable;
    // New functions of one operand: above this line.

    /** x + other; the same as add(x, other). @throws ShapeError where the shapes don't broadcast. */
    add(other: Operand): Variable;
    /** x - other; the same as sub(x, other). @throws ShapeError where the shapes don't broadcast. */
    sub(other: Operand): Variable;
    /** x times other, element by element; the same as mul(x, other). @throws ShapeError where the shapes don't broadcast. */
    mul(other: Operand): Variable;
    /** x / other; the same as div(x, other). @throws ShapeError where the shapes don't broadcast. */
    div(other: Operand): Variable;
    /** x to the power of other; the same as pow(x, other). @throws ShapeError where the shapes don't broadcast. */
    pow(other: Operand): Variable;
    /** The greater of the two; the same as maximum(x, other). @throws ShapeError where the shapes don't broadcast. */
    maximum(other: Operand): Variable;
    /** The smaller of the two; the same as minimum(x, other). @throws ShapeError where the shapes don't broadcast. */
    minimum(other: Operand): Variable;
    /** The angle of the point (other, x), in radians; the same as atan2(x, other). @throws ShapeError where the shapes don't broadcast. */
    atan2(other: Operand): Variable;
    /** 1 where x > other, else 0; the same as greater(x, other). @throws ShapeError where the shapes don't broadcast. */
    greater(other: Operand): Variable;
    /** 1 where x >= other, else 0; the same as greaterEqual(x, other). @throws ShapeError where the shapes don't broadcast. */
    greaterEqual(other: Operand): Variable;
    /** 1 where x < other, else 0; the same as less(x, other). @throws ShapeError where the shapes don't broadcast. */
    less(other: Operand): Variable;
    /** 1 where x <= other, else 0; the same as lessEqual(x, other). @throws ShapeError where the shapes don't broadcast. */
    lessEqual(other: Operand): Variable;
    /** 1 where x = other, else 0; the same as equal(x, other). @throws ShapeError where the shapes don't broadcast. */
    equal(other: Operand): Variable;
    /** 1 where the two differ, else 0; the same as notEqual(x, other). @throws ShapeError where the shapes don't broadcast. */
    notEqual(other: Operand): Variable;
    // New functions of two operands: above this line.

    /** This where the condition isn't 0, else `other`, as in PyTorch: `x.where(c, other)` is `where(c, x, other)`. */
    where(condition: Operand, other: Operand): Variable;

    /** The sum of all elements, or along axes; the same as sum(x, …). @throws ShapeError where there is no such axis. */
    sum(axes?: Axes, options?: ReduceOptions): Variable;
    /** The mean of all elements, or along axes; the same as mean(x, …). @throws ShapeError where there is no such axis. */
    mean(axes?: Axes, options?: ReduceOptions): Variable;
    /** The greatest element, or along axes; the same as max(x, …). @throws ShapeError where there is no such axis, or no element. */
    max(axes?: Axes, options?: ReduceOptions): Variable;
    /** The smallest element, or along axes; the same as min(x, …). @throws ShapeError where there is no such axis, or no element. */
    min(axes?: Axes, options?: ReduceOptions): Variable;

    /** The matrix product; the same as matmul(x, other). @throws ShapeError where the shapes don't fit. */
    matmul(other: Operand): Variable;
    /** NumPy's dot; the same as dot(x, other). @throws ShapeError where the shapes don't fit. */
    dot(other: Operand): Variable;
    /** All products of an element of this with one of other; the same as outer(x, other). */
    outer(other: Operand): Variable;
    /** x · wᵀ + b; the same as linear(x, w, b). @throws ShapeError where the shapes don't fit. */
    linear(w: Operand, b?: Operand | null): Variable;

    /** The same elements under another shape; the same as reshape(x, shape). @throws ShapeError where the shape has another size. */
    reshape(shape: readonly number[]): Variable;
    /** The axes in another order, or reversed; the same as transpose(x, axes). @throws ShapeError where `axes` doesn't name each once. */
    transpose(axes?: readonly number[]): Variable;
    /** A part; the same as slice(x, ...ranges). @throws ShapeError, ArgumentError where a range is outside, or none. */
    slice(...ranges: readonly Range[]): Variable;
    /** The order of the elements reversed; the same as flip(x, axes). @throws ShapeError where there is no such axis. */
    flip(axes?: number | readonly number[] | null): Variable;
    /** Parts side by side; the same as split(x, parts, axis). @throws ShapeError where the length can't be divided so. */
    split(parts: number | readonly number[], axis?: number): Variable[];
    /** The elements whose positions along two axes are the same; the same as diagonal(x, options). @throws ShapeError where there are no such axes. */
    diagonal(options?: DiagonalOptions): Variable;
    /** Without axes of length 1; the same as squeeze(x, axes). @throws ShapeError where a named one has another length. */
    squeeze(axes?: number | readonly number[] | null): Variable;
    /** With new axes of length 1; the same as expandDims(x, axes). @throws ShapeError where there is no such place. */
    expandDims(axes: number | readonly number[]): Variable;
    /** All elements along one axis; the same as flatten(x). */
    flatten(): Variable;
    /** One axis at another place; the same as moveAxis(x, from, to). @throws ShapeError where there is no such axis. */
    moveAxis(from: number, to: number): Variable;
    /** Two axes in each other's place; the same as swapAxes(x, one, other). @throws ShapeError where there are no such axes. */
    swapAxes(one: number, other: number): Variable;
    /** The elements moved on along an axis; the same as roll(x, shift, axis). @throws ShapeError where there is no such axis. */
    roll(shift: number, axis?: number): Variable;
    /** Each element so many times; the same as repeat(x, times, axis). @throws ShapeError where there is no such axis. */
    repeat(times: number, axis?: number): Variable;
    /** The whole so many times along each axis; the same as tile(x, times). @throws ArgumentError where a count is none. */
    tile(times: number | readonly number[]): Variable;
    /** The sum of a diagonal; the same as trace(x, options). @throws ShapeError where there are no such axes. */
    trace(options?: DiagonalOptions): Variable;
    /** The lower triangle; the same as tril(x, offset). @throws ShapeError where there are no two axes. */
    tril(offset?: number): Variable;
    /** The upper triangle; the same as triu(x, offset). @throws ShapeError where there are no two axes. */
    triu(offset?: number): Variable;
    /** The mean squared distance from the mean; the same as variance(x, axes, options). @throws ShapeError where there is no such axis. */
    variance(axes?: Axes, options?: VarianceOptions): Variable;
    /** The standard deviation; the same as std(x, axes, options). @throws ShapeError where there is no such axis. */
    std(axes?: Axes, options?: VarianceOptions): Variable;
    /** The length as a vector; the same as norm(x, axes, options). @throws ShapeError where there is no such axis. */
    norm(axes?: Axes, options?: NormOptions): Variable;
    /** ln Σ eˣ; the same as logSumExp(x, axes, options). @throws ShapeError where there is no such axis. */
    logSumExp(axes?: Axes, options?: ReduceOptions): Variable;
    /** eˣ / Σ eˣ along an axis; the same as softmax(x, axis). @throws ShapeError where there is no such axis. */
    softmax(axis?: number): Variable;
    /** The logarithm of the softmax; the same as logSoftmax(x, axis). @throws ShapeError where there is no such axis. */
    logSoftmax(axis?: number): Variable;
    /** 1 where some element isn't 0; the same as any(x, axes, options). @throws ShapeError where there is no such axis. */
    any(axes?: Axes, options?: ReduceOptions): Variable;
    /** 1 where no element is 0; the same as all(x, axes, options). @throws ShapeError where there is no such axis. */
    all(axes?: Axes, options?: ReduceOptions): Variable;
    /** How many elements aren't 0; the same as count(x, axes, options). @throws ShapeError where there is no such axis. */
    count(axes?: Axes, options?: ReduceOptions): Variable;
    /** Repeated until it has this shape; the same as broadcastTo(x, shape). @throws ShapeError where NumPy's rule doesn't allow it. */
    broadcastTo(shape: readonly number[]): Variable;
    /** The inverse of broadcastTo; the same as sumTo(x, shape). @throws ShapeError where `shape` doesn't broadcast to this one's. */
    sumTo(shape: readonly number[]): Variable;
  }
}

const { Square: _Square, Exp: _Exp, where, ...elementwise } = pointwise;

const methods: Record<string, (x: Variable, ...rest: never[]) => Variable | Variable[]> = {
  ...elementwise,
  where: (x: Variable, condition: Operand, other: Operand) => where(condition, x, other),
  sum,
  mean,
  max,
  min,
  matmul,
  dot,
  outer,
  linear,
  reshape,
  transpose,
  slice,
  flip,
  split,
  diagonal,
  squeeze,
  expandDims,
  flatten,
  moveAxis,
  swapAxes,
  roll,
  repeat,
  tile,
  trace,
  tril,
  triu,
  variance,
  std,
  norm,
  logSumExp,
  softmax,
  logSoftmax,
  any,
  all,
  count,
  broadcastTo,
  sumTo,
};

for (const [name, f] of Object.entries(methods)) {
  if (!(name in GpuArray.prototype)) {
    Object.defineProperty(GpuArray.prototype, name, {
      value(): never {
        throw new ArgumentError(
          `${name} is a method of Variables, and this is a GpuArray, as forward gets: write ${name}(x, …)`,
        );
      },
      writable: true,
      configurable: true,
    });
  }
  Object.defineProperty(Variable.prototype, name, {
    value(this: Variable, ...rest: never[]): Variable | Variable[] {
      return f(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
