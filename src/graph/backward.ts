/** Reverse-mode differentiation: the order in which Functions are visited, and how gradients add up. */
import { checkObject, checkOption } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, NotDifferentiableError, ShapeError } from "../base/errors.js";
import { arrayOf, OnceDifferentiable, toList, type Function, type Result } from "./function.js";
import { withGrad } from "./grad-mode.js";
import { GpuArray } from "../gpu/array.js";
import { sameShape, showShape } from "../base/shape.js";
import { Variable } from "./variable.js";
import { visitOrder } from "./walk.js";

export interface BackwardOptions {
  /** False: only leaves get a `grad`; the gradients of Variables on the way are released as soon as used. Default true. */
  readonly retainGrad?: boolean;
  /** True: the gradients have a graph of their own and can be differentiated again. Default false. */
  readonly createGraph?: boolean;
}

/**
 * One pass from `root`, which starts from `root.grad` or from ones. Only when all of it has worked is `grad` written:
 * added to a leaf's, set on an intermediate's.
 */
export function backward(root: Variable, options: BackwardOptions): void {
  const { retainGrad = true, createGraph = false } = checkObject(options, "backward's options");
  checkOption(retainGrad, "boolean", "retainGrad");
  checkOption(createGraph, "boolean", "createGraph");
  const start = root.ownGrad() ?? ones(root);
  const found = propagate(root, start, { createGraph, keep: () => retainGrad });
  addToLeaves(found, root, createGraph);
  for (const [variable, gradient] of found) {
    if (variable !== root) variable.receiveGrad(gradient);
    else if (root.ownGrad() === null && (retainGrad || root.creator === null)) root.receiveGrad(gradient);
  }
}

/** Puts in the place of a leaf's new gradient its sum with the one before, for all leaves or, where that fails, none. */
function addToLeaves(found: Map<Variable, Variable>, root: Variable, createGraph: boolean): void {
  try {
    for (const [variable, gradient] of found) {
      const before = variable === root || variable.creator !== null ? null : variable.ownGrad();
      if (before === null) continue;
      const total = withGrad(createGraph, () => before.add(gradient));
      found.set(variable, total);
      if (!createGraph) gradient.data.release();
    }
  } catch (error) {
    for (const [variable, gradient] of found) if (!createGraph && variable !== root) gradient.dispose();
    throw error;
  }
}

/** What a pass starts from where nothing else is set: a constant, which takes no memory. */
export function ones(root: Variable): Variable {
  return new Variable(GpuArray.constant(1, root.shape, root.data.device), { requiresGrad: false });
}

interface PassOptions {
  readonly createGraph: boolean;
  /** Whether the gradient of a Variable that is no leaf is still wanted once it was used. */
  readonly keep: (variable: Variable) => boolean;
  /** The Variables whose gradients are wanted: nothing else is visited. All leaves, where none are named. */
  readonly targets?: ReadonlySet<Variable>;
}

/**
 * The gradients of `root` with respect to the Variables that led to it. Each Function's backward runs once, after all
 * gradients of its outputs have arrived. Without `createGraph` the gradients belong to whoever called this.
 *
 * @throws NotDifferentiableError where `root` needs no gradient; what a Function's backward throws. The gradients that
 * were there already are released then.
 */
