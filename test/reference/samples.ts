/** Values of functions as float32 numbers, around a point, as gradCheck samples them. */
import type { Sample } from "../../src/base/slopes.js";

/** Samples of f around x, at steps that halve 13 times, as float32 numbers, each within half a unit in the last place. */
export function samples(f: (x: number) => number, x: number, reach = 1 / 16): Sample[] {
  const at = (point: number): number => Math.fround(f(Math.fround(point)));
  const start = Math.fround(x);
  return Array.from({ length: 14 }, (_, k) => {
    const right = Math.fround(start + reach * 2 ** -k);
    const left = Math.fround(start - reach * 2 ** -k);
    return {
      right: { step: right - start, rise: at(right) - at(start) },
      left: { step: start - left, rise: at(left) - at(start) },
      rounding: Math.max(...[left, start, right].map((point) => Math.abs(at(point)) || 0)) * 2 ** -24,
    };
  });
}

/** Functions that are smooth at a point, and their slope there. */
export const smooth: [name: string, f: (x: number) => number, x: number, slope: number][] = [
  ["a line", (x) => 2 * x, 0.7, 2],
  ["exp", Math.exp, -0.3, Math.exp(Math.fround(-0.3))],
  ["sin, many waves within the first steps", (x) => Math.sin(300 * x), 0.5, 300 * Math.cos(150)],
  ["log near 0", Math.log, 0.01, 100],
  ["a kink within the first steps", (x) => Math.abs(x) + x, 0.003, 2],
  ["a jump within the first steps", (x) => (x > 0.51 ? 7 : x * x), 0.5, 1],
  ["a small slope beside a large value", (x) => 10 + x, 0.5, 1],
];
