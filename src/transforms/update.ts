/** Leaves changed in place by a function of themselves: what an optimizer does. */
import { checkFunction, checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, FuseError, isGpugradError, ShapeError } from "../base/errors.js";
import { sameShape, showShape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import type { Holding } from "../gpu/holdings.js";
import { toList, tracing } from "../graph/function.js";
import { withGrad } from "../graph/grad-mode.js";
import { givingBack, sparing } from "../graph/made-here.js";
import { checkVariable, letGoOperands, withOperands, Variable, type Operand } from "../graph/variable.js";
import type { Shader } from "../gpu/shader.js";
import { groupsOf, type Group } from "./update/group.js";
import { shaderOf, run } from "./update/shaders.js";
import { traceUpdate, type TracedUpdate, type UpdateFunction } from "./update/traced.js";

/**
 * Gives leaves new numbers in place: `f` says how, from the leaves and the further operands. All are read before the
 * first is written. Where `f` is made of element-wise functions, it runs as one shader that writes the leaves and
 * allocates nothing: one dispatch for leaves of one shape that need each other. `f` is traced at each call, as `fuse`
 * does; numbers in it may change from step to step and compile nothing anew. What no shader can do in place (a reduction
 * in `f`, too many arrays, an operand that shares a leaf's memory in another order) is computed function by function,
 * for which `f` is called a second time; the results are the same, within what fusing changes (2 ULP).
 *
 * A leaf's `grad` that is only looked up to be given to update goes with the next clearGrad() or backward(), as one that
 * nobody has seen: keep() holds it.
 *
 * @throws ArgumentError where one of `leaves` was computed, is given twice or has another one's memory, or `f` doesn't give a Variable for each; ShapeError where one
 * has another shape than its leaf; FuseError inside of a fused function. Nothing has changed then.
 * @example
 * const [w, m] = [new Variable([1, 2]), new Variable([0, 0])];
 * square(w).backward();
 * update([w, m], (w, m, g) => [w.sub(m.mul(0.9).add(g).mul(0.1)), m.mul(0.9).add(g)], w.grad);
 * await w.read(); // [0.8, 1.6]
 */
export function update(
  leaves: Variable | readonly Variable[],
  f: UpdateFunction,
  ...operands: readonly (Operand | null)[]
): void {
  checkFunction(f, "what update runs");
  if (tracing.current !== null) throw new FuseError("fuse: update can't be part of a fused function");
  const targets = toList(leaves).map((leaf) => checkVariable(leaf, "what update changes"));
  for (const target of targets) target.checkLeaf("updated");
  checkApart(targets);
  const given = operands.map((operand, k) => {
    if (operand === null) throw new ArgumentError(`update: operand ${k} is null. A grad is, before backward()`);
    return operand;
  });
  withOperands(given, (others) => {
    const traced = traceOrNull(targets, f, others);
    if (traced === null || !updateInPlace(traced)) updateOneByOne(targets, f, others);
  });
  for (const operand of given) if (operand instanceof Variable) operand.wasGivenToUpdate();
}

/** @throws ArgumentError where two leaves have numbers in common: only one of two new values could stand there. */
function checkApart(targets: readonly Variable[]): void {
  for (const { array } of targets) array.own();
  const holdings = targets.map(({ array }) => array.holding);
  targets.forEach((target, k) => {
    const other = targets.findIndex((each, j) => j < k && (each === target || overlap(holdings[j], holdings[k])));
    if (other < 0) return;
    const isSame = targets[other] === target;
    throw new ArgumentError(
      `update: ${target.toString()} ${isSame ? "is given twice" : "has the memory of another leaf"}, as leaf ${other} and ` +
        `leaf ${k}: name each leaf once`,
    );
  });
}

function overlap(a: Holding | null | undefined, b: Holding | null | undefined): boolean {
  if (a?.storage === undefined || a.storage !== b?.storage) return false;
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

/** Null where `f` can't be traced: whatever is wrong with it, it fails by itself when it is called to compute. */
function traceOrNull(
  targets: readonly Variable[],
  f: UpdateFunction,
  others: readonly Variable[],
): TracedUpdate | null {
  try {
    return traceUpdate(targets, f, others);
  } catch {
    return null;
  }
}

/** Says whether shaders could do it; nothing has changed where they can't. */
function updateInPlace(traced: TracedUpdate): boolean {
  const dispatches = dispatchesOrNull(traced);
  for (const { shader, group } of dispatches ?? []) run(shader, group);
  // Data in the function has no other owner.
  for (const { group } of dispatches ?? []) letGoOperands(group.program.inputs);
  return dispatches !== null;
}

function dispatchesOrNull(traced: TracedUpdate): { shader: Shader; group: Group }[] | null {
  try {
    return groupsOf(traced).map((group) => ({ group, shader: shaderOf(group) }));
  } catch (error) {
    if (isGpugradError(error)) return null;
    throw error;
  }
}

/** Function by function, into new arrays that are copied to the leaves. */
function updateOneByOne(targets: readonly Variable[], f: UpdateFunction, others: readonly Variable[]): void {
  const compute = (): void => {
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
    const values = results.map((result, k) => valueOf(result, k, targets));
    // They can be computed again as long as no leaf has changed: so nobody needs them.
    for (const result of results) result.letGo();
    targets.forEach((target, k) => target.assign(at(values, k)));
    for (const value of values) value.release();
  };
  sparing(() => givingBack(() => withGrad(false, compute)));
}

/** A result's numbers; a copy, so that they are read before they change, where they are another leaf's. */
function valueOf({ array }: Variable, k: number, targets: readonly Variable[]): GpuArray {
  const isOf = (target: Variable, j: number): boolean => j !== k && overlap(target.array.holding, array.holding);
  if (!targets.some(isOf)) return array.share();
  const copy = GpuArray.allocate(array.device, array.shape, "update");
  copy.copyFrom(array);
  return copy;
}
