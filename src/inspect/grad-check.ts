/** Compares gradients with differences of values: the check that a hand-written backward needs. */
import { at } from "../base/assert.js";
import { checkFunction, checkList, checkNumber, checkObject } from "../base/arguments.js";
import { ArgumentError, GradCheckError, UndecidedError } from "../base/errors.js";
import { randomNumbers } from "../base/random.js";
import { sizeOf, type Shape } from "../base/shape.js";
import type { Differentiable } from "../transforms/grad.js";
import type { Function } from "../graph/function.js";
import { withGrad } from "../graph/grad-mode.js";
import { noGrad } from "../graph/no-grad.js";
import { asVariable, checkVariable, Variable, type Operand } from "../graph/variable.js";
import { sortedByGeneration } from "../graph/walk.js";
import { isPointwise, linesThrough } from "./directions.js";
import { hiddenRounding } from "./hidden-rounding.js";
import { judgeLines, type Finding } from "./lines.js";
import type { Evaluate } from "./samples.js";
import { bothMarks, dependingOn, marksOfNonFinite, withoutMarked, type Marks } from "./undefined-elements.js";
import { weighed } from "./weighed.js";
import { weighedGradient } from "./weighed-gradient.js";

/** Of `gradCheck`. */
export interface GradCheckOptions {
  /** How often to differentiate: 1 checks the gradient, 2 (the default) also the gradient's gradient. */
  readonly order?: number;
  /**
   * The largest relative difference; what the values' rounding may do to the difference is allowed for besides. An error
   * of twice as much is found. Default 0.00025, and 2^-11 more where the driver's sine, arc sine or the like is called: the
   * language allows them to be that far off.
   */
  readonly tolerance?: number;
  /** The largest distance to step to each side, relative to max(1, |x|). Steps become smaller as needed. Default 0.125. */
  readonly step?: number;
  /** Up to this size an input is checked along each element, above along random directions. Default 64. */
  readonly maxElements?: number;
  /** The number of random directions for a large input. Default 4. */
  readonly directions?: number;
  /** Of the random weights and directions. Default 1. */
  readonly seed?: number;
}

/** Which derivative: the order, the input and its element, as in a GradCheckMismatch. */
export interface GradCheckPlace {
  /** 1 for a gradient, 2 for the gradient's gradient, and so on. */
  readonly order: number;
  /** Which input, counted from 0. */
  readonly input: number;
  /** Null for a random direction. */
  readonly element: number | null;
}

/** Where a function has another slope on the left than on the right, or jumps. */
export interface GradCheckKink extends GradCheckPlace {
  /** The slope on the left; NaN where the values don't tell. */
  readonly left: number;
  /** The slope on the right; NaN where the values don't tell. */
  readonly right: number;
}

/** What `gradCheck` gives where no gradient is wrong. */
export interface GradCheckReport {
  /** Derivatives that were compared. */
  readonly checked: number;
  /** The largest difference, relative to the larger of the two numbers and what rounding allows besides. */
  readonly largestError: number;
  /** Where there is no one slope: a gradient passes that is one of both sides' slopes, or between them. */
  readonly kinks: readonly GradCheckKink[];
  /**
   * Where values in float32 can't tell an error of twice the tolerance: they are too large or too noisy beside the slope,
   * or oscillate within the steps. The gradient is no further off than they can tell. And where the element or a value that
   * depends on it is NaN or infinite, of which nothing can be told: random directions leave such elements out, each is here.
   */
  readonly undecided: readonly GradCheckPlace[];
}

