/** Each function of numbers with its partial derivatives, in float64, as textbooks have them. */
import type { Rule } from "./float.js";

type Unary = (x: number, y: number) => number;
type Binary = (a: number, b: number, y: number) => number;

function one(value: (x: number) => number, slope: Unary): Rule {
  return { value: (x = NaN) => value(x), partials: ([x = NaN], y) => [slope(x, y)] };
}

function two(value: (a: number, b: number) => number, byA: Binary, byB: Binary): Rule {
  return {
    value: (a = NaN, b = NaN) => value(a, b),
    partials: ([a = NaN, b = NaN], y) => [byA(a, b, y), byB(a, b, y)],
  };
}

/** Of what is constant between its jumps. */
const flat = (value: (x: number) => number): Rule => one(value, () => 0);

export const add = two(
  (a, b) => a + b,
  () => 1,
  () => 1,
);
export const subtract = two(
  (a, b) => a - b,
  () => 1,
  () => -1,
);
export const multiply = two(
  (a, b) => a * b,
  (_, b) => b,
  (a) => a,
);
export const divide = two(
  (a, b) => a / b,
  (_, b) => 1 / b,
  (_, b, y) => -y / b,
);
/** As C's fmod: the sign is that of a. */
export const remainder = two(
  (a, b) => a % b,
  () => 1,
  (a, b) => -Math.trunc(a / b),
);
export const negate = one(
  (x) => -x,
  () => -1,
);

/** Which operand clamp passes on: the bounds are inside. */
function clamped(x: number, low: number, high: number): 0 | 1 | 2 {
  if (x >= low && x <= high) return 0;
  return Math.max(x, low) > high ? 2 : 1;
}

export const clamp: Rule = {
  value: (x = NaN, low = NaN, high = NaN) => Math.min(Math.max(x, low), high),
  partials: ([x = NaN, low = NaN, high = NaN]) => [0, 1, 2].map((k) => (k === clamped(x, low, high) ? 1 : 0)),
};

/** To the even neighbour where two are as near. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  // e^(-x^2) times a sum of terms of one sign, so that nothing cancels.
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const erfSlope = (x: number): number => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
const tanhSlope = (x: number): number => 1 / Math.cosh(x) ** 2;
const tanSlope = (x: number): number => 1 + Math.tan(x) ** 2;
const sigmoidSlope = (x: number): number => sigmoid(x) * sigmoid(-x);

/** By the name that WGSL, or shaders/math behind `math_`, has for it. */
export const rules: Readonly<Partial<Record<string, Rule>>> = {
  abs: one(Math.abs, Math.sign),
  acos: one(Math.acos, (x) => -1 / Math.sqrt(1 - x * x)),
  acosh: one(Math.acosh, (x) => 1 / Math.sqrt(x * x - 1)),
  asin: one(Math.asin, (x) => 1 / Math.sqrt(1 - x * x)),
  asinh: one(Math.asinh, (x) => 1 / Math.sqrt(x * x + 1)),
  atan: one(Math.atan, (x) => 1 / (1 + x * x)),
  atanh: one(Math.atanh, (x) => 1 / (1 - x * x)),
  cos: one(Math.cos, (x) => -Math.sin(x)),
  cosh: one(Math.cosh, Math.sinh),
  degrees: one(
    (x) => (x * 180) / Math.PI,
    () => 180 / Math.PI,
  ),
  erf: one(erf, erfSlope),
  erf_slope: one(erfSlope, (x, y) => -2 * x * y),
  exp: one(Math.exp, (_, y) => y),
  exp2: one(
    (x) => 2 ** x,
    (_, y) => y * Math.LN2,
  ),
  fract: one(
    (x) => x - Math.floor(x),
    () => 1,
  ),
  inverseSqrt: one(
    (x) => 1 / Math.sqrt(x),
    (x, y) => -y / (2 * x),
  ),
  log: one(Math.log, (x) => 1 / x),
  log2: one(Math.log2, (x) => 1 / (x * Math.LN2)),
  radians: one(
    (x) => (x * Math.PI) / 180,
    () => Math.PI / 180,
  ),
  sigmoid: one(sigmoid, sigmoidSlope),
  sigmoid_slope: one(sigmoidSlope, (x, y) => y * (1 - 2 * sigmoid(x))),
  sin: one(Math.sin, Math.cos),
  sinh: one(Math.sinh, Math.cosh),
  softplus: one((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid),
  sqrt: one(Math.sqrt, (_, y) => 1 / (2 * y)),
  tan: one(Math.tan, tanSlope),
  tan_slope: one(tanSlope, (x, y) => 2 * y * Math.tan(x)),
  tanh: one(Math.tanh, tanhSlope),
  tanh_slope: one(tanhSlope, (x, y) => -2 * y * Math.tanh(x)),
  ceil: flat(Math.ceil),
  floor: flat(Math.floor),
  quantizeToF16: flat(toF16),
  round: flat(roundEven),
  sign: flat(Math.sign),
  trunc: flat(Math.trunc),
  atan2: two(
    Math.atan2,
    (a, b) => b / (a * a + b * b),
    (a, b) => -a / (a * a + b * b),
  ),
  div: divide,
  max: two(
    Math.max,
    (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
  ),
  min: two(
    Math.min,
    (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
  ),
  pow: two(
    Math.pow,
    (a, b) => (b === 0 ? 0 : b * a ** (b - 1)),
    (a, b, y) => (a === 0 && b >= 0 ? 0 : y * Math.log(a)),
  ),
  step: two(
    (edge, x) => (x >= edge ? 1 : 0),
    () => 0,
    () => 0,
  ),
  clamp,
};

/** The nearest number that 16 bits hold. */
export function toF16(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const unit = 2 ** (exponent - 10);
  return roundEven(x / unit) * unit;
}
