/**
 * Reverse-mode differentiation: what a pass starts from, the two kinds of gradients that it may carry, and where they end.
 *
 * One thing is needed from above and can't be imported: how two gradients are added. functions/ says it as it is loaded
 * (`addGradientsWith`).
 */
import { checkObject, checkOption } from "../base/arguments.js";
import { inBackwardOf } from "../base/call-sites.js";
import { ArgumentError, FuseError, NotDifferentiableError, ShapeError } from "../base/errors.js";
import {
  arrayOf,
  Identity,
  OnceDifferentiable,
  toList,
  tracing,
  type Function,
  type Result,
  letGoIfAlone,
} from "./function.js";
import { withGrad } from "./grad-mode.js";
import { GpuArray } from "../gpu/array.js";
import { sameShape, showShape } from "../base/shape.js";
import { Variable } from "./variable.js";
import { visitOrder, walkBack, type GradientKind } from "./walk.js";

type Add = (a: Variable, b: Variable) => Variable;

let addGradients: Add = () => {
  throw new Error("gpugrad bug: nobody said how gradients are added");
};

/** @internal */
export function addGradientsWith(add: Add): void {
  addGradients = add;
}

/** Of `y.backward()`. */
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
  if (tracing.current !== null) {
    throw new FuseError("fuse: backward() can't be part of a fused function: call it on what the fused function gives");
  }
  const { retainGrad = true, createGraph = false } = checkObject(options, "backward's options");
  checkOption(retainGrad, "boolean", "retainGrad");
  checkOption(createGraph, "boolean", "createGraph");
  const start = root.ownGrad() ?? ones(root);
  const found = propagate(root, start, { createGraph, keep: () => retainGrad });
  addToLeaves(found, root, createGraph);
  for (const [variable, gradient] of found) {
    if (gradient !== start) gradient.becomeGradient(createGraph);
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
      const total = withGrad(createGraph, () => addGradients(before, gradient));
      found.set(variable, total);
      if (!createGraph) gradient.discard();
    }
  } catch (error) {
    for (const [variable, gradient] of found) if (!createGraph && variable !== root) gradient.discard();
    throw error;
  }
}

/** What a pass starts from where nothing else is set: a constant, which takes no memory. */
export function ones(root: Variable): Variable {
  return Variable.of(GpuArray.constant(1, root.shape, root.device));
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
    const f = root.notDifferentiable;
    throw new NotDifferentiableError(
      f === null
        ? `${root.toString()} has no gradient: it was made without a graph (by noGrad, detach or from inputs with requiresGrad: false)`
        : `${root.toString()} has no gradient: ${f}, which gave it, has none`,
    );
  }
  const found = new Map<Variable, Variable>([[root, start]]);
  const kind = createGraph ? recorded : owned(start);
  walkBack(visitOrder(root, targets), found, kind, (variable) => variable === root || keep(variable));
  // What arrived at a Variable that nobody has asked about.
  for (const [variable, gradient] of found) {
    if (targets === undefined || variable === root || targets.has(variable)) continue;
    found.delete(variable);
    kind.drop(gradient);
  }
  if (createGraph) return found;
  try {
    separate(start, found);
  } catch (error) {
    for (const gradient of found.values()) kind.drop(gradient);
    throw error;
  }
  return found;
}

/** Gradients with a graph of their own: one from which others were made goes with these. */
const recorded: GradientKind<Variable, Function, Variable> = {
  add: (before, next) => withGrad(true, () => addGradients(before, next)),
  backward: recordedGradients,
  drop: (gradient) => {
    gradient.letGo();
  },
};

/** Gradients without a graph: each is the pass's own, but for the one that it starts from. */
function owned(start: Variable): GradientKind<Variable, Function, Variable> {
  const drop = (gradient: Variable): void => {
    if (gradient !== start) gradient.discard();
  };
  const add = (before: Variable, next: Variable): Variable => {
    const total = withGrad(false, () => addGradients(before, next));
    drop(before);
    drop(next);
    return total;
  };
  const backward = (
    f: Function,
    ofOutputs: Gradients,
    arrived: ReadonlyMap<Variable, Variable>,
  ): readonly (Variable | null)[] =>
    addedInPlace(f, ofOutputs, arrived, start) ? f.inputs.map(() => null) : ownedGradients(f, ofOutputs);
  return { add, backward, drop };
}

/**
 * Whether a Function of one input added its gradient to the one that is there: one that writes to a few places of a large array
 * needn't make an array of zeros for them.
 */
function addedInPlace(
  f: Function,
  [gy]: Gradients,
  arrived: ReadonlyMap<Variable, Variable>,
  start: Variable,
): boolean {
  if (f.addGradient === null || gy === undefined) return false;
  const before = arrived.get(f.input);
  if (before === undefined || before === start) return false;
  const { array } = before;
  const { holding } = array;
  // Nobody else must see the change.
  if (holding === null || (holding.storage.isShared && !holding.isCopyOnWrite)) return false;
  f.checkUnchanged();
  array.beforeChange();
  f.addGradient(gy.array, array);
  return true;
}

