/** Built-in functions of constants, and the operands that WGSL doesn't allow them. */
import { each, inRange, type Constant, type Wrong } from "./constant.js";
import { elementOf, isFloat, type Type } from "./types.js";

/** Of numbers, component by component. Where there is no result it is NaN or infinite. */
const ofNumbers: Readonly<Partial<Record<string, (...xs: number[]) => number>>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atan2: Math.atan2,
  atanh: Math.atanh,
  ceil: Math.ceil,
  clamp: (x = 0, low = 0, high = 0) => Math.min(Math.max(x, low), high),
  cos: Math.cos,
  cosh: Math.cosh,
  degrees: (x = 0) => (x * 180) / Math.PI,
  exp: Math.exp,
  exp2: (x = 0) => 2 ** x,
  floor: Math.floor,
  fma: (a = 0, b = 0, c = 0) => a * b + c,
  fract: (x = 0) => x - Math.floor(x),
  inverseSqrt: (x = 0) => 1 / Math.sqrt(x),
  ldexp: (x = 0, power = 0) => x * 2 ** power,
  log: Math.log,
  log2: Math.log2,
  max: Math.max,
  min: Math.min,
  mix: (a = 0, b = 0, t = 0) => a * (1 - t) + b * t,
  pow: (x = 0, y = 0) => (x < 0 ? NaN : x ** y),
  radians: (x = 0) => (x * Math.PI) / 180,
  round: (x = 0) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  saturate: (x = 0) => Math.min(Math.max(x, 0), 1),
  sign: Math.sign,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  step: (edge = 0, x = 0) => (edge <= x ? 1 : 0),
  tan: Math.tan,
  tanh: Math.tanh,
  trunc: Math.trunc,
};

/** Of vectors. */
const ofVectors: Readonly<Partial<Record<string, (a: number[], b: number[]) => number>>> = {
  dot: (a, b) => a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0),
  length: (a) => Math.hypot(...a),
  distance: (a, b) => Math.hypot(...a.map((x, k) => x - (b[k] ?? 0))),
};

/** The result, or null where it isn't known. @param args what is known of the operands, converted to what they are as one */
export function constantResult(name: string, args: readonly Constant[], type: Type, wrong: Wrong): Constant | null {
  const [a = 0, b = 0, condition = false] = args;
  const element = elementOf(type);
  if (name === "select") return each((no, yes, is) => (is === true ? yes : no), a, b, condition);
  if (name === "any") return numbersOf(a).some((x) => x !== 0);
  if (name === "all") return numbersOf(a).every((x) => x !== 0);
  if (element === null) return null;
  const refused: Wrong = () => wrong(`${name} has no value that a constant can have for these operands`);
  const vectors = ofVectors[name];
  if (vectors !== undefined) {
    return isFloat(element) ? inRange(vectors(numbersOf(a), numbersOf(b)), element, refused) : null;
  }
  if (name === "normalize") {
    const length = Math.hypot(...numbersOf(a));
    return each((x) => inRange(Number(x) / length, element, refused), a);
  }
  const compute = ofNumbers[name];
  if (compute === undefined) return null;
  // The lowest i32 is its own absolute value.
  if (element === "i32" && name === "abs") return each((x) => Math.abs(Number(x)) | 0, a);
  return each((...xs) => inRange(compute(...xs.map(Number)), element, refused), ...args);
}

function numbersOf(value: Constant): number[] {
  return typeof value === "object" ? value.flatMap(numbersOf) : [Number(value)];
}

/** Some operands must fit together even where the others aren't constant. @param args null for what isn't known */
export function checkOperands(name: string, args: readonly (Constant | null)[], wrong: Wrong): void {
  const [a = null, b = null, c = null, d = null] = args;
  const holds = (test: (x: number, y: number) => boolean, x: Constant | null, y: Constant | null): boolean =>
    x !== null && y !== null && numbersOf(each((p, q) => test(Number(p), Number(q)), x, y) ?? 0).some((is) => is !== 0);
  if (name === "clamp" && holds((low, high) => low > high, b, c)) wrong("clamp's lower bound is above the upper one");
  if (name === "smoothstep" && holds((low, high) => low === high, a, b)) wrong("smoothstep's edges are equal");
  if (name === "ldexp" && a === null && holds((power) => power > 128, b, 0)) wrong("ldexp's exponent is more than 128");
  const isBits = name === "extractBits" || name === "insertBits";
  const [offset, count] = name === "extractBits" ? [b, c] : [c, d];
  if (isBits && holds((from, bits) => from + bits > 32, offset, count)) wrong(`${name} reaches beyond the 32 bits`);
}
