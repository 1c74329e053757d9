/**
 * The slope of a function from values near a point, how far it can be trusted, and whether a gradient agrees with it.
 * Numbers only. Values at steps that halve are extrapolated to a step of 0 (Richardson), and the estimate is taken that
 * changes least (Ridders): large steps suffer from curvature, small ones from rounding, and those that reach across a
 * kink agree with no other.
 */
import { at } from "./assert.js";

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

export interface Estimate {
  readonly value: number;
  /** How far off the value may be; Infinity where nothing is known. */
  readonly error: number;
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

/** Of estimates from ever smaller steps: what a finer one contradicts is as far off as the two are apart. */
function bestOf(estimates: readonly Estimate[]): Estimate {
  let best = unknown;
  estimates.forEach(({ value, error }, k) => {
    for (const later of estimates.slice(k + 1)) {
      const distance = Math.abs(value - later.value) - later.error;
      if (distance > error) error = distance + later.error;
    }
    if (error < best.error) best = { value, error };
  });
  return best;
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

const unknown: Estimate = { value: NaN, error: Infinity };

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

/**
 * The limit of a column of estimates whose error falls with these powers of the step, which halves from one to the next.
 * An entry of the table counts as good as its distance from what it was made of, and from all that came of finer steps.
 */
function extrapolate(column: readonly Estimate[], powers: readonly number[]): Estimate {
  const noise = noiseOf(column, at(powers, 0));
  let coarser = column.map(({ value, error }, k) => ({ value, error: error * at(noise, k) }));
  let best = unknown;
  for (const power of powers) {
    const entries = finer(coarser, power);
    entries.forEach(({ value, error }, k) => {
      let distance = Math.max(Math.abs(value - at(coarser, k).value), Math.abs(value - at(coarser, k + 1).value));
      for (const later of entries.slice(k + 1)) {
        // Steps so small that nothing moves give no number.
        if (Number.isFinite(later.value)) distance = Math.max(distance, Math.abs(value - later.value) - later.error);
      }
      // Half as much again, since the least of many such distances is chosen.
      const total = 1.5 * (distance + error);
      if (total < best.error) best = { value, error: total };
    });
    coarser = entries;
  }
  return best;
}

/** One step of Richardson's extrapolation: the term with this power of the step falls out. */
function finer(column: readonly Estimate[], power: number): Estimate[] {
  const factor = 2 ** power;
  return column.slice(1).map((fine, k) => {
    const coarse = at(column, k);
    return {
      value: (factor * fine.value - coarse.value) / (factor - 1),
      error: (factor * fine.error + coarse.error) / (factor - 1),
    };
  });
}

/**
 * How many times the noise of each entry exceeds what rounding alone would make it: by how much the estimates of its and
 * all finer steps scatter. (Four times as much, since a jump within a step moves the estimate by more than it scatters.)
 */
function noiseOf(column: readonly Estimate[], power: number): number[] {
  const entries = finer(column, power);
  const noise = column.map(() => 1);
  for (let k = column.length - 1; k >= 0; k--) {
    const [coarse, fine] = [entries[k], entries[k + 1]];
    const scatter = coarse && fine ? Math.abs(coarse.value - fine.value) / (coarse.error + fine.error) : 0;
    noise[k] = Math.max(noise[k + 1] ?? 1, Number.isFinite(scatter) ? 4 * scatter : 1);
  }
  return noise;
}

export interface Judgement {
  readonly verdict: "right" | "wrong" | "undecided";
  /** The slope that the gradient should have: of two, the nearer one. */
  readonly difference: number;
  /** By how much of the larger number the two differ, beside what rounding allows. */
  readonly relative: number;
  /** The slopes of both sides, where they disagree or the function jumps; NaN where that isn't known. */
  readonly kink: { readonly left: number; readonly right: number } | null;
}

/** What a gradient is held against. */
export interface Measure {
  /** The largest relative difference. */
  readonly tolerance: number;
  /** How far a gradient may be off in any case, as the rounding of larger numbers beside it. */
  readonly floor: number;
  /** A slope that the values can't show, since they round it away. */
  readonly blind: number;
}

/**
 * Whether a gradient is the slope, or at a kink one of the two or between them. It isn't wrong where the finest steps
 * still lead towards it: there may be detail that is finer than they are.
 */
export function judge(gradient: number, slopes: Slopes, measure: Measure): Judgement {
  const judgement = judgeSlopes(gradient, slopes, measure);
  const isOpen = judgement.verdict === "wrong" && leadsTowards(gradient, slopes.finest);
  return isOpen ? { ...judgement, verdict: "undecided" } : judgement;
}

/** Whether the chord still changes from one of the finest steps to the next, and the gradient is beyond it. */
function leadsTowards(gradient: number, finest: Slopes["finest"]): boolean {
  if (finest === null || !Number.isFinite(gradient)) return false;
  const [before, last] = finest.map(({ left, right }) => (left + right) / 2);
  if (before === undefined || last === undefined) return false;
  const change = last - before;
  const noise = 2 * (finest[0].error + finest[1].error);
  return Math.abs(change) > Math.abs(last) / 8 + noise && (gradient - last) * Math.sign(change) > 0;
}

/** Whether both sides have the same slope, and the way to each is as steep: no kink, and no jump. */
function isSmooth(left: Estimate, right: Estimate, finest: Slopes["finest"], tolerance: number): boolean {
  const size = Math.max(Math.abs(left.value), Math.abs(right.value));
  if (finest === null || !(Math.abs(left.value - right.value) <= left.error + right.error + tolerance * size))
    return false;
  const chords = finest[1];
  const isNear = (chord: number, { value, error }: Estimate): boolean =>
    Math.abs(chord - value) <= size / 8 + 2 * (chords.error + error);
  return isNear(chords.left, left) && isNear(chords.right, right);
}

function judgeSlopes(gradient: number, slopes: Slopes, measure: Measure): Judgement {
  const { tolerance } = measure;
  const { central, gap, left, right, steepness } = slopes;
  const isKnown = ({ value, error }: Estimate): boolean =>
    error <= tolerance * Math.max(Math.abs(value), sizeOf(gradient), steepness) + measure.floor;
  if (isKnown(central)) {
    const size = Math.max(Math.abs(central.value), sizeOf(gradient));
    if (!(Math.abs(gap.value) > 2 * gap.error + tolerance * size + measure.floor)) {
      return compare(gradient, [central], measure, null);
    }
    const half = (sign: number): Estimate => ({
      value: central.value + (sign * gap.value) / 2,
      error: central.error + gap.error / 2,
    });
    const sides = [half(-1), half(1)];
    return compare(gradient, sides, measure, { left: at(sides, 0).value, right: at(sides, 1).value });
  }
  const smooth = isSmooth(left, right, slopes.finest, tolerance);
  const kink = smooth ? null : { left: left.value, right: right.value };
  const known = [left, right].filter(isKnown);
  if (known.length === 2) return compare(gradient, known, measure, kink);
  const others = [central, left, right].filter(({ value }) => Number.isFinite(value));
  if (known.length === 1) {
    const judgement = compare(gradient, known, measure, kink);
    const other = known[0] === left ? right : left;
    const mayBeOther = Math.abs(gradient - other.value) <= 2 * other.error;
    return judgement.verdict === "wrong" && mayBeOther ? { ...judgement, verdict: "undecided" } : judgement;
  }
  return doubtful(gradient, others, measure);
}

/** An infinite gradient allows nothing. */
function sizeOf(gradient: number): number {
  return Number.isFinite(gradient) ? Math.abs(gradient) : 0;
}

/** What no estimate is good enough for is wrong only where it is far from all of them. */
function doubtful(gradient: number, estimates: readonly Estimate[], { tolerance, floor }: Measure): Judgement {
  const isFar = ({ value, error }: Estimate): boolean =>
    !(Math.abs(gradient - value) <= tolerance * Math.max(Math.abs(gradient), Math.abs(value)) + 2 * error + floor);
  const isWrong = estimates.length > 0 && Math.abs(gradient) !== Infinity && estimates.every(isFar);
  const { value } = estimates.reduce((a, b) => (b.error < a.error ? b : a), unknown);
  return { verdict: isWrong ? "wrong" : "undecided", difference: value, relative: NaN, kink: null };
}

function compare(
  gradient: number,
  slopes: readonly Estimate[],
  { tolerance, floor, blind }: Measure,
  kink: Judgement["kink"],
): Judgement {
  const sorted = [...slopes].sort((a, b) => a.value - b.value);
  const low = at(sorted, 0);
  const high = at(sorted, sorted.length - 1);
  const nearest = gradient >= high.value ? high : low;
  const between = gradient > low.value && gradient < high.value;
  const difference = between ? gradient : nearest.value;
  const distance = Math.abs(gradient - difference);
  const allowed = tolerance * Math.max(sizeOf(gradient), Math.abs(difference)) + nearest.error + floor;
  const relative = distance === 0 ? 0 : (distance * tolerance) / allowed;
  const verdict = distance <= allowed ? "right" : distance <= allowed + blind ? "undecided" : "wrong";
  return { verdict, difference, relative, kink };
}
