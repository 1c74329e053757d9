/** Compares a function's values along lines through its inputs with its gradient. */
import { at } from "../base/assert.js";
import { judge, type Judgement } from "../base/judgement.js";
import { isMoving, slopesOf, type Rise, type Sample } from "../base/slopes.js";
import type { Line } from "./directions.js";

/** Gives the values of the function where one input is replaced by these numbers, for each of the points. */
export type Evaluate = (points: readonly Float32Array[]) => Promise<readonly Float32Array[]>;

/** What is compared: one input, the gradient by it, and the function's values. */
export interface Subject {
  readonly numbers: Float32Array;
  readonly gradient: Float32Array;
  /** The function's values at the inputs themselves, and what each counts in the sum whose gradient this is. */
  readonly values: Float32Array;
  readonly weights: Float32Array;
  /** How far off each may be, weighed, by what is rounded on the way to it: it is asked for what looks wrong. */
  readonly hidden: () => Promise<Float64Array>;
  /** Each value depends on the element at its own place alone. */
  readonly pointwise: boolean;
  readonly evaluate: Evaluate;
}

export interface Finding extends Judgement {
  readonly element: number | null;
  readonly gradient: number;
}

/** Samples in the order in which they are taken, by the halvings of the step: first large ones, then as small as it takes. */
const rounds = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8, 9],
  [10, 11, 12, 13, 14],
];

const smallestStep = 2 ** -Math.max(...rounds.flat());

/** A line that is being judged. */
interface Trial {
  readonly line: Line;
  readonly gradient: number;
  /** Steps that halve from the first. */
  readonly series: Sample[][];
  /** The largest step. */
  readonly firstReach: number;
  /** The largest step of the last series. */
  reach: number;
  judgement: Judgement | null;
}

/** Parts of the step with which a wrong gradient is measured again: their halvings meet none of the whole step's. */
const otherSteps = [0.7, 0.85];

/** Judges the gradient along every line, up to the first where it is wrong. */
export async function judgeLines(
  subject: Subject,
  lines: readonly Line[],
  tolerance: number,
  step: number,
): Promise<Finding[]> {
  const together = subject.pointwise && lines.length > 1;
  const findings: Finding[] = [];
  for (const trial of await judgeTrials(subject, lines, tolerance, step, together)) {
    const { line, gradient } = trial;
    const first = await carefully(subject, trial, tolerance);
    const judgement = first?.verdict === "wrong" ? await measureAgain(subject, trial, tolerance, step) : first;
    if (judgement !== null) findings.push({ ...judgement, element: line.element, gradient });
    if (judgement?.verdict === "wrong") break;
  }
  return findings;
}

/**
 * Judges once more what was judged wrong. An estimate is the best of many, so that now and then, where values are noisy,
 * it is further off than it looks: wrong is what a second or third one, with other steps and moving alone, calls wrong too.
 */
async function measureAgain(
  subject: Subject,
  { line }: Trial,
  tolerance: number,
  step: number,
): Promise<Judgement | null> {
  let judgement: Judgement | null = null;
  for (const part of otherSteps) {
    const [again] = await judgeTrials(subject, [line], tolerance, part * step, false);
    judgement = again === undefined ? null : await carefully(subject, again, tolerance);
    if (judgement?.verdict === "wrong") break;
  }
  return judgement;
}

async function judgeTrials(
  subject: Subject,
  lines: readonly Line[],
  tolerance: number,
  step: number,
  together: boolean,
): Promise<Trial[]> {
  const trials = lines.map((line): Trial => {
    const gradient = line.direction.reduce((total, d, i) => (d === 0 ? total : total + d * at(subject.gradient, i)), 0);
    const reach = step * (line.element === null ? 1 : Math.max(1, Math.abs(at(subject.numbers, line.element))));
    return { line, gradient, series: [[]], firstReach: reach, reach, judgement: null };
  });
  const isOpen = ({ judgement }: Trial): boolean =>
    judgement?.verdict !== "right" || judgement.kink !== null || !judgement.isSharp;
  // First with steps in proportion to 1 or x, then, near 0, in proportion to x, or at 0 on from the smallest.
  for (const near of [false, true]) {
    const open = trials.filter((trial) => isOpen(trial) && (!near || approach(subject, trial)));
    for (const halvings of rounds) {
      const sampled = open.filter(isOpen);
      if (sampled.length > 0) await sampleRound(subject, sampled, halvings, together);
      for (const trial of sampled) trial.judgement = judgeTrial(subject, trial, tolerance);
    }
  }
  return trials;
}

