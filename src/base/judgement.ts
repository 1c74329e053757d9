/** Whether a gradient agrees with the slope that values tell, as far as they tell it. Numbers only. */
import { at } from "./assert.js";
import { unknown, type Estimate } from "./extrapolation.js";
import type { Slopes } from "./slopes.js";

export interface Judgement {
  readonly verdict: "right" | "wrong" | "undecided";
  /** The slope that the gradient should have: of two, the nearer one. */
  readonly difference: number;
  /** By how much of the larger number the two differ, beside what rounding allows. */
  readonly relative: number;
  /** Whether an error of twice the tolerance shows in the values. */
  readonly isSharp: boolean;
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
  return { verdict: isWrong ? "wrong" : "undecided", difference: value, relative: NaN, isSharp: false, kink: null };
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
  const ofSize = tolerance * Math.max(sizeOf(gradient), Math.abs(difference));
  const allowed = ofSize + nearest.error + floor;
  const relative = distance === 0 ? 0 : (distance * tolerance) / allowed;
  const isSharp = between || nearest.error <= ofSize + floor;
  // Beside what is steep, a slope that can't be told from 0 is 0; of any other, an error of twice the tolerance must show.
  const isRight = distance <= allowed && (isSharp || Math.abs(difference) <= nearest.error);
  const verdict = isRight ? "right" : distance <= allowed + blind ? "undecided" : "wrong";
  return { verdict, difference, relative, isSharp, kink };
}