/**
 * Checks the gradients of `f` at `inputs` against differences of its values, with steps as small as each element needs,
 * and that the two ways to a gradient agree: the backward shaders, and the derivatives with a graph. From the second
 * order on, the gradient that a backward was given is one more input, behind the others: a backward must be right as a
 * function of that, too. A wrong gradient rejects; kinks, and what float32 can't decide, are in the report.
 *
 * An error of 0.1 % of a derivative, twice the tolerance, is found to order 3 where the function's values have the digits for it
 * (test/inspect/grad-check-orders.test.ts); where they have lost them (a ray that touches, sin(1000 x)) it may take 1 %.
 * Where a function oscillates faster than the steps resolve, sin(50 x) at 1700, nothing is decided. At order
 * 2 and more, derivatives by several inputs are checked as one weighed sum, so an error shows by its share in that. A slope so small
 * that the values don't move by 2 ULP counts as 0.
 *
 * @throws GradCheckError, which names the input, the element (or direction) and both numbers; UndecidedError where of an
 * order no derivative by `inputs` could be decided; ArgumentError where there is nothing to compare; what `f` throws.
 * @example
 * await gradCheck((x) => square(exp(x)), [new Variable([0.1, -0.4])]);
 * const { kinks } = await gradCheck((x) => x.abs(), [[-1, 0]], { order: 1 });
 * console.log(kinks.length); // 1
 */
export async function gradCheck(
  f: Differentiable,
  inputs: readonly Operand[],
  options: GradCheckOptions = {},
): Promise<GradCheckReport> {
  checkFunction(f, "what gradCheck checks");
  const settings = checkOptions(options);
  const values = await Promise.all(
    checkList<Operand>(inputs, "gradCheck's inputs").map(async (input) => {
      const variable = asVariable(input);
      const numbers = await variable.read();
      return { shape: variable.shape, numbers, marks: marksOfNonFinite(numbers) };
    }),
  );
  const given = values.length;
  if (given === 0)
    throw new ArgumentError("gradCheck has nothing to check: give the function's inputs, as in gradCheck(f, [x])");
  const report = { checked: 0, largestError: 0, kinks: [], undecided: [] };
  let current: Differentiable = (...args) => checkVariable(f(...args), "what gradCheck's function gives");
  for (let order = 1; order <= settings.order; order++) {
    const { shape, marks } = await checkOrder(current, values, settings, { order, given, report });
    const seed = settings.seed + order;
    values.push({ shape, numbers: randomNumbers(sizeOf(shape), 1000 * seed - 1), marks });
    current = weighedGradient(
      current,
      values.map((value) => value.marks),
      given,
      seed,
    );
  }
  if (report.checked === 0 && values.some(({ numbers }) => numbers.length > 0)) {
    throw new ArgumentError("gradCheck compared nothing: give at least 1 of directions, or more of maxElements");
  }
  return report;
}

/** The options with their defaults. @throws ArgumentError for numbers that make no sense. */
function checkOptions(options: GradCheckOptions): Required<GradCheckOptions> {
  const {
    order = 2,
    tolerance = 0.00025,
    step = 0.125,
    maxElements = 64,
    directions = 4,
    seed = 1,
  } = checkObject(options, "gradCheck's options");
  return {
    order: checkNumber(order, 1, 10, true, "gradCheck: order"),
    tolerance: checkNumber(tolerance, 0, Infinity, false, "gradCheck: tolerance"),
    step: checkNumber(step, Number.MIN_VALUE, Number.MAX_VALUE, false, "gradCheck: step"),
    maxElements: checkNumber(maxElements, 0, Infinity, false, "gradCheck: maxElements"),
    directions: checkNumber(directions, 0, 10_000, true, "gradCheck: directions"),
    seed: checkNumber(seed, -Infinity, Infinity, false, "gradCheck: seed"),
  };
}

interface Values {
  readonly shape: Shape;
  readonly numbers: Float32Array;
  /** Where it is undefined, as far as the orders before have shown. */
  marks: Marks;
}

/** What is being checked, and what was found so far. */
interface Progress {
  readonly order: number;
  /** How many of the inputs are the user's; the others are gradients that a backward is given. */
  readonly given: number;
  readonly report: {
    checked: number;
    largestError: number;
    readonly kinks: GradCheckKink[];
    readonly undecided: GradCheckPlace[];
  };
}

