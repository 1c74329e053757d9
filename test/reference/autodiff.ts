/**
 * Reverse-mode differentiation in float64, written apart from src/ and in another way (a tape of numbers, element by
 * element), with a bound on what float32 may do to each result.
 *
 * With u = 2⁻²⁴ the unit roundoff and k u the relative error of one float32 operation, the error of a value grows as
 * e(y) ≤ Σ |∂y/∂x| e(x) + k u |y|, and the same for the gradients, whose operations are products and sums: a
 * contribution g · d, with d the local derivative, carries e(g) |d| + |g| e(d) + k u |g d|.
 */
export interface Tape {
  readonly shape: readonly number[];
  /** In float64, and how far float32's may be from them. */
  readonly values: Float64Array;
  readonly errors: Float64Array;
  readonly gradients: Float64Array;
  readonly gradientErrors: Float64Array;
  /** How each element came about, in the order of the elements; empty for a leaf. */
  readonly steps: readonly Step[];
}

/** One element's inputs, by place, with the derivative by each and a bound on that derivative's error. */
interface Step {
  readonly from: readonly {
    readonly tape: Tape;
    readonly place: number;
    readonly slope: number;
    readonly slopeError: number;
  }[];
}

const unit = 2 ** -24;
/** Roundings that one operation, or one contribution to a gradient, may add: functions within 4 ULP and their products. */
const perOperation = 16 * unit;

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function makeTape(shape: readonly number[], values: Float64Array, errors: Float64Array, steps: readonly Step[]): Tape {
  return {
    shape,
    values,
    errors,
    gradients: new Float64Array(values.length),
    gradientErrors: new Float64Array(values.length),
    steps,
  };
}

export function leaf(shape: readonly number[], values: Float32Array): Tape {
  return makeTape(shape, Float64Array.from(values), new Float64Array(values.length), []);
}

/** A function of one element of each operand: its value, its slopes, and by how much a slope changes with each operand. */
export interface Local {
  readonly value: number;
  readonly slopes: readonly number[];
  /** curvatures[i][j]: the second derivative by operands i and j. */
  readonly curvatures: readonly (readonly number[])[];
}

/** The place in an operand of this shape that meets a place of the result, by NumPy's rule. */
function placeIn(shape: readonly number[], result: readonly number[], place: number): number {
  let offset = 0;
  let stride = 1;
  for (let back = 1; back <= result.length; back++) {
    const whole = result[result.length - back] ?? 1;
    const own = back <= shape.length ? (shape[shape.length - back] ?? 1) : 1;
    const index = place % whole;
    place = (place - index) / whole;
    if (own > 1) offset += index * stride;
    stride *= own;
  }
  return offset;
}

export function elementwise(operands: readonly Tape[], f: (...x: number[]) => Local): Tape {
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, axis) =>
    Math.max(...operands.map((operand) => operand.shape[axis - rank + operand.shape.length] ?? 1)),
  );
  const count = size(shape);
  const values = new Float64Array(count);
  const errors = new Float64Array(count);
  const steps = Array.from({ length: count }, (_, place): Step => {
    const places = operands.map((operand) => placeIn(operand.shape, shape, place));
    const x = operands.map(({ values: own }, k) => own[places[k] ?? 0] ?? NaN);
    const moved = operands.map(({ errors: own }, k) => own[places[k] ?? 0] ?? NaN);
    const { value, slopes, curvatures } = f(...x);
    values[place] = value;
    errors[place] = slopes.reduce(
      (total, slope, k) => total + Math.abs(slope) * (moved[k] ?? 0),
      perOperation * Math.abs(value),
    );
    return {
      from: operands.map((tape, k) => ({
        tape,
        place: places[k] ?? 0,
        slope: slopes[k] ?? NaN,
        slopeError: (curvatures[k] ?? []).reduce(
          (total, curvature, j) => total + Math.abs(curvature) * (moved[j] ?? 0),
          0,
        ),
      })),
    };
  });
  return makeTape(shape, values, errors, steps);
}

/** The sum along one axis, which is dropped. */
export function sumAlong(tape: Tape, axis: number, scale = 1): Tape {
  const shape = tape.shape.filter((_, k) => k !== axis);
  const length = tape.shape[axis] ?? 1;
  const inner = size(tape.shape.slice(axis + 1));
  const count = size(shape);
  const values = new Float64Array(count);
  const errors = new Float64Array(count);
  const steps = Array.from({ length: count }, (_, place): Step => {
    const start = Math.floor(place / inner) * length * inner + (place % inner);
    const from = Array.from({ length }, (_, k) => ({ tape, place: start + k * inner, slope: scale, slopeError: 0 }));
    for (const { place: at } of from) {
      values[place] = (values[place] ?? 0) + scale * (tape.values[at] ?? NaN);
      const rounding = perOperation * length * Math.abs(tape.values[at] ?? NaN);
      errors[place] = (errors[place] ?? 0) + Math.abs(scale) * ((tape.errors[at] ?? NaN) + rounding);
    }
    return { from };
  });
  return makeTape(shape, values, errors, steps);
}

/** The same elements in another order or shape: `places` says which stands at each place of the result. */
export function rearranged(tape: Tape, shape: readonly number[], places: readonly number[]): Tape {
  return makeTape(
    shape,
    Float64Array.from(places, (place) => tape.values[place] ?? NaN),
    Float64Array.from(places, (place) => tape.errors[place] ?? NaN),
    places.map((place) => ({ from: [{ tape, place, slope: 1, slopeError: 0 }] })),
  );
}

/**
 * Gradients of the sum of the last tape's elements, into all of them. `tapes` is in the order in which they were made,
 * so that the way back meets each one after all that used it.
 */
export function backward(tapes: readonly Tape[]): void {
  const last = tapes[tapes.length - 1];
  last?.gradients.fill(1);
  for (const tape of [...tapes].reverse()) {
    // Each contribution is added to what is there already: as many roundings as contributions, at most.
    tape.steps.forEach(({ from }, element) => {
      const gy = tape.gradients[element] ?? NaN;
      const error = tape.gradientErrors[element] ?? NaN;
      if (gy === 0 && error === 0) return;
      for (const { tape: source, place, slope, slopeError } of from) {
        const before = source.gradients[place] ?? NaN;
        const part = gy * slope;
        source.gradients[place] = before + part;
        source.gradientErrors[place] =
          (source.gradientErrors[place] ?? NaN) +
          error * (Math.abs(slope) + slopeError) +
          Math.abs(gy) * slopeError +
          perOperation * Math.abs(part) +
          unit * (Math.abs(before) + Math.abs(part));
      }
    });
  }
}
