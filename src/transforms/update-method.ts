/** `x.update(f, …)`: the function as a method of Variable. */
import { Variable, type Operand } from "../graph/variable.js";
import { update } from "./update.js";

declare module "../graph/variable.js" {
  interface Variable {
    /**
     * A leaf's new numbers, in place, in one dispatch that allocates nothing, and without a graph. See the function
     * `update`.
     *
     * @example
     * const w = new Variable([1, 2]);
     * square(w).backward();
     * w.update((w, g) => w.sub(g.mul(0.25)), w.grad);
     * await w.read(); // [0.5, 1]
     */
    update(f: (...args: Variable[]) => Variable, ...operands: readonly (Operand | null)[]): Variable;
  }
}

Object.defineProperty(Variable.prototype, "update", {
  value(this: Variable, f: (...args: Variable[]) => Variable, ...operands: readonly (Operand | null)[]): Variable {
    update(this, f, ...operands);
    return this;
  },
  writable: true,
  configurable: true,
});
