/**
 * Float64 numbers that may remember what they were made of. Without a Node among its operands a function gives a plain
 * number: then the interpreter computes values only. With one, the gradient is found by going the way back.
 */

/** A number that depends on an input whose gradient is wanted. */
export class Node {
  static #count = 0;
  /** What comes later has a larger one. */
  readonly id = Node.#count++;
  readonly value: number;
  readonly parents: readonly Node[];
  readonly partials: readonly number[];

  constructor(value: number, parents: readonly Node[] = [], partials: readonly number[] = []) {
    this.value = value;
    this.parents = parents;
    this.partials = partials;
  }
}

export type Float = number | Node;

/** A function of numbers with its partial derivatives, one for each operand. */
export interface Rule {
  readonly value: (...xs: number[]) => number;
  /** @param y the function's value there */
  readonly partials: (xs: readonly number[], y: number) => readonly number[];
}

export function numberOf(x: Float): number {
  return typeof x === "number" ? x : x.value;
}

export function apply({ value, partials }: Rule, ...operands: readonly Float[]): Float {
  if (areNumbers(operands)) return value(...operands);
  const xs = operands.map(numberOf);
  const y = value(...xs);
  const all = partials(xs, y);
  return new Node(
    y,
    operands.filter((x) => typeof x !== "number"),
    all.filter((_, k) => typeof operands[k] !== "number"),
  );
}

function areNumbers(operands: readonly Float[]): operands is readonly number[] {
  return operands.every((x) => typeof x === "number");
}

/** The derivative of `result` by each of the inputs. A zero is a strong one: nothing behind it counts, not even Inf. */
export function gradientOf(result: Float, inputs: readonly Node[]): number[] {
  if (typeof result === "number") return inputs.map(() => 0);
  const adjoints = new Map<Node, number>([[result, 1]]);
  for (const node of waysBack(result)) {
    const adjoint = adjoints.get(node) ?? 0;
    node.parents.forEach((parent, k) => {
      const partial = node.partials[k]!;
      const term = adjoint === 0 || partial === 0 ? 0 : adjoint * partial;
      adjoints.set(parent, (adjoints.get(parent) ?? 0) + term);
    });
  }
  return inputs.map((input) => adjoints.get(input) ?? 0);
}

/** All that the result was made of, the latest first. */
function waysBack(result: Node): Node[] {
  const found = new Set([result]);
  for (const node of found) for (const parent of node.parents) found.add(parent);
  return [...found].sort((a, b) => b.id - a.id);
}
