/** The slope of a function from values near a point, and how far it can be trusted. Numbers only. */
import { at } from "./assert.js";
import { bestOf, extrapolate, type Estimate } from "./extrapolation.js";

/** By how much a function rises on the way to a point at this distance. */
export interface Rise {
  readonly step: number;
  readonly rise: number;
}

/** Values on both sides of a point, at about the same distance: `right` is f(x + step) - f(x), `left` f(x - step) - f(x). */
export interface Sample {
  readonly right: Rise;
  readonly left: Rise;
}

/** Samples with steps that halve from one to the next. */
export interface Series {
  readonly samples: readonly Sample[];
  /** How far off a single value may be. */
  readonly rounding: number;
}

/** What the samples say of a function's slope at the point. */
export interface Slopes {
  /** From values on both sides. Where there is a kink, the mean of its two slopes. */
  readonly central: Estimate;
  /** How much steeper it is on the right than on the left: 0 where the function is smooth. */
  readonly gap: Estimate;
  /** From values on one side alone, without the one at the point: a jump there doesn't matter. */
  readonly left: Estimate;
  readonly right: Estimate;
  /** How steep the way to the first samples is: what slopes are small beside. */
  readonly steepness: number;
  /** The two finest samples that stand well out of rounding, the coarser one first; null where there are none. */
  readonly finest: readonly [Chords, Chords] | null;
}

/** How steep the ways from the point to a sample on the left and one on the right are. */
interface Chords {
  readonly left: number;
  readonly right: number;
  readonly error: number;
}

/** @param all the coarsest first; of a later one in which nothing moves nothing is learnt */
export function slopesOf(all: readonly Series[]): Slopes {
  const series = all.filter(({ rounding }, k) => k === 0 || rounding > 0);
  const best = (of: (samples: readonly Sample[], rounding: number) => Estimate): Estimate =>
    bestOf(series.map(({ samples, rounding }) => of(samples, rounding)));
  const side = (name: "left" | "right", sign: 1 | -1): Estimate =>
    best((samples, rounding) => {
      const rises = samples.map((sample) => sample[name]);
      return extrapolate(oneSided(rises, sign, rounding), [1, 2, 3]);
    });
  return {
    central: best((samples, rounding) => extrapolate(samples.map(central(rounding)), [2, 4, 6])),
    gap: best((samples, rounding) => extrapolate(samples.map(gap(rounding)), [1, 3, 5])),
    left: side("left", -1),
    right: side("right", 1),
    steepness: steepnessOf(series[0]?.samples[0]),
    finest: finestOf(series),
  };
}

function finestOf(series: readonly Series[]): Slopes["finest"] {
  let finest: Slopes["finest"] = null;
  for (const { samples, rounding } of series) {
    const chords = samples.map(({ left, right }): Chords => ({
      left: -left.rise / left.step,
      right: right.rise / right.step,
      error: rounding * (1 / left.step + 1 / right.step),
    }));
    chords.slice(1).forEach((fine, k) => {
      if (8 * fine.error <= Math.max(Math.abs(fine.left), Math.abs(fine.right))) finest = [at(chords, k), fine];
    });
  }
  return finest;
}

function steepnessOf(sample: Sample | undefined): number {
  const slopes = sample === undefined ? [] : [sample.left, sample.right].map(({ rise, step }) => Math.abs(rise / step));
  return Math.max(0, ...slopes.filter(Number.isFinite));
}

const central =
  (rounding: number) =>
  ({ right: { step: a, rise: up }, left: { step: b, rise: down } }: Sample): Estimate => ({
    // The steps differ by what rounding made of them: the parabola through the three points.
    value: ((b / a) * up - (a / b) * down) / (a + b),
    error: (2 * rounding) / (a + b),
  });

const gap =
  (rounding: number) =>
  ({ right, left }: Sample): Estimate => ({
    value: right.rise / right.step + left.rise / left.step,
    error: 2 * rounding * (1 / right.step + 1 / left.step),
  });

/** The slopes between neighbouring samples of one side: 1 is the right one, -1 the left one. */
function oneSided(rises: readonly Rise[], side: 1 | -1, rounding: number): Estimate[] {
  return rises.slice(1).map((near, k) => {
    const far = at(rises, k);
    const distance = far.step - near.step;
    return { value: (side * (far.rise - near.rise)) / distance, error: (2 * rounding) / distance };
  });
}