/** Begins a second series of steps, for an element so small that those before were coarse beside it. */
function approach({ numbers }: Subject, trial: Trial): boolean {
  const { element } = trial.line;
  if (element === null) return false;
  const x = Math.abs(at(numbers, element));
  if (x > trial.reach / 8) return false;
  trial.reach = x === 0 ? trial.reach * smallestStep : x / 8;
  trial.series.push([]);
  return true;
}

async function sampleRound(
  subject: Subject,
  trials: readonly Trial[],
  halvings: readonly number[],
  together: boolean,
): Promise<void> {
  const sides = halvings.flatMap((k) => [2 ** -k, -(2 ** -k)]);
  const points = together
    ? sides.map((side) => pointAt(subject, trials, side))
    : trials.flatMap((trial) => sides.map((side) => pointAt(subject, [trial], side)));
  const results = await subject.evaluate(points);
  trials.forEach((trial, t) => {
    const first = together ? 0 : t * sides.length;
    const rises = sides.map((side, s) =>
      rise(subject, trial, side, at(points, first + s), at(results, first + s), together),
    );
    const samples = at(trial.series, trial.series.length - 1);
    halvings.forEach((_, k) => {
      const [right, left] = [at(rises, 2 * k), at(rises, 2 * k + 1)];
      samples.push({ right, left, rounding: Math.max(right.rounding, left.rounding) });
    });
  });
}

/** The inputs, moved along each trial's line to one side. */
function pointAt({ numbers }: Subject, trials: readonly Trial[], side: number): Float32Array {
  const point = numbers.slice();
  for (const { line, reach } of trials) {
    const { element, direction } = line;
    if (element !== null) point[element] = at(numbers, element) + side * reach;
    else direction.forEach((d, i) => (point[i] = at(numbers, i) + side * reach * d));
  }
  return point;
}

/** How far the weighed sum rises, counting only what moves: numbers that stay the same cancel exactly. */
function rise(
  { numbers, values, weights }: Subject,
  trial: Trial,
  side: number,
  point: Float32Array,
  result: Float32Array,
  together: boolean,
): Rise & { readonly rounding: number } {
  const { element } = trial.line;
  // As it is in float32.
  const step = element === null ? Math.abs(side) * trial.reach : Math.abs(at(point, element) - at(numbers, element));
  let total = 0;
  let squares = 0;
  const count = (i: number): void => {
    const before = at(values, i);
    const after = at(result, i);
    if (Object.is(before, after)) return;
    total += at(weights, i) * (after - before);
    squares += (at(weights, i) * Math.max(Math.abs(before), Math.abs(after))) ** 2;
  };
  if (together && element !== null) count(element);
  else for (let i = 0; i < values.length; i++) count(i);
  return { step, rise: total, rounding: Number.isFinite(squares) ? Math.sqrt(squares) * 2 ** -24 : 0 };
}

/** The judgement; where it is that the gradient is wrong, undecided where what is rounded on the way may be why. */
async function carefully(subject: Subject, trial: Trial, tolerance: number): Promise<Judgement | null> {
  const { judgement, line } = trial;
  if (judgement?.verdict !== "wrong") return judgement;
  // Values that rounding has flattened on the way to them look exact.
  const hidden = hiddenAt(await subject.hidden(), subject.pointwise ? line.element : null);
  const careful = judgeTrial(subject, trial, tolerance, hidden);
  return careful.verdict === "wrong" ? judgement : { ...judgement, verdict: "undecided" };
}

function hiddenAt(hidden: Float64Array, element: number | null): number {
  if (element !== null) return at(hidden, element);
  return Math.sqrt(hidden.reduce((total, each) => total + each * each, 0));
}

function judgeTrial(
  subject: Subject,
  { line, gradient, series, reach, firstReach }: Trial,
  tolerance: number,
  hidden = 0,
): Judgement {
  const rounding = sizeAt(subject, line.element) * 2 ** -23;
  return judge(gradient, slopesOf(series, hidden), {
    tolerance,
    floor: subject.pointwise ? rounding / firstReach : besideOf(subject),
    blind: series.some(isMoving) ? 0 : (rounding + 2 * hidden) / reach,
  });
}

/** How far rounding may put off a slope beside the others that it is summed with. */
function besideOf({ gradient }: Subject): number {
  const largest = gradient.reduce((most, slope) => Math.max(most, Math.abs(slope) || 0), 0);
  return Number.isFinite(largest) ? largest * 2 ** -20 : 0;
}

/** The largest number that the slope along this line is part of. */
function sizeAt({ values, weights, pointwise }: Subject, element: number | null): number {
  const sizes = values.map((y, i) => Math.abs(y * at(weights, i)) || 0);
  return pointwise && element !== null ? at(sizes, element) : sizes.reduce((most, size) => Math.max(most, size), 0);
}
