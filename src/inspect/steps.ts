/** What a graph computed, forward and backward, step by step: arrays that came from arrays. */
import { at } from "../base/assert.js";
import { NotDifferentiableError } from "../base/errors.js";
import { sameShape } from "../base/shape.js";
import { sum } from "../elementwise/broadcast.js";
import { Elementwise } from "../elementwise/elementwise.js";
import { add, mul } from "../functions/pointwise.js";
import type { GpuArray } from "../gpu/array.js";
import { ones } from "../graph/backward.js";
import { arrayOf, toList, type Function, type Result } from "../graph/function.js";
import { withGrad } from "../graph/grad-mode.js";
import { Variable } from "../graph/variable.js";
import { sortedByGeneration, visitOrder } from "../graph/walk.js";
import { FusedNode } from "../transforms/fuse/fused-program.js";

export interface Step {
  readonly kind: "function" | "gradient" | "leaf";
  readonly name: string | null;
  readonly results: readonly GpuArray[];
  readonly operands: readonly StepOperand[];
  /** Whether each element of the results depends on one of each operand, at the same place as NumPy broadcasts. */
  readonly elementwise: boolean;
  /** The steps that this one is made of, where it is a fused one. */
  readonly inside: (() => Step[]) | null;
}

export interface StepOperand {
  readonly name: string | null;
  readonly array: GpuArray;
}

/** What was computed on the way to `roots`, in order, and their leaves. */
export function forwardSteps(roots: readonly Variable[]): Step[] {
  const steps: Step[] = [];
  const leaves = new Set<Variable>();
  const addLeaf = (variable: Variable): void => {
    if (variable.creator !== null || leaves.has(variable)) return;
    leaves.add(variable);
    const { name, data } = variable;
    steps.push({ kind: "leaf", name, results: [data], operands: [], elementwise: false, inside: null });
  };
  for (const f of sortedByGeneration(roots).reverse()) {
    f.inputs.forEach(addLeaf);
    steps.push({
      kind: "function",
      name: f.name,
      results: f.outputs.map(({ data }) => data),
      operands: f.inputs.map(operandOf),
      elementwise: f instanceof Elementwise,
      inside: f instanceof FusedNode ? () => forwardSteps(unfolded(f)).filter(({ kind }) => kind !== "leaf") : null,
    });
  }
  roots.forEach(addLeaf);
  return steps;
}

/**
 * What a pass from `root` computes, in order. The arrays are kept until the steps are forgotten.
 *
 * @throws NotDifferentiableError where there is no pass from `root`; what a Function's backward throws.
 */
export function gradientSteps(root: Variable, start = root.grad ?? ones(root)): Step[] {
  if (!root.requiresGrad) throw new NotDifferentiableError(`${root.toString()} has no gradient to look at`);
  const steps: Step[] = [];
  const gradients = new Map<Variable, Variable>([[root, start]]);
  const arrive = (variable: Variable, gradient: Variable): void => {
    const before = gradients.get(variable);
    if (before === undefined) {
      gradients.set(variable, gradient);
      return;
    }
    const total = withGrad(false, () => add(before, gradient));
    gradients.set(variable, total);
    const operands = [before, gradient].map(({ data }) => ({ name: gradientName(variable), array: data }));
    const name = `sum of gradients of ${nameOf(variable) ?? "a leaf"}`;
    steps.push({ kind: "gradient", name, results: [total.array], operands, elementwise: true, inside: null });
  };
  for (const f of visitOrder(root)) {
    if (!f.outputs.some((output) => gradients.has(output))) continue;
    const given = f.outputs.map((output) => gradients.get(output) ?? mul(ones(output), 0));
    const results = backwardOf(f, given);
    steps.push(backwardStep(f, given, [...results.values()]));
    for (const [input, result] of results) arrive(at(f.inputs, input), result);
  }
  return steps;
}

/** What the backward of `f` gives, by the index of the input. */
function backwardOf(f: Function, given: readonly Variable[]): Map<number, Variable> {
  f.checkUnchanged();
  const results = toList<Result | null>(withGrad(false, () => f.backward(...given)));
  const found = new Map<number, Variable>();
  results.forEach((result, k) => {
    if (result === null || f.inputs[k]?.requiresGrad !== true) return;
    found.set(k, new Variable(arrayOf(result, `${f.name}.backward`), { requiresGrad: false }));
  });
  return found;
}

function backwardStep(f: Function, given: readonly Variable[], results: readonly Variable[]): Step {
  const { shape } = f.output;
  return {
    kind: "gradient",
    name: f.name,
    results: results.map(({ data }) => data),
    operands: [
      ...given.map(({ data }, k) => ({ name: gradientName(at(f.outputs, k)), array: data })),
      ...f.inputs.map(operandOf),
      ...f.outputs.map(operandOf),
    ],
    elementwise: f instanceof Elementwise && results.every((result) => sameShape(result.shape, shape)),
    inside: f instanceof FusedNode ? () => stepsInside(f, given) : null,
  };
}

/** The gradient of a fused function, of one function in it after the other. */
function stepsInside(f: FusedNode, given: readonly Variable[]): Step[] {
  const weighed = withGrad(true, () =>
    unfolded(f)
      .map((output, k) => ({ output, gradient: at(given, k) }))
      .filter(({ output }) => output.requiresGrad)
      .map(({ output, gradient }) => sum(mul(output, gradient))),
  );
  const [first] = weighed;
  if (first === undefined) return [];
  return gradientSteps(withGrad(true, () => weighed.slice(1).reduce((total, part) => add(total, part), first)));
}

/** The results of a fused function, computed one function after the other, from leaves of its own. */
function unfolded(f: FusedNode): readonly Variable[] {
  return withGrad(true, () =>
    f.unfold(f.inputs.map(({ data, shape, name }) => new Variable(data.reshape(shape), name === null ? {} : { name }))),
  );
}

function nameOf(variable: Variable): string | null {
  return variable.name ?? variable.creator?.name ?? null;
}

function gradientName(variable: Variable): string {
  return `gradient of ${nameOf(variable) ?? "a leaf"}`;
}

function operandOf(variable: Variable): StepOperand {
  return { name: nameOf(variable), array: variable.array };
}
