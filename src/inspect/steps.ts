/** What a graph computed, forward and backward, step by step: arrays that came from arrays. */
import { at } from "../base/assert.js";
import type { CallSite } from "../base/call-sites.js";
import type { Shape } from "../base/shape.js";
import { add } from "../functions/pointwise.js";
import type { GpuArray } from "../gpu/array.js";
import { ownedGradients, withZeros } from "../graph/backward.js";
import type { Function } from "../graph/function.js";
import { withGrad } from "../graph/grad-mode.js";
import { Variable } from "../graph/variable.js";
import { sortedByGeneration, walkBack } from "../graph/walk.js";
import { FusedNode } from "../transforms/fuse/fused-program.js";
import { groupOfGradient, groupOfOutput, viewOf } from "./dependence.js";

export interface Step {
  readonly kind: "function" | "gradient" | "leaf" | "unknown";
  readonly name: string | null;
  /** Where the user called the Function; null where that isn't kept. */
  readonly site: CallSite | null;
  readonly results: readonly StepResult[];
  readonly operands: readonly StepOperand[];
  /** What was changed in place after the step, so that nobody knows what the step was given or gave; null for nothing. */
  readonly changed: Variable | null;
  /** The steps that this one is made of, where it is a fused one whose operands are as they were. */
  readonly inside: (() => Steps) | null;
}

export interface StepResult {
  readonly array: GpuArray;
  /** Under which it broadcasts with the operands, and which of its elements depend on the same ones: see dependence.ts. */
  readonly view: Shape;
  readonly group: Shape;
}

export interface StepOperand {
  readonly name: string | null;
  readonly array: GpuArray;
  readonly view: Shape;
  /** Whether the results depend on it at all. */
  readonly isRead: boolean;
  /** Whether it was changed in place after that: its numbers aren't those that were used. */
  readonly isChanged: boolean;
}

/** In the order in which they are computed. What was computed to look at is there until `release`. */
export interface Steps {
  readonly list: readonly Step[];
  readonly release: () => void;
}

const none = (): void => undefined;

/**
 * What was computed on the way to `roots`, and their leaves.
 *
 * @param known leaves that aren't listed
 */
export function forwardSteps(roots: readonly Variable[], known: readonly Variable[] = []): Steps {
  const list: Step[] = [];
  const leaves = new Set<Variable>(known);
  const addLeaf = (variable: Variable): void => {
    if (variable.creator !== null || leaves.has(variable)) return;
    leaves.add(variable);
    list.push(leafStep(variable.name, variable));
  };
  const functions = sortedByGeneration(roots).reverse();
  // Of several outputs of a function, not all need be on the way.
  const used = new Set([...roots, ...functions.flatMap(({ inputs }) => inputs)]);
  for (const f of functions) {
    // Of one that was changed since, the numbers that were used are gone.
    f.inputs.forEach((input, k) => {
      if (!f.isChanged(k)) addLeaf(input);
    });
    const changed = changedOf(f);
    const outputs = f.outputs.filter((output) => used.has(output));
    list.push({
      kind: "function",
      name: f.name,
      site: f.site,
      results: outputs.map((output) => ({
        array: output.array,
        view: viewOf(f, output),
        group: groupOfOutput(f, output),
      })),
      operands: f.inputs.map((input, k) => operandOf(input, input.shape, true, f.isChanged(k))),
      changed,
      inside: f instanceof FusedNode && changed === null ? () => forwardInside(f, outputs) : null,
    });
  }
  roots.forEach(addLeaf);
  return { list, release: none };
}

/** The first of the inputs and outputs that isn't as it was when `f` was called. */
function changedOf(f: Function): Variable | null {
  return [...f.inputs, ...f.outputs].find((_, k) => f.isChanged(k)) ?? null;
}

/** What isn't computed here. */
function leafStep(name: string | null, variable: Variable): Step {
  const { array, computedBy } = variable;
  const { shape } = array;
  const results = [{ array, view: shape, group: shape }];
  const what = computedBy === null ? { kind: "leaf" as const, name } : { kind: "unknown" as const, name: computedBy };
  return { ...what, site: null, results, operands: [], changed: null, inside: null };
}

/**
 * What a pass computes that starts from these gradients. Those that a user has given come first, as leaves; last the sums
 * with the gradients that the leaves had before.
 *
 * @param given the Variables whose gradient came from outside
 * @throws what a Function's backward throws.
 */
export function gradientSteps(starts: ReadonlyMap<Variable, Variable>, given: readonly Variable[] = []): Steps {
  const pass = new RecordedPass();
  for (const [variable, start] of starts) {
    if (given.includes(variable)) pass.list.push(leafStep(gradientName(variable), start));
  }
  try {
    const found = new Map(starts);
    walkBack(sortedByGeneration([...starts.keys()]), found, pass, () => true);
    for (const [variable, gradient] of found) if (!starts.has(variable)) pass.addBefore(variable, gradient);
  } catch (error) {
    pass.release();
    throw error;
  }
  return pass;
}

/** Notes what a pass computes, and keeps it. */
class RecordedPass implements Steps {
  readonly list: Step[] = [];
  /** The gradients that Functions gave, and whose they are. */
  readonly #made = new Map<Variable, Variable>();
  readonly #sums: Variable[] = [];

