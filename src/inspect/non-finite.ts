/** Finds which Function made a NaN or an infinity of finite numbers. */
import { checkObject, checkOption } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { broadcastStrides, stridesOf, type Shape } from "../base/shape.js";
import { max, min } from "../functions/reduce.js";
import type { GpuArray } from "../gpu/array.js";
import { noGrad } from "../graph/no-grad.js";
import { checkVariable, Variable } from "../graph/variable.js";
import { pick, scan, unexplained, type Scan } from "./scan.js";
import { forwardSteps, gradientSteps, type Step, type StepOperand } from "./steps.js";

export interface NonFiniteOptions {
  /** True: also the gradients of a pass from `y`, which is run again for that. Default false. */
  readonly gradients?: boolean;
}

/** An operand of what made a NaN or an infinity. */
export interface NonFiniteOperand {
  /** The Variable's name, or the name of the Function that made it; null for a leaf without a name. */
  readonly name: string | null;
  readonly shape: Shape;
  /** What stood where the result's element was computed; null where the Function takes more than one element for it. */
  readonly value: number | null;
  /** The least and the greatest element of the whole operand, where there is no one value. */
  readonly range: readonly [least: number, greatest: number] | null;
}

/** Where a NaN or an infinity came from. */
export interface NonFinite {
  /**
   * "function": a Function's result, whose operands are finite. "gradient": what its backward gave, from a gradient and
   * operands that are finite. "leaf": data that no Function of the graph made, so that it was not finite from the start.
   */
  readonly kind: "function" | "gradient" | "leaf";
  /** The Function's name; the Variable's for a leaf, null where it has none. */
  readonly name: string | null;
  /** The shape of the result, or of the gradient. */
  readonly shape: Shape;
  /** The place of the first element concerned, one number for each axis. */
  readonly index: readonly number[];
  readonly value: number;
  /** How many elements are concerned. */
  readonly count: number;
  /** For a gradient, those of the Function, its results, and the gradients of these. */
  readonly operands: readonly NonFiniteOperand[];
}

/**
 * The Functions on the way to `y` whose result has a NaN or an infinity where their operands have none, in the order in
 * which they were computed; null where there are none. Built-in functions, a user's own and those inside a fused function
 * are told apart. Leaves that aren't finite themselves are listed as such. Only a few numbers of each array are read back.
 *
 * With `gradients`, also the backward of which Function made one: a backward pass from `y` (from its `grad`, where it has
 * one) runs again and changes no `grad`. Call it before the leaves are changed.
 *
 * @throws ReleasedError where something on the way was disposed; DeviceLostError; what a pass throws.
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
  const found = await originsOf(forwardSteps([y]));
  if (gradients) found.push(...(await originsOf(gradientSteps(y))));
  return found.length === 0 ? null : found;
}

/** What the steps made of finite operands that isn't finite, and the leaves that aren't. */
async function originsOf(steps: readonly Step[]): Promise<NonFinite[]> {
  const arrays = new Set(steps.flatMap(({ results, operands }) => [...results, ...operands.map(({ array }) => array)]));
  const scans = await scan([...arrays]);
  const known = new Map([...arrays].map((array, k) => [array, at(scans, k)]));
  const found: NonFinite[] = [];
  for (const step of steps) {
    const origins: NonFinite[] = [];
    for (const result of step.results) {
      const made = await madeHere(step, result, known);
      if (made.count > 0) origins.push(await describe(step, result, made));
    }
    // Where the fused shader and its parts round apart, these may all be finite: then the whole is named.
    const inside = origins.length > 0 && step.inside !== null ? await originsOf(step.inside()) : [];
    found.push(...(inside.length > 0 ? inside : origins));
  }
  return found;
}

/** What isn't finite of a result, and isn't so because of an operand. */
async function madeHere(step: Step, result: GpuArray, known: ReadonlyMap<GpuArray, Scan>): Promise<Scan> {
  const none = { count: 0, first: 0 };
  const whole = known.get(result) ?? none;
  if (whole.count === 0) return none;
  const explaining = step.operands.filter(({ array }) => (known.get(array)?.count ?? 0) > 0);
  if (explaining.length === 0) return whole;
  if (!step.elementwise) return none;
  const rest = noGrad(() =>
    explaining.reduce<Variable>(
      (left, { array }) => unexplained(left, new Variable(array, { requiresGrad: false })),
      new Variable(result, { requiresGrad: false }),
    ),
  );
  const [made = none] = await scan([rest.data]);
  rest.data.release();
  return made;
}

async function describe(step: Step, result: GpuArray, { first, count }: Scan): Promise<NonFinite> {
  const { kind, name, operands, elementwise } = step;
  const { shape } = result;
  const index = stridesOf(shape).map((stride, axis) => Math.floor(first / stride) % at(shape, axis));
  const indexIn = (array: GpuArray): number =>
    broadcastStrides(array.shape, shape).reduce((total, stride, axis) => total + stride * at(index, axis), 0);
  const hasOne = ({ array }: StepOperand): boolean => elementwise || array.size === 1;
  const [value = NaN, ...values] = await pick([
    { array: result, index: first },
    ...operands.filter(hasOne).map(({ array }) => ({ array, index: elementwise ? indexIn(array) : 0 })),
  ]);
  const described = operands.map(async (operand): Promise<NonFiniteOperand> => {
    const { shape } = operand.array;
    if (!hasOne(operand)) return { name: operand.name, shape, value: null, range: await rangeOf(operand.array) };
    return { name: operand.name, shape, value: values.shift() ?? NaN, range: null };
  });
  return { kind, name, shape, index, value, count, operands: await Promise.all(described) };
}

async function rangeOf(array: GpuArray): Promise<readonly [number, number] | null> {
  if (array.size === 0) return null;
  const x = new Variable(array, { requiresGrad: false });
  const [least, greatest] = noGrad(() => [min(x), max(x)] as const);
  return Promise.all([least.item(), greatest.item()]);
}
