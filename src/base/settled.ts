/** Whether steps are small beside a function's own detail, as its gradient and its values show it. Numbers only. */
import { at } from "./assert.js";
import type { Series } from "./slopes.js";

/** The gradient at two points, as far to the right as to the left. */
export interface Ends {
  readonly right: number;
  readonly left: number;
}

/** So many of the finest samples must agree: two may do so by chance. */
const fewest = 3;

/**
 * How many of the samples, the coarsest first, reach too far for their values to tell the slope in their middle: of a
 * function that oscillates within them, all of them may agree on a slope that is no point's. The gradient near their ends
 * shows that: the mean of both sides must be the limit to a quarter of itself and of `off`, by which a gradient is
 * said to be wrong; or leave it at least twice as far as at half the step. (Where a function is smooth it is four times as
 * far; an oscillation turns back.)
 */
export function unsettled(samples: readonly (readonly Ends[])[], limit: number, off: number): number {
  const distances = samples.map((pairs) => Math.max(...pairs.map((ends) => Math.abs(meanOf(ends) - limit))));
  const isNear = (k: number): boolean => at(distances, k) <= Math.min(off, sizeOf(at(samples, k))) / 4;
  const leaves = (k: number): boolean => k < samples.length - fewest && at(distances, k) >= 2 * at(distances, k + 1);
  let count = samples.length;
  while (count > 0 && (isNear(count - 1) || leaves(count - 1))) count--;
  return samples.length - count < fewest ? samples.length : count;
}

/** Of both sides; of one where the other has no gradient. */
export function meanOf({ right, left }: Ends): number {
  if (!Number.isFinite(right)) return left;
  return Number.isFinite(left) ? (right + left) / 2 : right;
}

function sizeOf(pairs: readonly Ends[]): number {
  return Math.max(...pairs.flatMap(({ right, left }) => [right, left].map(Math.abs).filter(Number.isFinite)));
}

/**
 * Whether values still scatter at the finest steps by a good part of what they do at all: then there is detail that
 * no step resolves, with slopes that values don't tell. What rounding explains is none, nor is a jump at the point itself.
 *
 * @param known how far off each value may be by rounding that doesn't show in it
 */
export function isRugged(series: readonly Series[], known: number): boolean {
  const finest = series.at(-1)?.slice(-fewest) ?? [];
  const rounding = Math.max(known, ...finest.map((sample) => sample.rounding));
  const scatter = scatterOf(finest);
  return scatter > 16 * rounding && scatter > scatterOf(series.flat()) / 64;
}

/** How far values on one side lie apart. */
function scatterOf(samples: Series): number {
  const sides = (["left", "right"] as const).map((side) => samples.map((sample) => sample[side].rise));
  return Math.max(0, ...sides.map((rises) => Math.max(...rises) - Math.min(...rises)));
}