/** Checks the gradients of `f` by each input; gives its result's shape, and where that isn't finite. @throws as gradCheck does. */
async function checkOrder(
  f: Differentiable,
  values: readonly Values[],
  { tolerance, step, maxElements, directions, seed }: Required<GradCheckOptions>,
  progress: Progress,
): Promise<Pick<Values, "shape" | "marks">> {
  const leaves = values.map(({ shape, numbers }) => new Variable(numbers, { shape }));
  const y = withGrad(true, () => f(...leaves));
  const weights = randomNumbers(y.size, seed);
  const allowed = tolerance + inaccuracyOf(y);
  const gradients = await gradientsOf(f, leaves, weights, false);
  const withGraph = await gradientsOf(f, leaves, weights, true);
  let found: Promise<Float64Array> | null = null;
  const hidden = (): Promise<Float64Array> => (found ??= hiddenRounding(f, leaves, withoutMarked(weights, nonFinite)));
  const atInputs = await noGrad(() => f(...leaves)).read();
  const nonFinite = marksOfNonFinite(atInputs);
  const marked = await dependingOn(nonFinite, y, leaves);
  const verdicts: Finding["verdict"][] = [];
  for (const [input, value] of values.entries()) {
    const { numbers } = value;
    const all = at(gradients, input);
    value.marks = bothMarks(value.marks, at(marked, input));
    compareWays(all, at(withGraph, input), value.marks, allowed, input, progress);
    // What stands where it is undefined must not hide what is beside it.
    const gradient = withoutMarked(all, value.marks);
    const findings = await judgeLines(
      {
        numbers,
        gradient,
        values: atInputs,
        weights,
        hidden,
        pointwise: isPointwise(y, at(leaves, input)),
        evaluate: evaluator(leaves, input, (args) => noGrad(() => f(...args))),
        gradients: evaluator(leaves, input, (args) => slopeAt(f, args, input, weights)),
      },
      linesThrough(gradient, value.marks, maxElements, directions, seed + input),
      allowed,
      step,
    );
    findings.push(...undecidedAt(value.marks, all));
    for (const finding of findings) take(finding, input, progress);
    if (input < progress.given) verdicts.push(...findings.map(({ verdict }) => verdict));
  }
  if (verdicts.length > 0 && verdicts.every((verdict) => verdict === "undecided")) throw nothingDecided(progress.order);
  return { shape: y.shape, marks: nonFinite };
}

/** What differences say nothing of. */
function undecidedAt(marks: Marks, gradient: Float32Array): Finding[] {
  const nothing = { verdict: "undecided", difference: NaN, relative: NaN, isSharp: false, kink: null } as const;
  return Array.from(marks).flatMap((mark, element) =>
    mark === 0 ? [] : [{ ...nothing, element, gradient: at(gradient, element) }],
  );
}

function nothingDecided(order: number): UndecidedError {
  return new UndecidedError(
    `gradCheck: float32 can't tell whether any derivative ${order} is right: the values are too large or too noisy beside the slopes, oscillate within the steps, or aren't finite. Choose other inputs, or a larger tolerance.`,
  );
}