/** Sees that no gradient has the memory of another one, or of `start`: somebody may change one in place. */
function separate(start: Variable, gradients: ReadonlyMap<Variable, Variable>): void {
  const taken = new Set([start.array.memory]);
  for (const { array } of gradients.values()) {
    if (array === start.array) continue;
    if (taken.has(array.memory)) array.separate();
    taken.add(array.memory);
  }
}

type Gradients = readonly (Variable | undefined)[];

/**
 * One Function's backward, without a graph. Each gradient gets a share of its own: what backward gave may be somebody else's.
 *
 * @internal
 */
export function ownedGradients(f: Function, ofOutputs: Gradients): (Variable | null)[] {
  const made = GpuArray.made;
  const given = withZeros(f, ofOutputs);
  const results = callBackward(f, given, false);
  const taken = new Set<GpuArray>();
  const gradients = f.inputs.map((input, index) => {
    const data = gradientFor(f, input, index, results);
    if (data === null) return null;
    const result = results[index];
    // One that was passed on is the pass's own, as before.
    if (given.includes(result as Variable)) return Variable.of(data.share().copyOnWrite());
    if (!f.givesFreshGradients) return f.takeOver(result, "backward", made, taken);
    return Variable.of(result instanceof Variable ? data.share() : data);
  });
  if (f.givesFreshGradients) discardMade(results, made);
  return gradients;
}

/** Each gradient has a share of its own: what nobody else keeps goes with what was computed on the way to it. */
function discardMade(results: readonly (Result | null)[], made: number): void {
  for (const result of results) {
    if (result instanceof Variable && result.numbers.serial > made) result.discard();
  }
}

/** One Function's backward, recorded. No Variable stands in two places, since it would be released with either of them. */
function recordedGradients(f: Function, ofOutputs: Gradients): (Variable | null)[] {
  const given = withZeros(f, ofOutputs);
  const made = GpuArray.made;
  const results = connect(f, given, callBackward(f, given, true));
  const taken = new Set([...given, ...f.inputs, ...f.outputs]);
  return f.inputs.map((input, index) => {
    const result = results[index];
    const isWanted = gradientFor(f, input, index, results) !== null;
    if (!(result instanceof Variable)) return null;
    if (!isWanted) {
      letGoIfAlone(result, results, taken);
      return null;
    }
    // What was there before is somebody's.
    if (taken.has(result) || result.numbers.serial <= made) return withGrad(true, () => new Identity().call(result));
    taken.add(result);
    return result;
  });
}

/** The gradients of f's outputs: 0 where none arrived. @internal */
export function withZeros(f: Function, ofOutputs: Gradients): Variable[] {
  return f.outputs.map(({ shape, device }, k) => ofOutputs[k] ?? Variable.of(GpuArray.constant(0, shape, device)));
}

function callBackward(f: Function, given: readonly Variable[], createGraph: boolean): readonly (Result | null)[] {
  f.checkUnchanged();
  const results = toList<Result | null>(
    createGraph
      ? inBackwardOf(f.site, () => withGrad(true, () => f.backward(...given)))
      : f.backwardWithoutGraph(given),
  );
  if (results.length === f.inputs.length) return results;
  throw new ArgumentError(
    `${f.name}.backward must give one gradient for each of its ${f.inputs.length} inputs, gave ${results.length}`,
  );
}

/** What backward gave for an input, as an array; null where it needs no gradient. @throws ArgumentError, ShapeError. */
function gradientFor(
  f: Function,
  input: Variable,
  index: number,
  results: readonly (Result | null)[],
): GpuArray | null {
  const result = results[index];
  if (result === null || !input.requiresGrad) return null;
  const data = arrayOf(result, `${f.name}.backward`);
  if (sameShape(data.shape, input.shape)) return data;
  throw new ShapeError(
    `${f.name}.backward gave a gradient of shape ${showShape(data.shape)} for input ${index}, which has shape ${showShape(input.shape)}`,
  );
}

/**
 * Gradients that came from a kernel alone are arrays, with no way to differentiate them. They get a creator that says
 * so when somebody tries.
 */
function connect(
  f: Function,
  given: readonly Variable[],
  results: readonly (Result | null)[],
): readonly (Result | null)[] {
  const arrays = results.filter((result) => result instanceof GpuArray);
  if (arrays.length === 0) return results;
  const node = new OnceDifferentiable(f.backwardName, arrays);
  node.call(...f.inputs, ...given);
  const outputs = [...node.outputs];
  return results.map((result) => (result instanceof GpuArray ? (outputs.shift() ?? null) : result));
}
