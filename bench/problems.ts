/** The problems' numbers, and how far apart two right answers may be. */
import { isDerived } from "./derived.js";
import { isMatmul, matmulSizes } from "./matmul-sizes.js";
import type { Problem, SideName } from "./protocol.js";
import type { Input } from "./side.js";

/** The constants of `wide`: few, so that a side which compiles one shader per constant isn't measured compiling. */
export const coefficients = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1] as const;

export function coefficient(k: number): number {
  return coefficients[k % coefficients.length] ?? NaN;
}

/** `train`: x <- x - rate * dloss/dx with loss = mean((x - target)^2) brings x nearer by 0.2 % in each step. */
export function learningRate(n: number): number {
  return 1e-3 * n;
}

/** Numbers in [-1, 1), the same in every run. */
export function inputFor(n: number): Input {
  const x = new Float32Array(n);
  const target = new Float32Array(n);
  // The additive recurrence by the golden ratio: spread evenly, no two alike nearby.
  for (let i = 0; i < n; i++) {
    x[i] = ((i * 0.6180339887498949) % 1) * 2 - 1;
    target[i] = ((i * 0.7548776662466927) % 1) * 2 - 1;
  }
  return { x, target };
}

/** |a - b| may be `relative` times the larger of them, or `absolute`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

const roundoff = 2 ** -24;

/** How far a side's value and gradient may be from gpugrad's. */
export function tolerances({ name, n, depth }: Problem, side: SideName): { value: Tolerance; gradient: Tolerance } {
  // WGSL allows exp 3 + 2|x| ULP, here at most 5; squaring doubles it: 10, twice for two sides, and a few roundings.
  const exp = { relative: 64 * roundoff, absolute: 0 };
  // The last turn of an iteration leaves more than a rounding; by two ways it isn't the same.
  if (isDerived(name)) return { value: exp, gradient: { relative: 1e-4, absolute: 1e-5 } };
  // Of positive terms, one by one at the worst.
  if (isMatmul(name)) {
    const sums = { relative: 2 * Math.max(...matmulSizes[name]) * roundoff, absolute: 0 };
    return { value: sums, gradient: sums };
  }
  switch (name) {
    case "chain":
    case "fused":
    case "firstGradient":
    case "guards":
      return { value: exp, gradient: exp };
    case "heatForward":
    case "heatBackward": {
      // A handful of products and sums, whose terms may cancel.
      const sums = { relative: 0, absolute: 32 * roundoff };
      return { value: sums, gradient: sums };
    }
    case "sum": {
      // All terms are positive: the condition is 1, so the bound is that of the summation, by a tree or one by one.
      const adds = side === "jaxEager" || side === "jaxJit" ? n : 32;
      return { value: { relative: (64 + adds) * roundoff, absolute: 0 }, gradient: exp };
    }
    case "deep":
      // sin repeated is a contraction, x_k ~ sqrt(3/k): an error e in each step grows to at most e * depth / 2 of the
      // value. The gradient is a product of `depth` cosines of such values. Sides are compared that have the same sin.
      return {
        value: { relative: 16 * depth * roundoff, absolute: 0 },
        gradient: { relative: 32 * depth * roundoff, absolute: 1e-12 },
      };
    case "wide":
      // Sums of `depth` terms of one sign, one by one.
      return {
        value: { relative: 2 * depth * roundoff, absolute: 1e-30 },
        gradient: { relative: 2 * depth * roundoff, absolute: 0 },
      };
    case "train":
      // "gradient" is x after the last step. Each step rounds x, |x| <= 1, and forgets 0.2 %: 500 roundings at most.
      // What is left of x - target is 0.13 of the start, so that the loss has twice that error over 0.13.
      return {
        value: { relative: ((2 * 1000) / 0.13) * roundoff, absolute: 0 },
        gradient: { relative: 0, absolute: 1000 * roundoff },
      };
  }
}
