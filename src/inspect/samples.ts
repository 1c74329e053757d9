/** Takes a function's values, and its gradients, along lines through its inputs. */
import { at } from "../base/assert.js";
import type { Ends } from "../base/settled.js";
import type { Rise, Sample } from "../base/slopes.js";
import type { Line } from "./directions.js";

/** Gives numbers of the function where one input is replaced by these, for each of the points. */
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
  /** The function's values. */
  readonly evaluate: Evaluate;
  /** The gradients by that input: they are asked for where one looks wrong. */
  readonly gradients: Evaluate;
}

/** Samples along a line, whose steps halve from `reach` on. */
export interface Steps {
  readonly line: Line;
  readonly reach: number;
  /** No step is smaller: the element's own rounding would be seen. */
  readonly least: number;
  readonly samples: Sample[];
}

export function beginSteps(line: Line, reach: number, numbers: Float32Array): Steps {
  const least = line.element === null ? 0 : Math.abs(at(numbers, line.element)) * 2 ** -22;
  return { line, reach, least, samples: [] };
}

/** Takes one more sample at each of these halvings of the step; along several axes together, or along each line alone. */
export async function takeSamples(
  subject: Subject,
  all: readonly Steps[],
  halvings: readonly number[],
  together: boolean,
): Promise<void> {
  const sides = halvings.flatMap((k) => [2 ** -k, -(2 ** -k)]);
  const points = together
    ? sides.map((side) => pointAt(subject, all, side))
    : all.flatMap((steps) => sides.map((side) => pointAt(subject, [steps], side)));
  const results = await subject.evaluate(points);
  all.forEach((steps, t) => {
    const first = together ? 0 : t * sides.length;
    const rises = sides.map((side, s) =>
      rise(subject, steps, side, at(points, first + s), at(results, first + s), together),
    );
    halvings.forEach((halving, k) => {
      if (steps.reach * 2 ** -halving < steps.least) return;
      const [right, left] = [at(rises, 2 * k), at(rises, 2 * k + 1)];
      steps.samples.push({ right, left, rounding: Math.max(right.rounding, left.rounding) });
    });
  });
}

/** How far out of each sample gradients are taken: at its ends, and within, since two alone may agree by chance. */
const parts = [1, 0.7];

/** The slopes that the gradient says there are along the line, near both ends of each sample. */
export async function gradientsAtEnds(subject: Subject, steps: Steps): Promise<Ends[][]> {
  const sides = steps.samples.flatMap((_, k) => parts.flatMap((part) => [part * 2 ** -k, -part * 2 ** -k]));
  const gradients = await subject.gradients(sides.map((side) => pointAt(subject, [steps], side)));
  const slopes = gradients.map((gradient) => slopeAlong(steps.line, gradient));
  return steps.samples.map((_, k) =>
    parts.map((_, part) => {
      const first = 2 * (k * parts.length + part);
      return { right: at(slopes, first), left: at(slopes, first + 1) };
    }),
  );
}

export function slopeAlong({ direction }: Line, gradient: Float32Array): number {
  return direction.reduce((total, d, i) => (d === 0 ? total : total + d * at(gradient, i)), 0);
}

/** The inputs, moved along each line to one side. */
function pointAt({ numbers }: Subject, all: readonly Steps[], side: number): Float32Array {
  const point = numbers.slice();
  for (const { line, reach } of all) {
    const { element, direction } = line;
    if (element !== null) point[element] = at(numbers, element) + side * reach;
    else direction.forEach((d, i) => (point[i] = at(numbers, i) + side * reach * d));
  }
  return point;
}

/** How far the weighed sum rises, counting only what moves: numbers that stay the same cancel exactly. */
function rise(
  { numbers, values, weights }: Subject,
  { line: { element }, reach }: Steps,
  side: number,
  point: Float32Array,
  result: Float32Array,
  together: boolean,
): Rise & { readonly rounding: number } {
  // As it is in float32.
  const step = element === null ? Math.abs(side) * reach : Math.abs(at(point, element) - at(numbers, element));
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
