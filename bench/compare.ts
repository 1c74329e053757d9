/** Holds a side's results against gpugrad's. */
import { tolerances, type Tolerance } from "./problems.js";
import type { Problem, SideName } from "./protocol.js";
import type { Results } from "./side.js";

/** @throws Error that names case, side and element where the results are further apart than rounding explains. */
export function compare(problem: Problem, side: SideName, results: Results, expected: Results): void {
  const allowed = tolerances(problem, side);
  for (const what of ["value", "gradient"] as const) {
    const wrong = firstDifference(results[what], expected[what], allowed[what]);
    if (wrong !== null) {
      throw new Error(`${problem.name}, n = ${problem.n}, ${problem.math} math: ${side}'s ${what} is wrong: ${wrong}`);
    }
  }
}

function firstDifference(
  actual: Float32Array,
  expected: Float32Array,
  { relative, absolute }: Tolerance,
): string | null {
  if (actual.length !== expected.length) return `${actual.length} numbers, gpugrad has ${expected.length}`;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i] ?? NaN;
    const b = expected[i] ?? NaN;
    const limit = Math.max(absolute, relative * Math.max(Math.abs(a), Math.abs(b)));
    // Written so that NaN fails.
    if (!(Math.abs(a - b) <= limit)) {
      return `element ${i} is ${a}, gpugrad has ${b}; ${limit.toPrecision(2)} apart is allowed`;
    }
  }
  return null;
}
