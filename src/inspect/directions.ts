/** The lines along which a gradient is checked, and whether one point can move along many of them at once. */
import { at } from "../base/assert.js";
import { randomNumbers } from "../base/random.js";
import { Elementwise } from "../elementwise/elementwise.js";
import type { Function } from "../graph/function.js";
import { Reshape } from "../graph/reshape.js";
import type { Variable } from "../graph/variable.js";
import { visitOrder } from "../graph/walk.js";
import type { Marks } from "./undefined-elements.js";

/** An axis, or a random direction through a large input. */
export interface Line {
  readonly element: number | null;
  readonly direction: Float32Array;
}

/**
 * The axes of a small input, or some random directions in a large one. Every other one of these climbs: it has the
 * gradient's signs, so that the slope along it doesn't cancel and stands out of the values' rounding. None moves
 * an element that is marked as undefined.
 */
export function linesThrough(
  gradient: Float32Array,
  marks: Marks,
  maxElements: number,
  count: number,
  seed: number,
): Line[] {
  const size = gradient.length;
  const isDefined = (i: number): boolean => at(marks, i) === 0;
  if (size <= maxElements) {
    return Array.from({ length: size }, (_, element) => {
      const direction = new Float32Array(size);
      direction[element] = 1;
      return { element, direction };
    }).filter(({ element }) => isDefined(element));
  }
  if (!marks.some((mark) => mark === 0)) return [];
  return Array.from({ length: count }, (_, k) => {
    const random = randomNumbers(size, 1000 * seed + k).map((d, i) => (isDefined(i) ? d : 0));
    if (k % 2 === 1) return { element: null, direction: random };
    const direction = random.map((d, i) => ((gradient[i] ?? 0) < 0 ? -Math.abs(d) : Math.abs(d)));
    return { element: null, direction };
  });
}

/** Whether each element of `y` depends on that of `x` at the same place alone, by the graph between them. */
export function isPointwise(y: Variable, x: Variable): boolean {
  const between = visitOrder(y, new Set([x]));
  const leading = new Set<Function | null>(between);
  const keepsPlaces = (f: Function): boolean =>
    f instanceof Reshape ||
    (f instanceof Elementwise &&
      f.inputs.every((input) => (input !== x && !leading.has(input.creator)) || input.size === f.output.size));
  return y.size === x.size && between.every(keepsPlaces);
}
