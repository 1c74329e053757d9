/** The same example in plain JavaScript: a loop to compare times with, and float64 to compare numbers with. */

/** How far results are from the exact ones. */
export interface Errors {
  /** The largest relative error. */
  readonly largest: number;
  /** The x where it is. */
  readonly at: number;
  /** The largest share of `bound` that an error takes: up to 1, the arithmetic is sound. */
  readonly shareOfBound: number;
}

export interface Comparison {
  readonly elements: number;
  /** Milliseconds of the plain loops. */
  readonly forward: number;
  readonly backward: number;
  readonly y: Errors;
  readonly gradient: Errors;
}

/** y = (exp(x²))² for each x, keeping b, which the gradient needs. */
function plainForward(x: Float32Array, b: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    const xi = x[i] ?? NaN;
    const bi = Math.exp(xi * xi);
    b[i] = bi;
    y[i] = bi * bi;
  }
}

/** dy/dx = 2b · b · 2x for each x. */
function plainBackward(x: Float32Array, b: Float32Array, gradient: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    const bi = b[i] ?? NaN;
    gradient[i] = 2 * bi * bi * 2 * (x[i] ?? NaN);
  }
}

/** Exact for our purpose: x is a float32, so x² is exact in float64. */
function exactY(x: number): number {
  return Math.exp(2 * x * x);
}

function exactGradient(x: number): number {
  return 4 * x * Math.exp(2 * x * x);
}

/** Half a unit in the last place of a float32 number between 1 and 2: the most that one rounding changes it by. */
const rounding = 2 ** -24;

/** math_exp's error in roundings: 0.88 units in the last place. */
const expRoundings = 2 * 0.88;

/**
 * The most that y may be off by, relative to y: squaring x rounds once, which exp makes x² of; exp adds its own; the
 * last square doubles both and rounds once.
 */
function boundOfY(x: number): number {
  return rounding * (2 * (x * x + expRoundings) + 1 + slack);
}

/** As for y: 2b is exact, 2b · b has y's error, and the product with 2x rounds once more. */
function boundOfGradient(x: number): number {
  return rounding * (2 * (x * x + expRoundings) + 2 + slack);
}

/** For products of errors, which the sums above leave out. */
const slack = 0.01;

const noErrors: Errors = { largest: 0, at: NaN, shareOfBound: 0 };

/** Compares what the GPU computed for these x with float64. */
function errorsOf(
  x: Float32Array,
  computed: Float32Array,
  exact: (x: number) => number,
  bound: (x: number) => number,
): Errors {
  let largest = -1;
  let at = NaN;
  let shareOfBound = 0;
  for (let i = 0; i < x.length; i++) {
    const xi = x[i] ?? NaN;
    const right = exact(xi);
    const difference = Math.abs((computed[i] ?? NaN) - right);
    const error = difference === 0 ? 0 : difference / Math.abs(right);
    // A NaN is the worst of errors, and must not get lost in comparisons that are false.
    if (Number.isNaN(error)) return { largest: Infinity, at: xi, shareOfBound: Infinity };
    if (error > largest) {
      largest = error;
      at = xi;
    }
    const share = error / bound(xi);
    if (share > shareOfBound) shareOfBound = share;
  }
  return { largest: Math.max(largest, 0), at, shareOfBound };
}

/** Nothing compared yet. */
export const nothing: Comparison = { elements: 0, forward: 0, backward: 0, y: noErrors, gradient: noErrors };

/** Two comparisons as one: times add up, of the errors the larger counts. */
export function joined(p: Comparison, q: Comparison): Comparison {
  return {
    elements: p.elements + q.elements,
    forward: p.forward + q.forward,
    backward: p.backward + q.backward,
    y: larger(p.y, q.y),
    gradient: larger(p.gradient, q.gradient),
  };
}

function larger(p: Errors, q: Errors): Errors {
  const { largest, at } = q.largest > p.largest ? q : p;
  return { largest, at, shareOfBound: Math.max(p.shareOfBound, q.shareOfBound) };
}

/** The clock of a page has steps of up to 0.1 ms; a loop is repeated until it took this many. */
const leastMilliseconds = 10;

/** Times the plain loops over x and compares the GPU's results with float64. */
export function compareBlock(x: Float32Array, y: Float32Array, gradient: Float32Array): Comparison {
  const b = new Float32Array(x.length);
  const out = new Float32Array(x.length);
  return {
    elements: x.length,
    forward: timed(() => {
      plainForward(x, b, out);
    }),
    backward: timed(() => {
      plainBackward(x, b, out);
    }),
    y: errorsOf(x, y, exactY, boundOfY),
    gradient: errorsOf(x, gradient, exactGradient, boundOfGradient),
  };
}

/** Runs the loops for a moment, so that what is timed later is compiled code. */
export function warmUp(): void {
  const x = Float32Array.from({ length: 4096 }, (_, i) => i / 4096);
  const b = new Float32Array(x.length);
  const out = new Float32Array(x.length);
  for (const start = performance.now(); performance.now() - start < 30;) {
    plainForward(x, b, out);
    plainBackward(x, b, out);
  }
}

function timed(loop: () => void): number {
  const start = performance.now();
  let times = 0;
  let now = start;
  while (now - start < leastMilliseconds) {
    loop();
    times++;
    now = performance.now();
  }
  return (now - start) / times;
}
