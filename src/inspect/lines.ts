/** Compares a function's values along lines through its inputs with its gradient. */
import { at } from "../base/assert.js";
import { judge, type Judgement } from "../base/judgement.js";
import { isRugged, meanOf, unsettled } from "../base/settled.js";
import { isMoving, slopesOf } from "../base/slopes.js";
import type { Line } from "./directions.js";
import { beginSteps, gradientsAtEnds, slopeAlong, takeSamples, type Steps, type Subject } from "./samples.js";

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
  /** The first begins with the largest step, each other one with a smaller step than that before. */
  readonly series: Steps[];
  /** The largest step of a size that the element calls for. */
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
  // Directions move the same elements.
  const together = subject.pointwise && lines.length > 1 && lines.every(({ element }) => element !== null);
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
    const reach = step * (line.element === null ? 1 : Math.max(1, Math.abs(at(subject.numbers, line.element))));
    return { line, gradient: slopeAlong(line, subject.gradient), series: [], reach, judgement: null };
  });
  for (const begin of [broadly, closely, finely]) {
    const open = trials.filter((trial) => isOpen(trial) && begin(subject, trial));
    for (const halvings of rounds) {
      const sampled = open.filter(isOpen);
      const series = sampled.map(({ series }) => at(series, series.length - 1));
      if (sampled.length > 0) await takeSamples(subject, series, halvings, together);
      for (const trial of sampled) trial.judgement = judgeTrial(subject, trial, tolerance);
    }
  }
  return trials;
}

function isOpen({ judgement }: Trial): boolean {
  return judgement?.verdict !== "right" || judgement.kink !== null || !judgement.isSharp;
}

/** Begins a series of steps in proportion to 1 or x. */
function broadly({ numbers }: Subject, { line, reach, series }: Trial): boolean {
  series.push(beginSteps(line, reach, numbers));
  return true;
}

/** Begins one in proportion to x, for an element so small that those before were coarse beside it; at 0 on from the smallest. */
function closely({ numbers }: Subject, trial: Trial): boolean {
  const { element } = trial.line;
  if (element === null) return false;
  const x = Math.abs(at(numbers, element));
  if (x > trial.reach / 8) return false;
  trial.reach = x === 0 ? trial.reach * smallestStep : x / 8;
  trial.series.push(beginSteps(trial.line, trial.reach, numbers));
  return true;
}

/** Begins one on from the smallest step where a gradient looks wrong: there may be detail that is finer than all steps yet. */
function finely({ numbers }: Subject, { line, judgement, reach, series }: Trial): boolean {
  if (line.element === null || judgement?.verdict !== "wrong") return false;
  series.push(beginSteps(line, reach * smallestStep, numbers));
  return true;
}

/** The judgement; undecided where the gradient is wrong but what the values show of the slope may not be true. */
async function carefully(subject: Subject, trial: Trial, tolerance: number): Promise<Judgement | null> {
  const { judgement, line } = trial;
  if (judgement?.verdict !== "wrong") return judgement;
  // Values that rounding has flattened on the way to them look exact.
  const hidden = hiddenAt(await subject.hidden(), subject.pointwise ? line.element : null);
  const isWrong = (series: readonly Steps[]): boolean =>
    judgeTrial(subject, { ...trial, series }, tolerance, hidden).verdict === "wrong";
  const isSure =
    isWrong(trial.series) &&
    !isRugged(
      trial.series.map(({ samples }) => samples),
      hidden,
    ) &&
    isWrong(await settled(subject, trial, judgement));
  return isSure ? judgement : { ...judgement, verdict: "undecided" };
}

/** The series without the samples within which the gradient itself turns about. */
async function settled(
  subject: Subject,
  { gradient, series }: Trial,
  { difference }: Judgement,
): Promise<readonly Steps[]> {
  if (!Number.isFinite(gradient)) return series;
  const ends = await Promise.all(series.map((steps) => gradientsAtEnds(subject, steps)));
  const finest = ends.flat(2).at(-1);
  if (finest === undefined) return series;
  return series.map((steps, k) => ({
    ...steps,
    samples: steps.samples.slice(unsettled(at(ends, k), meanOf(finest), Math.abs(gradient - difference))),
  }));
}

function hiddenAt(hidden: Float64Array, element: number | null): number {
  if (element !== null) return at(hidden, element);
  return Math.sqrt(hidden.reduce((total, each) => total + each * each, 0));
}

function judgeTrial(
  subject: Subject,
  { line, gradient, series, reach }: Pick<Trial, "line" | "gradient" | "reach"> & { readonly series: readonly Steps[] },
  tolerance: number,
  hidden = 0,
): Judgement {
  const rounding = sizeAt(subject, line.element) * 2 ** -23;
  const samples = series.map((steps) => steps.samples);
  return judge(gradient, slopesOf(samples, hidden), {
    tolerance,
    floor: subject.pointwise ? rounding / at(series, 0).reach : besideOf(subject),
    blind: samples.some(isMoving) ? 0 : (rounding + 2 * hidden) / reach,
  });
}

/** How far rounding may put off a slope beside the others that it is summed with. */
function besideOf({ gradient }: Subject): number {
  return largestFinite(gradient.map(Math.abs)) * 2 ** -20;
}

/** The largest number that the slope along this line is part of. */
function sizeAt({ values, weights, pointwise }: Subject, element: number | null): number {
  const sizes = values.map((y, i) => Math.abs(y * at(weights, i)));
  return largestFinite(pointwise && element !== null ? [at(sizes, element)] : sizes);
}

/** What isn't finite would hide all the others. */
function largestFinite(sizes: Iterable<number>): number {
  let largest = 0;
  for (const size of sizes) if (Number.isFinite(size)) largest = Math.max(largest, size);
  return largest;
}
