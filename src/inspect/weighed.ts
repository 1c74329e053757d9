/** A function called on copies of its arguments, so that the sum of its values, weighed, can go backward. */
import { withGrad } from "../graph/grad-mode.js";
import { Variable } from "../graph/variable.js";
import type { Differentiable } from "../transforms/grad.js";

/** The arguments, which share the memory of the leaves, and the result: its gradient is the weights, where it needs one. */
export function weighed(
  f: Differentiable,
  leaves: readonly Variable[],
  weights: Float32Array,
): { readonly args: readonly Variable[]; readonly y: Variable } {
  const args = leaves.map((leaf) => Variable.of(leaf.array.share(), true));
  const y = withGrad(true, () => f(...args));
  if (y.requiresGrad) y.grad = new Variable(weights, { shape: y.shape, requiresGrad: false });
  return { args, y };
}
