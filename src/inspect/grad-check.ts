/** Compares gradients with differences of values: the check that a hand-written backward needs. */
import { at } from "../base/assert.js";
import { checkFunction, checkList, checkNumber, checkObject } from "../base/arguments.js";
import { GradCheckError } from "../base/errors.js";
import { grad, type Differentiable } from "../transforms/grad.js";
import { sum } from "../elementwise/broadcast.js";
import { mul } from "../functions/pointwise.js";
import { gradEnabled, noGrad, withGrad } from "../graph/grad-mode.js";
import type { Shape } from "../base/shape.js";
import { asVariable, checkVariable, Variable, type Operand } from "../graph/variable.js";

export interface GradCheckOptions {
  /** How often to differentiate: 1 checks the gradient, 2 (the default) also the gradient's gradient. */
  readonly order?: number;
  /** The largest relative difference. Default 0.002; float32 rounding of the values is allowed for besides. */
  readonly tolerance?: number;
  /** The distance to step to each side, relative to max(1, |x|). Default 0.02. */
  readonly step?: number;
  /** Up to this size an input is checked along each element, above along random directions. Default 64. */
  readonly maxElements?: number;
  /** The number of random directions for a large input. Default 4. */
  readonly directions?: number;
  /** Of the random weights and directions. Default 1. */
  readonly seed?: number;
}

export interface GradCheckReport {
  /** Derivatives that were compared. */
  readonly checked: number;
  /** The largest difference, relative to the larger of the two numbers and what rounding allows. */
  readonly largestError: number;
}

/**
 * Checks the gradients of `f` at `inputs` against central differences (five points, of fourth order), and that the two
 * ways to a gradient agree: the backward shaders, and the derivatives with a graph. Away from kinks, as at relu's 0.
 *
 * @throws GradCheckError, which names the input, the element (or direction) and both numbers; what `f` throws.
 * @example
 * await gradCheck((x) => square(exp(x)), [new Variable([0.1, -0.4])]);
 */
export async function gradCheck(
  f: Differentiable,
  inputs: readonly Operand[],
  options: GradCheckOptions = {},
): Promise<GradCheckReport> {
  checkFunction(f, "what gradCheck checks");
  const { order, seed } = checkOptions(options);
  const values = await Promise.all(
    checkList<Operand>(inputs, "gradCheck's inputs").map(async (input) => {
      const variable = asVariable(input);
      return { shape: variable.shape, numbers: await variable.read() };
    }),
  );
  let checked = 0;
  let largestError = 0;
  let current: Differentiable = (...args) => checkVariable(f(...args), "what gradCheck's function gives");
  for (let k = 1; k <= order; k++) {
    const report = await checkOnce(current, values, checkOptions(options), k);
    checked += report.checked;
    largestError = Math.max(largestError, report.largestError);
    current = weighedGradient(current, values.length, seed + k);
  }
  return { checked, largestError };
}

/** The options with their defaults. @throws ArgumentError for numbers that make no sense. */
function checkOptions(options: GradCheckOptions): Required<GradCheckOptions> {
  const {
    order = 2,
    tolerance = 0.002,
    step = 0.02,
    maxElements = 64,
    directions = 4,
    seed = 1,
  } = checkObject(options, "gradCheck's options");
  return {
    order: checkNumber(order, 0, 10, true, "gradCheck: order"),
    tolerance: checkNumber(tolerance, 0, Infinity, false, "gradCheck: tolerance"),
    step: checkNumber(step, Number.MIN_VALUE, Number.MAX_VALUE, false, "gradCheck: step"),
    maxElements: checkNumber(maxElements, 0, Infinity, false, "gradCheck: maxElements"),
    directions: checkNumber(directions, 0, 10_000, true, "gradCheck: directions"),
    seed: checkNumber(seed, -Infinity, Infinity, false, "gradCheck: seed"),
  };
}

interface Values {
  readonly shape: Shape;
  readonly numbers: Float32Array;
}

/** The offsets of the five-point formula, in steps, and their weights: f' ≈ Σ weight f(x + offset h) / h. */
const stencil = [
  { offset: -2, weight: 1 / 12 },
  { offset: -1, weight: -8 / 12 },
  { offset: 1, weight: 8 / 12 },
  { offset: 2, weight: -1 / 12 },
];

/** What four values of about 1, each a few ULP off, can add to a difference. */
const roundingOfOne = 2 ** -21;

