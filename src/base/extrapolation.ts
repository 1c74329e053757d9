/**
 * Limits of estimates whose steps halve, extrapolated to a step of 0 (Richardson), of which the one is taken that changes
 * least (Ridders): large steps suffer from curvature, small ones from rounding, and those that reach across a kink agree
 * with no other. Numbers only.
 */
import { at } from "./assert.js";

export interface Estimate {
  readonly value: number;
  /** How far off the value may be; Infinity where nothing is known. */
  readonly error: number;
}

export const unknown: Estimate = { value: NaN, error: Infinity };

/**
 * The limit of a column of estimates whose error falls with these powers of the step, which halves from one to the next.
 * An entry of the table counts as good as its distance from what it was made of, and from all that came of finer steps.
 */
export function extrapolate(column: readonly Estimate[], powers: readonly number[]): Estimate {
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

/** So many neighbouring pairs tell together how noisy they are: one alone may agree by chance. */
const pairsTogether = 4;

/**
 * How many times the noise of each entry exceeds what rounding alone would make it: by how much the estimates of its and
 * all finer steps scatter. (Four times as much, since a jump within a step moves the estimate by more than it scatters.)
 */
function noiseOf(column: readonly Estimate[], power: number): number[] {
  const entries = finer(column, power);
  const squares = entries.slice(1).map((fine, k) => {
    const coarse = at(entries, k);
    const scatter = (coarse.value - fine.value) / (coarse.error + fine.error);
    return Number.isFinite(scatter) ? scatter ** 2 : 0;
  });
  const last = Math.max(0, squares.length - pairsTogether);
  const noise = column.map(() => 1);
  let most = 1;
  for (let k = last; k >= 0; k--) {
    const some = squares.slice(k, k + pairsTogether);
    const mean = some.reduce((total, square) => total + square, 0) / Math.max(1, some.length);
    most = Math.max(most, 3 * Math.sqrt(mean));
    noise.fill(most, k, k === last ? noise.length : k + 1);
  }
  return noise;
}

/** Of estimates from ever smaller steps: what a finer one contradicts is as far off as the two are apart. */
export function bestOf(estimates: readonly Estimate[]): Estimate {
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
