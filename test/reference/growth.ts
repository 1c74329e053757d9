/** What the steps of a loop leave on the GPU, within one task: no collector runs in it. */
import { stats, type Variable } from "../../src/index.js";
import { filled } from "./numbers.js";

export const n = 2 ** 16;
const bytes = 4 * n;

export const vector = (value = 0.5, requiresGrad = true): Variable => filled(n, value, requiresGrad);

/** The most arrays there were at the end of a step beyond those after the first one. */
export function growth(step: () => void, steps = 100): number {
  step();
  const live = stats().liveBytes;
  let most = 0;
  for (let k = 1; k < steps; k++) {
    step();
    most = Math.max(most, stats().liveBytes - live);
  }
  return most / bytes;
}
