/** Finds which Function made a NaN or an infinity of finite numbers. */
import { checkObject, checkOption } from "../base/arguments.js";
import type { CallSite } from "../base/call-sites.js";
import { ModifiedError, NotDifferentiableError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { max, min } from "../functions/reduce.js";
import type { GpuArray } from "../gpu/array.js";
import { ones } from "../graph/backward.js";
import { withGrad } from "../graph/grad-mode.js";
import { checkVariable, Variable } from "../graph/variable.js";
import { indexIn, placeIn, reducedAxes, reducedTo } from "./dependence.js";
import { whatIsMade } from "./made.js";
import { pick, type Scan } from "./scan.js";
import { forwardSteps, gradientSteps, type Step, type StepOperand, type StepResult, type Steps } from "./steps.js";

/** Of `findNonFinite`. */
export interface NonFiniteOptions {
  /** True: also the gradients of a pass from `y`, which is run again for that. Default false. */
  readonly gradients?: boolean;
}

/** An operand of what made a NaN or an infinity. */
export interface NonFiniteOperand {
  /** The Variable's name, or the name of the Function that made it; null for a leaf without a name. */
  readonly name: string | null;
  /** Its length along each axis. */
  readonly shape: Shape;
  /** What stood where the result's element was computed; null where the Function takes more than one element for it. */
  readonly value: number | null;
  /**
   * Where there is no one value, the least and the greatest of those that it takes: a row for a reduction, what was added
   * up for the gradient of an operand that was broadcast, the whole operand for a Function of one's own. Both are null
   * for an operand that was changed in place since, or has no element.
   */
  readonly range: readonly [least: number, greatest: number] | null;
}

/** Where a NaN or an infinity came from. */
export interface NonFinite {
  /**
   * "function": a Function's result, where what it depends on is finite. "gradient": what its backward gave of a gradient
   * and operands that are finite there, or a sum of gradients. "leaf": data that no Function of the graph made, so that it
   * was not finite from the start, or a gradient that a pass was given to start from. "unknown": what the Function of that
   * name computed without a graph (by noGrad, of data that needs no gradient), of which no more is known.
   */
  readonly kind: "function" | "gradient" | "leaf" | "unknown";
  /** The Function's name; the Variable's for a leaf, null where it has none. */
  readonly name: string | null;
  /** The shape of the result, or of the gradient. */
  readonly shape: Shape;
  /** The place of the first element concerned, one number for each axis. */
  readonly index: readonly number[];
  /** What stands there: NaN, Infinity or -Infinity. */
  readonly value: number;
  /** How many elements are concerned. */
  readonly count: number;
  /**
   * Where the Function was called, such as `step (http://localhost/main.js:12:5)`; of one in a fused function, where that was.
   * Null for a leaf, for a sum of gradients, and without `init({ debug: true })` before the call.
   */
  readonly calledAt: string | null;
  /** For a gradient, the gradients of the Function's results, its operands, and its results. */
  readonly operands: readonly NonFiniteOperand[];
}

/**
 * The Functions on the way to `y` whose result has a NaN or an infinity where their operands have none, in the order in
 * which they were computed; null where there are none. An element counts as made where all is finite that it depends on,
 * whatever is beside it: the same place for an element-wise function (as NumPy broadcasts), a row for a reduction, the whole
 * for a Function of one's own that is neither. Functions inside a fused one are told apart, as where nothing is fused.
 * Leaves that aren't finite themselves are listed as such. Only a few numbers of each array are read back.
 *
 * With `gradients`, also the backward of which Function made one: a backward pass from `y` (from its `grad`, where it has
 * one) runs again and changes no `grad`. So are gradients that overflow only as they are added, over several uses or, in a
 * leaf's `grad`, over several passes.
 *
 * Call it before leaves are changed. Of what was changed since, the numbers that were used are gone: such a leaf is not
 * listed, and no fused function that used it is looked into.
 *
 * @throws ModifiedError, naming the Function, where the first result that isn't finite can't be explained since an operand
 * was changed in place after it was used; ReleasedError where something on the way was disposed; DeviceLostError; what a pass throws.
 * @example
 * const [origin] = (await findNonFinite(log(new Variable([1, 0])).mul(2))) ?? [];
 * console.log(origin.name); // "Log"
 * console.log(origin.index); // [1]
 * console.log(origin.operands[0].value); // 0
 */
export async function findNonFinite(y: Variable, options: NonFiniteOptions = {}): Promise<NonFinite[] | null> {
  checkVariable(y, "what findNonFinite looks at");
  const { gradients = false } = checkObject(options, "findNonFinite's options");
  checkOption(gradients, "boolean", "gradients");
  const runs = [forwardSteps([y]), ...(gradients ? [passFrom(y)] : [])];
  try {
    const found: NonFinite[] = [];
    for (const run of runs) found.push(...((await originsOf(run)) ?? []));
    return found.length === 0 ? null : found;
  } finally {
    for (const run of runs) run.release();
  }
}

function passFrom(y: Variable): Steps {
  if (!y.requiresGrad) throw new NotDifferentiableError(`${y.toString()} has no gradient to look at`);
  const given = y.ownGrad();
  return gradientSteps(new Map([[y, given ?? ones(y)]]), given === null ? [] : [y]);
}

/** What the steps made of finite operands that isn't finite, and the leaves that aren't; null where all is finite. */
async function originsOf({ list }: Steps, fused: CallSite | null = null): Promise<NonFinite[] | null> {
  const { made, isFinite } = await whatIsMade(list);
  const found: NonFinite[] = [];
  for (const step of list) {
    const inside = step.inside === null ? null : await originsInside(step.inside(), fused ?? step.site);
    found.push(...(inside ?? []));
    // Where the fused shader and its parts round apart, the parts may all be finite: then the whole is named.
    if (inside !== null) continue;
    for (const result of step.results) {
      const scan = made.get(result);
      if (scan === undefined) continue;
      if (step.changed === null) found.push(await describe(step, result, scan, fused ?? step.site));
      // What comes before is certain, and this may follow from it.
      else if (found.length === 0) throw changedError(step, step.changed);
    }
  }
  return isFinite && found.length === 0 ? null : found;
}

function changedError({ name }: Step, changed: Variable): ModifiedError {
  return new ModifiedError(
    `findNonFinite: the result of ${name ?? "a Function"} isn't finite, but whether its operands were can't be told: ` +
      `${changed.toString()} was changed in place after ${name ?? "it"} used it. Call findNonFinite before assign(), ` +
      "descend() or update()",
  );
}

async function originsInside(steps: Steps, fused: CallSite | null): Promise<NonFinite[] | null> {
  try {
    return await originsOf(steps, fused);
  } finally {
    steps.release();
  }
}

async function describe(
  step: Step,
  result: StepResult,
  { first, count }: Scan,
  site: CallSite | null,
): Promise<NonFinite> {
  const { kind, name, operands } = step;
  const { array } = result;
  const { shape } = array;
  const [[value = NaN], described] = await Promise.all([
    pick([{ array, index: first }]),
    Promise.all(operands.map((operand) => describeOperand(operand, result, first))),
  ]);
  return {
    kind,
    name,
    shape,
    index: indexIn(shape, first),
    value,
    count,
    calledAt: site?.line ?? null,
    operands: described,
  };
}

/** @param place that of the result's element */
async function describeOperand(
  { name, array, view, isChanged }: StepOperand,
  result: StepResult,
  place: number,
): Promise<NonFiniteOperand> {
  const { shape } = array;
  if (array.size === 0 || isChanged) return { name, shape, value: null, range: null };
  const axes = reducedAxes(result.group, view);
  const index = placeIn(reducedTo(result.group, view), place, result.view);
  if (axes.length === 0) {
    const [value = NaN] = await pick([{ array, index }]);
    return { name, shape, value, range: null };
  }
  const [least = NaN, greatest = NaN] = await rangeOf(array.reshape(view), axes, index);
  return { name, shape, value: null, range: [least, greatest] };
}

/** The least and the greatest along these axes, at a place among the results. */
async function rangeOf(array: GpuArray, axes: readonly number[], index: number): Promise<number[]> {
  using x = Variable.of(array);
  const both = withGrad(false, () => [min(x, axes), max(x, axes)]);
  try {
    return await pick(both.map((extremum) => ({ array: extremum.array, index })));
  } finally {
    for (const extremum of both) extremum.dispose();
  }
}
