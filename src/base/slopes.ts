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
  /** How far off each of the values may be at least; 0 where nothing moves. */
  readonly rounding: number;
}

/** Samples with steps that halve from one to the next. */
export type Series = readonly Sample[];

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

/**
 * @param all the coarsest first; of a later one in which nothing moves nothing is learnt
 * @param hidden how far off each value may be, whatever the values themselves show
 */
export function slopesOf(all: readonly Series[], hidden = 0): Slopes {
  const quantum = Math.max(quantumOf(all), hidden);
  const series = all.filter((samples, k) => k === 0 || isMoving(samples)).map((samples) => rounded(samples, quantum));
  const best = (of: (samples: Series) => Estimate): Estimate => bestOf(series.map(of));
  return {
    central: best((samples) => extrapolate(samples.map(central), [2, 4, 6])),
    gap: best((samples) => extrapolate(samples.map(gap), [1, 3, 5])),
    left: best((samples) => extrapolate(oneSided(samples, "left"), [1, 2, 3])),
    right: best((samples) => extrapolate(oneSided(samples, "right"), [1, 2, 3])),
    steepness: steepnessOf(series[0]?.[0]),
    finest: finestOf(series),
  };
}

export function isMoving(samples: Series): boolean {
  return samples.some(({ rounding }) => rounding > 0);
}

/** Values are no better than the jumps in which they move, nor where nothing moves than at the step before. */
function rounded(samples: Series, quantum: number): Sample[] {
  let last = 0;
  return samples.map((sample) => {
    last = Math.max(sample.rounding > 0 ? sample.rounding : last, quantum);
    return { ...sample, rounding: last };
  });
}

/**
 * Some functions move in jumps, as log(1 + x²) near 0, where 1 + x² is rounded: at the smallest steps values stay the
 * same, and the least rise is a jump. (Unless it isn't small beside the largest: then there is a kink nearby.)
 */
function quantumOf(series: readonly Series[]): number {
  const rises = (["left", "right"] as const).map((side) => series.flat().map((sample) => Math.abs(sample[side].rise)));
  const moves = rises.flat().filter((rise) => rise > 0 && rise < Infinity);
  const least = Math.min(...moves);
  const stays = rises.some((side) => side.some((rise, k) => k > 0 && rise === 0 && at(side, k - 1) > 0));
  return stays && least <= 2 ** -10 * Math.max(...moves) ? least : 0;
}

function finestOf(series: readonly Series[]): Slopes["finest"] {
  let finest: Slopes["finest"] = null;
  for (const samples of series) {
    const chords = samples.map(({ left, right, rounding }): Chords => ({
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

function central({ right: { step: a, rise: up }, left: { step: b, rise: down }, rounding }: Sample): Estimate {
  // The steps differ by what rounding made of them: the parabola through the three points.
  return { value: ((b / a) * up - (a / b) * down) / (a + b), error: (2 * rounding) / (a + b) };
}

function gap({ right, left, rounding }: Sample): Estimate {
  return {
    value: right.rise / right.step + left.rise / left.step,
    error: 2 * rounding * (1 / right.step + 1 / left.step),
  };
}

/** The slopes between neighbouring samples of one side. */
function oneSided(samples: Series, side: "left" | "right"): Estimate[] {
  const sign = side === "left" ? -1 : 1;
  return samples.slice(1).map((near, k) => {
    const far = at(samples, k);
    const distance = far[side].step - near[side].step;
    return {
      value: (sign * (far[side].rise - near[side].rise)) / distance,
      error: (far.rounding + near.rounding) / distance,
    };
  });
}