/** WGSL's own sine and the like: the language allows them 2^-11 (WGSL, Accuracy of Built-in Functions). */
const inaccurate = /(?<![\w.])(a?sin|a?cos|tan|atan2?)\s*\(/;

/** How far off the slope of a function may be because of the functions of WGSL that it calls. */
function inaccuracyOf(y: Variable): number {
  const calls = ({ wgsl }: Function): boolean => wgsl !== null && inaccurate.test(wgsl.replace(/\/\/.*/g, ""));
  return sortedByGeneration([y]).some(calls) ? 2 ** -11 : 0;
}

/** Adds a finding to the report. @throws GradCheckError where it is a wrong gradient. */
function take(finding: Finding, input: number, progress: Progress): void {
  const { verdict, element, gradient, difference, relative, kink } = finding;
  const { order, report } = progress;
  if (verdict === "wrong") {
    const where = element === null ? "a random direction" : `element ${element}`;
    throw new GradCheckError(
      `gradCheck: derivative ${order} by ${nameOf(input, progress)}, ${where}: the gradient is ${gradient}, differences give ${difference}`,
      { input, element, gradient, difference },
    );
  }
  report.checked++;
  if (verdict === "undecided") report.undecided.push({ order, input, element });
  else report.largestError = Math.max(report.largestError, relative);
  if (kink !== null) report.kinks.push({ order, input, element, ...kink });
}

function nameOf(input: number, { given }: Progress): string {
  return input < given ? `input ${input}` : `input ${input} (the gradient given to derivative ${input - given + 1})`;
}

/** Bytes of the points that are evaluated at a time. */
const mostBytes = 2 ** 26;

/** Evaluates what is made of arguments where one of them is replaced; many points are recorded, then read together. */
function evaluator(
  leaves: readonly Variable[],
  changed: number,
  make: (args: readonly Variable[]) => Variable,
): Evaluate {
  return async (points) => {
    const results: Float32Array[] = [];
    const atATime = Math.max(1, Math.floor(mostBytes / (1 + at(points, 0).byteLength)));
    for (let first = 0; first < points.length; first += atATime) {
      const values = points
        .slice(first, first + atATime)
        .map((numbers) =>
          make(leaves.map((leaf, k) => (k === changed ? new Variable(numbers, { shape: leaf.shape }) : leaf))),
        );
      results.push(...(await Promise.all(values.map((value) => value.read()))));
    }
    return results;
  };
}

/** The gradient of Σ weight · f by one of its arguments. */
function slopeAt(f: Differentiable, point: readonly Variable[], input: number, weights: Float32Array): Variable {
  const { args, y } = weighed(f, point, weights);
  if (y.requiresGrad) y.backward({ retainGrad: false });
  return at(args, input).grad ?? new Variable(new Float32Array(at(args, input).size));
}

/** @throws GradCheckError where the backward shaders and the derivatives with a graph disagree. */
function compareWays(
  fast: Float32Array,
  graph: Float32Array,
  marks: Marks,
  tolerance: number,
  input: number,
  progress: Progress,
): void {
  const isKnown = (value: number, element: number): boolean => at(marks, element) === 0 && Number.isFinite(value);
  const scale = fast.reduce((most, value, i) => (isKnown(value, i) ? Math.max(most, Math.abs(value)) : most), 0);
  fast.forEach((value, element) => {
    // One that isn't finite is judged by differences.
    if (!isKnown(value, element)) return;
    const other = at(graph, element);
    const allowed = tolerance * Math.max(Math.abs(value), Math.abs(other)) + scale * 1e-6;
    if (!Number.isFinite(other) || Math.abs(value - other) > allowed) {
      throw new GradCheckError(
        `gradCheck: derivative ${progress.order} by ${nameOf(input, progress)}, element ${element}: backward's shader gives ${value}, its derivative ${other}`,
        { input, element, gradient: value, difference: other },
      );
    }
  });
}

/** The gradients of Σ weight · f, by each leaf; with `createGraph` on the differentiable path. */
async function gradientsOf(
  f: Differentiable,
  leaves: readonly Variable[],
  weights: Float32Array,
  createGraph: boolean,
): Promise<Float32Array[]> {
  const { args, y } = weighed(f, leaves, weights);
  if (!y.requiresGrad) return args.map(({ size }) => new Float32Array(size));
  y.backward({ createGraph, retainGrad: false });
  return Promise.all(args.map(({ grad, size }) => grad?.read() ?? Promise.resolve(new Float32Array(size))));
}
