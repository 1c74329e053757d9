/** The function that gradCheck checks at the next order: the gradient of the one before. */
import { at } from "../base/assert.js";
import { randomNumbers } from "../base/random.js";
import { sameShape } from "../base/shape.js";
import { sum } from "../elementwise/broadcast.js";
import { add, mul, where } from "../functions/pointwise.js";
import { gradEnabled, withGrad } from "../graph/grad-mode.js";
import { Variable } from "../graph/variable.js";
import { grad, type Differentiable } from "../transforms/grad.js";
import { isMarked, type Marks } from "./undefined-elements.js";

/**
 * All first derivatives, from a gradient that is the last argument, weighed and added. They
 * are summed only where their shapes differ, since what is element-wise takes far fewer values to check. Those by the
 * gradients that were given count an eighth: they are derivatives of a lower order, which must not hide this one. Those by
 * undefined elements don't count at all, so that a sum has a value without them.
 *
 * @param marks of each argument
 */
export function weighedGradient(
  f: Differentiable,
  marks: readonly Marks[],
  given: number,
  seed: number,
): Differentiable {
  const count = marks.length - 1;
  const slopes = grad((...args) => sum(mul(f(...args.slice(0, count)), at(args, count))), {
    argnums: Array.from({ length: count }, (_, index) => index),
  });
  return (...args) => {
    // Under noGrad only the value is wanted, but it must come from the path that is checked.
    const tracked = gradEnabled() ? args : args.map((arg) => Variable.of(arg.array.share(), true));
    return withGrad(true, () => {
      const weighed = slopes(...tracked).map((slope, index) => {
        const constant = (numbers: Float32Array): Variable =>
          new Variable(numbers, { shape: slope.shape, requiresGrad: false });
        const weights = randomNumbers(slope.size, seed + index);
        if (index >= given) weights.forEach((weight, i) => (weights[i] = weight / 8));
        const product = mul(slope, constant(weights));
        const marked = at(marks, index);
        return isMarked(marked) ? where(constant(marked), 0, product) : product;
      });
      const alike = weighed.every(({ shape }) => sameShape(shape, at(weighed, 0).shape));
      return (alike ? weighed : weighed.map((part) => sum(part))).reduce((total, part) => add(total, part));
    });
  };
}
