/** The order in which a graph is walked, and the walk back along it: iterative, so that a deep graph needs no deep stack. */
import { at } from "../base/assert.js";

// What a walk must know of Functions and Variables. It imports neither: both are made of it.

interface Node<V> {
  readonly inputs: readonly V[];
  readonly outputs: readonly V[];
  readonly generation: number;
}

interface Made<V> {
  readonly creator: Node<V> | null;
}

type NodeOf<V extends Made<V>> = NonNullable<V["creator"]>;

/** The Functions that lead to `roots`, each once, every one before those that made its inputs. */
export function sortedByGeneration<V extends Made<V>>(roots: readonly V[], targets?: ReadonlySet<V>): NodeOf<V>[] {
  const seen = new Set<NodeOf<V>>();
  const waiting = [...roots];
  for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
    const creator: NodeOf<V> | null = variable.creator;
    if (creator === null || seen.has(creator) || targets?.has(variable) === true) continue;
    seen.add(creator);
    for (const input of creator.inputs) waiting.push(input);
  }
  return [...seen].sort((a, b) => b.generation - a.generation);
}

/** The same for one root; with targets, only those that lead from a target. */
export function visitOrder<V extends Made<V>>(root: V, targets?: ReadonlySet<V>): NodeOf<V>[] {
  const order = sortedByGeneration([root], targets);
  if (targets === undefined) return order;
  const leading = new Set<Node<V>>();
  for (const f of [...order].reverse()) {
    const leads = f.inputs.some(
      (input) => targets.has(input) || (input.creator !== null && leading.has(input.creator)),
    );
    if (leads) leading.add(f);
  }
  return order.filter((f) => leading.has(f));
}

/** What gradients of one kind are: arrays that a pass owns, Variables with a graph of their own, or lines of WGSL. */
export interface GradientKind<V, F, G> {
  /** The sum of two gradients of one Variable, which takes their place. */
  add(before: G, next: G): G;
  /**
   * From the gradients of f's outputs (undefined where none arrived) to those of its inputs, null where one needs none.
   *
   * @param arrived what has come so far, at each Variable; where an input's gradient was added to that in place, null is given
   */
  backward(f: F, ofOutputs: readonly (G | undefined)[], arrived: ReadonlyMap<V, G>): readonly (G | null)[];
  /** What happens to a gradient that the walk needs no more. It may be dropped twice. */
  drop(gradient: G): void;
}

/**
 * Reverse accumulation, all of it: calls the backward of each Function of `order` to which a gradient came, once all have
 * come, and adds up what arrives at each Variable. `found` has the gradients to start from, and at the end those of
 * all Variables that `keep` names. Where something throws, all gradients are dropped.
 */
export function walkBack<V, F extends Node<V>, G>(
  order: readonly F[],
  found: Map<V, G>,
  kind: GradientKind<V, F, G>,
  keep: (variable: V) => boolean,
): void {
  // Of the Function whose backward ran last.
  let results: readonly (G | null)[] = [];
  try {
    for (const f of order) {
      const ofOutputs = f.outputs.map((output) => found.get(output));
      if (ofOutputs.every((gradient) => gradient === undefined)) continue;
      results = kind.backward(f, ofOutputs, found);
      f.inputs.forEach((input, k) => {
        const next = at(results, k);
        if (next === null) return;
        const before = found.get(input);
        found.set(input, before === undefined ? next : kind.add(before, next));
      });
      f.outputs.forEach((output, k) => {
        const used = ofOutputs[k];
        if (used === undefined || keep(output)) return;
        found.delete(output);
        kind.drop(used);
      });
    }
  } catch (error) {
    for (const gradient of [...found.values(), ...results]) if (gradient !== null) kind.drop(gradient);
    throw error;
  }
}
