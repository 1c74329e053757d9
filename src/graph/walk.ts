/** The order in which a graph is walked: iterative, so that a deep graph needs no deep stack. */
import type { Function } from "./function.js";
import type { Variable } from "./variable.js";

/** The Functions that lead to `roots`, each once, every one before those that made its inputs. */
export function sortedByGeneration(roots: readonly Variable[], targets?: ReadonlySet<Variable>): Function[] {
  const seen = new Set<Function>();
  const waiting = [...roots];
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    const { creator } = variable;
    if (creator === null || seen.has(creator) || targets?.has(variable) === true) continue;
    seen.add(creator);
    for (const input of creator.inputs) waiting.push(input);
  }
  return [...seen].sort((a, b) => b.generation - a.generation);
}

/** The same for one root; with targets, only those that lead from a target. */
export function visitOrder(root: Variable, targets?: ReadonlySet<Variable>): Function[] {
  const order = sortedByGeneration([root], targets);
  if (targets === undefined) return order;
  const leading = new Set<Function>();
  for (const f of [...order].reverse()) {
    const leads = f.inputs.some(
      (input) => targets.has(input) || (input.creator !== null && leading.has(input.creator)),
    );
    if (leads) leading.add(f);
  }
  return order.filter((f) => leading.has(f));
}