  add(before: Variable, next: Variable): Variable {
    const total = withGrad(false, () => add(before, next));
    this.#sums.push(total);
    this.#noteSum(this.#made.get(next), total, [before, next]);
    return total;
  }

  backward(f: Function, ofOutputs: readonly (Variable | undefined)[]): readonly (Variable | null)[] {
    const given = withZeros(f, ofOutputs);
    const results = ownedGradients(f, given);
    const found = results.flatMap((gradient, k) => (gradient === null ? [] : [{ gradient, input: at(f.inputs, k) }]));
    for (const { gradient, input } of found) this.#made.set(gradient, input);
    this.list.push({
      kind: "gradient",
      name: f.name,
      site: f.site,
      results: found.map(({ gradient: { array }, input }) => ({
        array,
        view: array.shape,
        group: groupOfGradient(f, input),
      })),
      operands: [
        ...given.map(({ array }, k) => {
          const output = at(f.outputs, k);
          return { name: gradientName(output), array, view: viewOf(f, output), isRead: true, isChanged: false };
        }),
        ...f.inputs.map((input, k) => operandOf(input, input.shape, f.backwardReads(k), f.isChanged(k))),
        ...f.outputs.map((output, k) => {
          const place = f.inputs.length + k;
          return operandOf(output, viewOf(f, output), f.backwardReads(place), f.isChanged(place));
        }),
      ],
      // What backward reads is as it was, else it would have thrown.
      changed: null,
      inside: f instanceof FusedNode && changedOf(f) === null ? () => gradientInside(f, given) : null,
    });
    return results;
  }

  /** Everything is kept until `release`. */
  drop(): void {
    return;
  }

  /** The gradient that a leaf has, of which this pass's is a part. */
  addBefore(variable: Variable, gradient: Variable): void {
    const total = variable.creator === null ? variable.ownGrad() : null;
    if (total?.isGone === false) this.#noteSum(variable, total, [gradient]);
  }

  #noteSum(variable: Variable | undefined, { array }: Variable, parts: readonly Variable[]): void {
    const { shape } = array;
    const name = variable === undefined ? null : gradientName(variable);
    this.list.push({
      kind: "gradient",
      name: `sum of gradients of ${(variable && nameOf(variable)) ?? "a leaf"}`,
      site: null,
      results: [{ array, view: shape, group: shape }],
      operands: parts.map((part) => ({ name, array: part.array, view: shape, isRead: true, isChanged: false })),
      changed: null,
      inside: null,
    });
  }

  release(): void {
    for (const gradient of [...this.#sums, ...this.#made.keys()]) gradient.dispose();
  }
}

/**
 * The functions in a fused one on the way to these outputs of it, one after the other. All need gradients here, so that the
 * graph has each.
 */
function forwardInside(f: FusedNode, wanted: readonly Variable[]): Steps {
  const { leaves, outputs, release } = unfolded(f, true);
  const roots = outputs.filter((_, k) => wanted.includes(at(f.outputs, k)));
  return { list: forwardSteps(roots, leaves).list, release };
}

/** The gradient of a fused function, of one function in it after the other. */
function gradientInside(f: FusedNode, given: readonly Variable[]): Steps {
  const { outputs, release } = unfolded(f, false);
  const starts = new Map<Variable, Variable>();
  const sums: Variable[] = [];
  outputs.forEach((output, k) => {
    if (!output.requiresGrad) return;
    const before = starts.get(output);
    if (before !== undefined) sums.push(withGrad(false, () => add(before, at(given, k))));
    starts.set(output, before === undefined ? at(given, k) : at(sums, sums.length - 1));
  });
  const releaseAll = (): void => {
    for (const total of sums) total.dispose();
    release();
  };
  try {
    const pass = gradientSteps(starts);
    return {
      list: pass.list,
      release: () => {
        pass.release();
        releaseAll();
      },
    };
  } catch (error) {
    releaseAll();
    throw error;
  }
}

/**
 * The results of a fused function, computed one function after the other, from leaves of its own.
 *
 * @param isWhole whether their graph has what needs no gradient, too
 */
function unfolded(f: FusedNode, isWhole: boolean): Unfolded {
  const leaves = f.inputs.map((input) => {
    const leaf = Variable.of(input.array.share(), isWhole || input.requiresGrad);
    leaf.name = nameOf(input);
    return leaf;
  });
  const outputs = withGrad(true, () => f.unfold(leaves, isWhole));
  const release = (): void => {
    for (const variable of [...outputs, ...leaves]) variable.dispose();
  };
  return { leaves, outputs, release };
}

interface Unfolded {
  /** In the place of the fused function's inputs. */
  readonly leaves: readonly Variable[];
  readonly outputs: readonly Variable[];
  readonly release: () => void;
}

function nameOf(variable: Variable): string | null {
  return variable.name ?? variable.creator?.name ?? null;
}

function gradientName(variable: Variable): string {
  return `gradient of ${nameOf(variable) ?? "a leaf"}`;
}

function operandOf(variable: Variable, view: Shape, isRead: boolean, isChanged: boolean): StepOperand {
  return { name: nameOf(variable), array: variable.array, view, isRead, isChanged };
}
