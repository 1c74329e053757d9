/** Leaves changed in place by a function of themselves: what an optimizer does. */
import { checkFunction, checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, ShapeError } from "../base/errors.js";
import { sameShape, showShape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { toList } from "./function.js";
import { withGrad } from "./grad-mode.js";
import { asOperand, checkVariable, type Operand, type Variable } from "./variable.js";

/**
 * Gives leaves new numbers in place: `f` computes them, without a graph, from the leaves and the further operands. All are
 * computed before the first is written. What is computed on the way is given back, so a loop allocates nothing.
 *
 * @throws ArgumentError where one of `leaves` was computed, or `f` doesn't give a Variable for each; ShapeError where one
 * has another shape than its leaf. Nothing has changed then.
 * @example
 * const [w, m] = [new Variable([1, 2]), new Variable([0, 0])];
 * square(w).backward();
 * update([w, m], (w, m, g) => [w.sub(m.mul(0.9).add(g).mul(0.1)), m.mul(0.9).add(g)], w.grad);
 * await w.read(); // [0.8, 1.6]
 */
export function update(
  leaves: Variable | readonly Variable[],
  f: (...args: Variable[]) => Variable | readonly Variable[],
  ...operands: readonly (Operand | null)[]
): void {
  checkFunction(f, "what update runs");
  const targets = toList(leaves).map((leaf) => checkVariable(leaf, "what update changes"));
  for (const target of targets) target.checkLeaf("updated");
  const others = operands.map((operand, k) => {
    if (operand === null) throw new ArgumentError(`update: operand ${k} is null. A grad is, before backward()`);
    return asOperand(operand);
  });
  withGrad(false, () => {
    const results = checkList<Variable>(toList(f(...targets, ...others)), "what update's function gives");
    if (results.length !== targets.length) {
      throw new ArgumentError(`update's function must give ${targets.length} Variables, gave ${results.length}`);
    }
    results.forEach((result, k) => {
      const { shape } = checkVariable(result, "what update's function gives");
      if (sameShape(shape, at(targets, k).shape)) return;
      throw new ShapeError(
        `update: ${showShape(shape)} can't take the place of ${at(targets, k).toString()}: it needs the same shape`,
      );
    });
    // A leaf among the results is copied, so that it is read before it changes.
    const values = results.map((result, k) => {
      if (result === targets[k] || !targets.includes(result)) return result.array;
      return copyOf(result);
    });
    targets.forEach((target, k) => target.assign(at(values, k)));
    values.forEach((value, k) => {
      if (value !== results[k]?.array) value.release();
    });
    for (const result of results) result.letGo();
  });
}

function copyOf({ array }: Variable): GpuArray {
  const copy = GpuArray.allocate(array.device, array.shape, "update");
  copy.copyFrom(array);
  return copy;
}
