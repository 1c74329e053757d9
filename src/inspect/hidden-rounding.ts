/** How far rounding on the way puts off a function's values: what they show of it themselves is less, where they stay the same. */
import { at } from "../base/assert.js";
import type { Variable } from "../graph/variable.js";
import { sortedByGeneration } from "../graph/walk.js";
import type { Differentiable } from "../transforms/grad.js";
import { weighed } from "./weighed.js";

/** Half the distance between neighbouring float32 numbers beside 1. */
const half = 2 ** -24;

/**
 * By how much the weighed sum of `f`'s values may be off: each result on the way is off by half a unit in its last place,
 * which counts as often as its slope says (a running error analysis, its terms taken as independent of each other). One
 * number for each element of the results, or one for all where they depend on more than the element at their own place.
 */
export async function hiddenRounding(
  f: Differentiable,
  leaves: readonly Variable[],
  weights: Float32Array,
): Promise<Float64Array> {
  const { y } = weighed(f, leaves, weights);
  const squares = new Float64Array(y.size);
  if (!y.requiresGrad) return squares;
  y.backward();
  // Its own rounding shows.
  const onTheWay = sortedByGeneration([y]).flatMap((g) => g.outputs.filter((output) => output !== y));
  let others = 0;
  const add = async (result: Variable): Promise<void> => {
    const slope = result.ownGrad();
    if (slope === null) return;
    const [values, slopes] = await Promise.all([result.array.read(), slope.array.read()]);
    values.forEach((value, i) => {
      const square = (value * at(slopes, i)) ** 2;
      if (!Number.isFinite(square)) return;
      if (result.size === y.size) squares[i] = at(squares, i) + square;
      else others += square;
    });
  };
  await Promise.all(onTheWay.map(add));
  y.dispose();
  return squares.map((square) => Math.sqrt(square + others) * half);
}
