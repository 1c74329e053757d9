/** Reductions beside the sum: mean, max and min, of all elements or along axes. */
import { sum } from "../elementwise/broadcast.js";
import { Reduction, type Axes, type ReduceOptions } from "../elementwise/reduction.js";
import { reshape } from "../graph/reshape.js";
import { asVariable, type Operand, type Variable } from "../graph/variable.js";
import { div, equal, mul } from "./pointwise.js";

class Extremum extends Reduction {
  /** The elements that equal the result share its gradient. */
  override backward(gy: Variable): Variable {
    const chosen = equal(this.input, reshape(this.output, this.kept));
    const count = sum(chosen, this.axes, { keepDims: true });
    return mul(chosen, div(reshape(gy, this.kept), count));
  }
}

/** The mean of all elements, or along axes: their sum divided by their number. Of no elements it is NaN. */
export function mean(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  const total = sum(variable, axes, options);
  return div(total, variable.size / total.size || 0);
}

/**
 * The greatest element of all, or along axes; NaN where one is NaN. Equal ones share the gradient, as in PyTorch's amax.
 *
 * @throws ShapeError where there is no such axis, or no element.
 */
export function max(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  return new Extremum("Max", variable, axes, options).call(variable);
}

/** The smallest element; as max in all else. */
export function min(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  return new Extremum("Min", variable, axes, options).call(variable);
}