export function propagate(
  root: Variable,
  start: Variable,
  { createGraph, keep, targets }: PassOptions,
): Map<Variable, Variable> {
  if (!root.requiresGrad) {
    throw new NotDifferentiableError(
      `${root.toString()} has no gradient: it was made without a graph (by noGrad, detach, a comparison, or from inputs ` +
        "with requiresGrad: false)",
    );
  }
  const gradients = new Map<Variable, Variable>([[root, start]]);
  const release = (gradient: Variable): void => {
    // With a graph, other gradients may have been made from this one.
    if (!createGraph && gradient !== start) gradient.data.release();
  };
  // Of the Function whose backward ran last.
  let results: readonly (Variable | typeof noGradient)[] = [];
  try {
    for (const f of visitOrder(root, targets)) {
      if (!f.outputs.some((output) => gradients.has(output))) continue;
      results = gradientsOfInputs(f, gradients, createGraph);
      f.inputs.forEach((input, index) => {
        const result = at(results, index);
        if (result === noGradient) return;
        const before = gradients.get(input);
        if (before === undefined) {
          gradients.set(input, result);
          return;
        }
        gradients.set(
          input,
          withGrad(createGraph, () => before.add(result)),
        );
        release(before);
        release(result);
      });
      for (const output of f.outputs) {
        const used = gradients.get(output);
        if (used !== undefined && output !== root && !keep(output)) {
          gradients.delete(output);
          release(used);
        }
      }
    }
    if (!createGraph) separate(start, gradients);
  } catch (error) {
    for (const gradient of [...gradients.values(), ...results]) {
      // Some of the results may have been released already: dispose doesn't mind.
      if (gradient !== noGradient && gradient !== start && !createGraph) gradient.dispose();
    }
    throw error;
  }
  return gradients;
}

/** Sees that no gradient has the memory of another one, or of `start`: somebody may change one in place. */
function separate(start: Variable, gradients: ReadonlyMap<Variable, Variable>): void {
  const taken = new Set([start.data.memory]);
  for (const { data } of gradients.values()) {
    if (data === start.data) continue;
    if (taken.has(data.memory)) data.separate();
    taken.add(data.memory);
  }
}

/** Stands where an input needs no gradient. */
const noGradient = Symbol("no gradient");

/** Calls one Function's backward: a gradient for each input. */
function gradientsOfInputs(
  f: Function,
  gradients: ReadonlyMap<Variable, Variable>,
  createGraph: boolean,
): (Variable | typeof noGradient)[] {
  const given = f.outputs.map(
    (output) =>
      gradients.get(output) ??
      new Variable(GpuArray.constant(0, output.shape, output.data.device), { requiresGrad: false }),
  );
  f.checkUnchanged();
  const results = toList<Result | null>(withGrad(createGraph, () => f.backward(...given)));
  if (results.length !== f.inputs.length) {
    throw new ArgumentError(
      `${f.name}.backward must give one gradient for each of its ${f.inputs.length} inputs, gave ${results.length}`,
    );
  }
  const taken = createGraph ? new Set([...given, ...f.inputs, ...f.outputs]) : null;
  const connected = createGraph ? connect(f, given, results) : results;
  return f.inputs.map((input, index) => {
    const result: Result | null | undefined = connected[index];
    if (result === null || !input.requiresGrad) return noGradient;
    const data = arrayOf(result, `${f.name}.backward`);
    if (!sameShape(data.shape, input.shape)) {
      throw new ShapeError(
        `${f.name}.backward gave a gradient of shape ${showShape(data.shape)} for input ${index}, which has shape ${showShape(input.shape)}`,
      );
    }
    if (taken !== null && result instanceof Variable) {
      // The same Variable in two places would be released with either of them.
      const own = taken.has(result) ? result.reshape(result.shape) : result;
      taken.add(result);
      return own;
    }
    // A share of its own, since what backward gave may be somebody else's: its own argument, or something saved.
    return new Variable(f.givesFreshGradients ? data : data.reshape(data.shape), { requiresGrad: false });
  });
}

/**
 * Gradients that came from a kernel alone are arrays, with no way to differentiate them. They get a creator that says
 * so when somebody tries.
 */
function connect(f: Function, given: readonly Variable[], results: readonly (Result | null)[]): (Result | null)[] {
  const arrays = results.filter((result) => result instanceof GpuArray);
  if (arrays.length === 0) return [...results];
  const node = new OnceDifferentiable(f.name, arrays);
  node.call(...f.inputs, ...given);
  const outputs = [...node.outputs];
  return results.map((result) => (result instanceof GpuArray ? (outputs.shift() ?? null) : result));
}
