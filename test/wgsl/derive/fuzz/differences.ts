/** Slopes of a function of numbers from its values alone: central differences, extrapolated to a step of 0. */

export interface Difference {
  readonly value: number;
  /** How far off the value may be. */
  readonly error: number;
}

const firstStep = 2 ** -8;
const steps = 9;

/**
 * The partial derivatives at `xs`; "kink" where the slopes on the left and on the right differ, or no step gives a slope that
 * can be trusted: a jump or a bend is too near.
 */
export function differences(f: (xs: readonly number[]) => number, xs: readonly number[]): (Difference | "kink")[] {
  const middle = f(xs);
  return xs.map((x, k) => slope((step) => f(xs.map((other, j) => (j === k ? x + step : other))), middle));
}

function slope(f: (step: number) => number, middle: number): Difference | "kink" {
  const values = Array.from({ length: steps }, (_, k) => {
    const step = firstStep * 2 ** -k;
    return { step, left: f(-step), right: f(step) };
  });
  const size = Math.max(
    1,
    Math.abs(middle),
    ...values.map(({ left, right }) => Math.max(Math.abs(left), Math.abs(right))),
  );
  const rounding = 4 * Number.EPSILON * size;
  const { value, error } = extrapolated(
    values.map(({ step, left, right }) => (right - left) / (2 * step)),
    values.map(({ step }) => rounding / step),
  );
  const largest = Math.max(1, Math.abs(value));
  if (!(error < 1e-4 * largest)) return "kink";
  return gapOf(values.slice(-2), middle) > 1e-3 * largest ? "kink" : { value, error };
}

/** Romberg's table: the entry that agrees best with those it was made of, and with the slope at the smallest step. */
function extrapolated(column: readonly number[], rounding: readonly number[]): Difference {
  const finest = { value: column[steps - 1]!, error: rounding[steps - 1]! };
  const rest = Math.abs(finest.value - column[steps - 2]!);
  let best: Difference = { value: NaN, error: Infinity };
  let coarser = column;
  for (let power = 4; power <= 64; power *= 4) {
    const entries = coarser.slice(1).map((fine, k) => fine + (fine - coarser[k]!) / (power - 1));
    entries.forEach((value, k) => {
      const apart = Math.max(Math.abs(value - coarser[k]!), Math.abs(value - coarser[k + 1]!));
      const noise = rounding[k + steps - entries.length]!;
      const contradiction = Math.max(0, Math.abs(value - finest.value) - rest - finest.error);
      const error = Math.max(apart + noise, contradiction);
      if (error < best.error) best = { value, error };
    });
    coarser = entries;
  }
  return best;
}

/** How much steeper the function is on the right than on the left, without what curvature adds. */
function gapOf(values: readonly { step: number; left: number; right: number }[], middle: number): number {
  const [coarse = NaN, fine = NaN] = values.map(({ step, left, right }) => (right + left - 2 * middle) / step);
  return Math.abs(2 * fine - coarse);
}