async function checkOnce(
  f: Differentiable,
  values: readonly Values[],
  { tolerance, step, maxElements, directions, seed }: Required<GradCheckOptions>,
  order: number,
): Promise<GradCheckReport> {
  const leaves = values.map(({ shape, numbers }) => new Variable(numbers, { shape }));
  const weights = randomNumbers(f(...leaves).size, seed);
  const gradients = await gradientsOf(f, leaves, weights, false);
  const withGraph = await gradientsOf(f, leaves, weights, true);
  // Async, so that what f throws at one point is found with the reads of the others.
  const evaluate = async (changed: number, numbers: Float32Array): Promise<Float32Array> =>
    noGrad(() =>
      f(...leaves.map((leaf, index) => (index === changed ? new Variable(numbers, { shape: leaf.shape }) : leaf))),
    ).read();

  let checked = 0;
  let largestError = 0;
  for (const [input, { numbers }] of values.entries()) {
    const gradient = at(gradients, input);
    compareWays(gradient, at(withGraph, input), input, order, tolerance);
    for (const { element, direction } of directionsFor(gradient, maxElements, directions, seed + input)) {
      const h = step * (element === null ? 1 : Math.max(1, Math.abs(at(numbers, element))));
      const points = stencil.map(({ offset }) => numbers.map((x, i) => x + offset * h * at(direction, i)));
      const results = await Promise.all(points.map((point) => evaluate(input, point)));
      const { difference, rounding } = differenceOf(results, weights, h);
      const analytic = direction.reduce((total, d, i) => total + d * at(gradient, i), 0);
      const scale = Math.max(Math.abs(analytic), Math.abs(difference));
      const error = Math.abs(analytic - difference);
      checked++;
      largestError = Math.max(largestError, error / (scale + rounding || 1));
      if (!(error <= tolerance * scale + rounding)) {
        const where = element === null ? "a random direction" : `element ${element}`;
        throw new GradCheckError(
          `gradCheck: derivative ${order} by input ${input}, ${where}: the gradient is ${analytic}, differences give ${difference}`,
          { input, element, gradient: analytic, difference },
        );
      }
    }
  }
  return { checked, largestError };
}

/**
 * The weighed derivative from values at the stencil's points, and how much of it may be float32 rounding: each output
 * rounds on its own, so that their errors add up as the root of the sum of squares.
 */
function differenceOf(
  results: readonly Float32Array[],
  weights: Float32Array,
  h: number,
): { difference: number; rounding: number } {
  let difference = 0;
  let squares = 0;
  weights.forEach((weight, i) => {
    const column = results.map((result) => at(result, i));
    // An output that the step doesn't move is the same number four times, and cancels exactly.
    if (column.every((value) => value === column[0])) return;
    difference += (weight * column.reduce((total, value, k) => total + at(stencil, k).weight * value, 0)) / h;
    squares += ((weight * Math.max(...column.map(Math.abs)) * roundingOfOne) / h) ** 2;
  });
  return { difference, rounding: Math.sqrt(squares) };
}

function compareWays(fast: Float32Array, graph: Float32Array, input: number, order: number, tolerance: number): void {
  const scale = fast.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  fast.forEach((value, element) => {
    const other = at(graph, element);
    if (Math.abs(value - other) > tolerance * Math.max(Math.abs(value), Math.abs(other)) + scale * 1e-6) {
      throw new GradCheckError(
        `gradCheck: derivative ${order} by input ${input}, element ${element}: backward's shader gives ${value}, its derivative ${other}`,
        { input, element, gradient: value, difference: other },
      );
    }
  });
}

/** The gradients of Σ weight · f, by each leaf; with `createGraph` on the differentiable path. */
async function gradientsOf(
  f: Differentiable,
  leaves: readonly Variable[],
  weights: Float32Array,
  createGraph: boolean,
): Promise<Float32Array[]> {
  const fresh = leaves.map((leaf) => new Variable(leaf.data.reshape(leaf.shape)));
  const y = withGrad(true, () => f(...fresh));
  if (!y.requiresGrad) return fresh.map(({ size }) => new Float32Array(size));
  y.grad = new Variable(weights, { shape: y.shape, requiresGrad: false });
  y.backward({ createGraph, retainGrad: false });
  return Promise.all(fresh.map(({ grad, size }) => grad?.read() ?? Promise.resolve(new Float32Array(size))));
}

/** The next function to check: a weighed sum of all first derivatives. */
function weighedGradient(f: Differentiable, count: number, seed: number): Differentiable {
  const slopes = grad(f, { argnums: Array.from({ length: count }, (_, index) => index) });
  return (...args) => {
    // Under noGrad only the value is wanted, but it must come from the path that is checked.
    const tracked = gradEnabled() ? args : args.map((arg) => new Variable(arg.data.reshape(arg.shape)));
    return withGrad(true, () =>
      slopes(...tracked)
        .map((slope, index) => {
          const weights = new Variable(randomNumbers(slope.size, seed + index), {
            shape: slope.shape,
            requiresGrad: false,
          });
          return sum(mul(slope, weights));
        })
        .reduce((total, part) => total.add(part)),
    );
  };
}

/**
 * The axes of a small input, or some random directions in a large one. Every other one of these climbs: it has the
 * gradient's signs, so that the slope along it doesn't cancel and stands out of the values' rounding.
 */
function* directionsFor(
  gradient: Float32Array,
  maxElements: number,
  count: number,
  seed: number,
): Generator<{ element: number | null; direction: Float32Array }> {
  const size = gradient.length;
  if (size > maxElements) {
    for (let k = 0; k < count; k++) {
      const random = randomNumbers(size, 1000 * seed + k);
      const climbing = random.map((d, i) => ((gradient[i] ?? 0) < 0 ? -Math.abs(d) : Math.abs(d)));
      yield { element: null, direction: k % 2 === 0 ? climbing : random };
    }
    return;
  }
  for (let element = 0; element < size; element++) {
    const direction = new Float32Array(size);
    direction[element] = 1;
    yield { element, direction };
  }
}

/** Numbers between -1 and 1, none near 0, the same for the same seed (mulberry32). */
function randomNumbers(size: number, seed: number): Float32Array {
  let state = seed | 0;
  return Float32Array.from({ length: size }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const uniform = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    return uniform < 0.5 ? -1 + 1.8 * uniform : 0.1 + 1.8 * (uniform - 0.5);
  });
}
