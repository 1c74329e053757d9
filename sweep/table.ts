/**
 * What is promised of each function, of its gradient by each way and of its second derivative: one row each. It holds on
 * every driver, relaxed math included, other than where a row says that the operation is the driver's: then it is what
 * a driver gives whose divisions and square roots are within 1.5 ULP.
 */
import * as reference from "./reference.js";
import { erf, pow, relu, sigmoid, sign, softplus } from "./reference.js";

/** By how much a normal result may differ from the exact one. */
type Accuracy =
  /** Units in the last place of a float32 of the exact result's size. */
  | { readonly ulp: number }
  /** The float32 nearest to the exact result, every one. */
  | { readonly ulp: 0.5; readonly nearest: true };

/** Which gradient, where that of the result is 1. */
export interface Gradient {
  /** The operand, by index, that it is of. */
  readonly operand: 0 | 1;
  readonly order: 1 | 2;
  /** By the graph of derivatives, or by the backward shaders. A second derivative takes the graph, then the shaders. */
  readonly createGraph: boolean;
  /** Of an own function with the same forward, from whose source it is derived. */
  readonly derived?: true;
}

export interface Row {
  /** "exp"; "exp backward", "exp createGraph" and "exp derived" for its gradient by each way; "exp second" for its second derivative. */
  readonly name: string;
  /** The function. */
  readonly of: string;
  /** Null where the row is of the function's own results. */
  readonly gradient: Gradient | null;
  readonly operands: 1 | 2;
  /** In float64. The second operand only counts where there are two. */
  readonly exact: (a: number, b: number) => number;
  readonly accuracy: Accuracy;
  /** A larger x never gives a smaller result. False where it should be so, but neighbours may be out of order. */
  readonly monotonic?: boolean;
  /** Subnormal operands and results may be taken for 0, as WGSL allows. Else results below 2⁻¹²⁶ are kept to one unit. */
  readonly mayFlush: boolean;
  /** Normal results below this may be 0, where a factor on the way to them is subnormal. */
  readonly keptFrom: number;
  /** Where it is computed by the driver's own operation. */
  readonly driver?: true;
  /** Bit patterns, from and to, where errors are largest: a sample looks here more closely. */
  readonly dense: readonly (readonly [from: number, to: number])[];
}

const within = (ulp: number): Accuracy => ({ ulp });
const nearest: Accuracy = { ulp: 0.5, nearest: true };

type One = (x: number) => number;
type Details = Partial<Pick<Row, "monotonic" | "mayFlush" | "keptFrom" | "driver" | "dense">>;

const forward = (name: string, exact: One, accuracy: Accuracy, details: Details = {}): Row => ({
  name,
  of: name,
  gradient: null,
  operands: 1,
  exact,
  accuracy,
  mayFlush: false,
  keptFrom: 2 ** -126,
  dense: [],
  ...details,
});

const pair = (name: string, exact: Row["exact"], accuracy: Accuracy, details: Details = {}): Row => ({
  ...forward(name, (x) => exact(x, NaN), accuracy, details),
  operands: 2,
  exact,
});

/** Gradients are products with the gradient that arrives: those flush what is subnormal. */
const gradient = (row: Row, name: string, of: string, what: Gradient): Row => ({
  ...row,
  name,
  of,
  gradient: what,
  mayFlush: true,
});

/** The gradient of a function of one operand, by each way. */
const backward = (name: string, exact: One, accuracy: Accuracy, details: Details = {}): readonly Row[] =>
  eachWay(forward(name, exact, accuracy, details), name, 0, "");

/** The gradients of a function of two. */
const backwardPair = (
  name: string,
  exact: readonly [Row["exact"], Row["exact"]],
  accuracy: Accuracy,
  details: Details = {},
): readonly Row[] =>
  ([0, 1] as const).flatMap((operand) =>
    eachWay(pair(name, exact[operand], accuracy, details), name, operand, operand === 0 ? " a" : " b"),
  );

const eachWay = (row: Row, name: string, operand: 0 | 1, suffix: string): readonly Row[] => [
  gradient(row, `${name} backward${suffix}`, name, { operand, order: 1, createGraph: false }),
  gradient(row, `${name} createGraph${suffix}`, name, { operand, order: 1, createGraph: true }),
  gradient(row, `${name} derived${suffix}`, name, { operand, order: 1, createGraph: false, derived: true }),
];

const second = (name: string, exact: One, accuracy: Accuracy, details: Details = {}): Row =>
  gradient(forward(name, exact, accuracy, details), `${name} second`, name, {
    operand: 0,
    order: 2,
    createGraph: true,
  });

const flushes = { mayFlush: true } as const;
const driver = { mayFlush: true, driver: true } as const;

/** Multiples of π/2 around 3 to 6.5 and around 2¹⁷. */
const turns = [
  [0x40400000, 0x40d00000],
  [0x47f00000, 0x48000000],
] as const;
const aroundHalf = [
  [0x3e800000, 0x3f800000],
  [0xbe800000, 0xbf800000],
] as const;

export const rows: readonly Row[] = [
  forward("neg", (x) => -x, nearest, flushes),
  forward("abs", Math.abs, nearest, flushes),
  forward("sign", sign, nearest),
  forward("relu", relu, nearest, flushes),
  forward("square", (x) => x * x, nearest, flushes),
  forward("sqrt", Math.sqrt, within(4.5), { ...driver, dense: [[0x00800000, 0x00900000]] }),
  forward("reciprocal", (x) => 1 / x, within(2.5), { ...driver, dense: [[0x7e700000, 0x7f000000]] }),
  forward("exp", Math.exp, within(1), {
    monotonic: true,
    dense: [
      [0x41d80000, 0x41e00000],
      [0x42ae0000, 0x42b40000],
      [0xc2ae0000, 0xc2b40000],
    ],
  }),
  forward("log", Math.log, within(1), {
    monotonic: false,
    dense: [
      [0, 0x10000],
      [0x3f300000, 0x3f900000],
    ],
  }),
  forward("sin", Math.sin, within(2), { dense: turns }),
  forward("cos", Math.cos, within(2), { dense: turns }),
  forward("tan", Math.tan, within(2), { dense: turns }),
  forward("tanh", Math.tanh, within(1), { monotonic: false, dense: aroundHalf }),
  forward("sigmoid", sigmoid, within(1), { monotonic: false, dense: aroundHalf }),
  forward("softplus", softplus, within(2), { monotonic: false, dense: aroundHalf }),
  forward("erf", erf, within(2), {
    monotonic: false,
    dense: [
      [0x00800000, 0x0d800000],
      [0x3f000000, 0x40800000],
    ],
  }),
  // New functions of one operand: above this line.

  pair("add", (a, b) => a + b, nearest, flushes),
  pair("sub", (a, b) => a - b, nearest, flushes),
  pair("mul", (a, b) => a * b, nearest, flushes),
  pair("maximum", Math.max, nearest),
  pair("minimum", Math.min, nearest),
  pair("greater", (a, b) => Number(a > b), nearest),
  pair("greaterEqual", (a, b) => Number(a >= b), nearest),
  pair("less", (a, b) => Number(a < b), nearest),
  pair("lessEqual", (a, b) => Number(a <= b), nearest),
  pair("equal", (a, b) => Number(a === b), nearest),
  pair("notEqual", (a, b) => Number(a !== b), nearest),
  pair("div", (a, b) => a / b, within(2.5), driver),
  pair("pow", pow, within(1)),
  pair("atan2", Math.atan2, within(2)),
  // New functions of two operands: above this line.

  ...backward("abs", sign, nearest),
  ...backward("relu", (x) => (x <= 0 ? 0 : 1), nearest),
  ...backward("square", (x) => 2 * x, nearest),
  ...backward("sqrt", (x) => 0.5 / Math.sqrt(x), within(3), { driver: true }),
  ...backward("reciprocal", (x) => -1 / (x * x), within(4), { driver: true }),
  ...backward("exp", Math.exp, within(1), { monotonic: true, dense: [[0x41d80000, 0x41e00000]] }),
  ...backward("log", (x) => 1 / x, within(2.5), { driver: true }),
  ...backward("sin", Math.cos, within(2), { dense: turns }),
  ...backward("cos", (x) => -Math.sin(x), within(2), { dense: turns }),
  ...backward("tan", (x) => 1 + Math.tan(x) ** 2, within(4), { dense: turns }),
  ...backward("tanh", reference.tanhSlope, within(4), { dense: aroundHalf }),
  ...backward("sigmoid", reference.sigmoidSlope, within(4), { dense: aroundHalf }),
  ...backward("softplus", sigmoid, within(1), { dense: aroundHalf }),
  ...backward("erf", reference.erfSlope, within(4), { dense: aroundHalf }),
  // New gradients of one operand: above this line.
  ...backwardPair("div", [(_, b) => 1 / b, reference.divisorSlope], within(4), driver),
  ...backwardPair("pow", [reference.baseSlope, reference.exponentSlope], within(4), driver),
  ...backwardPair("atan2", [(a, b) => b / (a * a + b * b), (a, b) => -a / (a * a + b * b)], within(4), driver),
  // New gradients of two operands: above this line.

  second("square", () => 2, nearest),
  second("sqrt", (x) => -0.25 / (x * Math.sqrt(x)), within(6), { driver: true }),
  second("reciprocal", (x) => 2 / (x * x * x), within(8), { driver: true, keptFrom: 2 ** -125 }),
  second("exp", Math.exp, within(1)),
  second("log", (x) => -1 / (x * x), within(4), { driver: true }),
  second("sin", (x) => -Math.sin(x), within(2), { dense: turns }),
  second("cos", (x) => -Math.cos(x), within(2), { dense: turns }),
  second("tan", (x) => 2 * Math.tan(x) * (1 + Math.tan(x) ** 2), within(7), { dense: turns }),
  second("tanh", (x) => -2 * Math.tanh(x) * reference.tanhSlope(x), within(6), {
    dense: aroundHalf,
    keptFrom: 2 ** -125,
  }),
  second("sigmoid", (x) => -Math.tanh(x / 2) * reference.sigmoidSlope(x), within(6), { dense: aroundHalf }),
  second("softplus", reference.sigmoidSlope, within(4), { dense: aroundHalf }),
  second("erf", (x) => (Math.abs(x) < 40 ? -2 * x * reference.erfSlope(x) : Number.isNaN(x) ? x : 0), within(6), {
    dense: aroundHalf,
    keptFrom: 2 ** -121,
  }),
  // New second derivatives: above this line.
];

/** @throws Error where there is no such row. */
export function rowOf(name: string): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
}

/** The promised accuracy as text. */
export function promised({ accuracy }: Row): string {
  return "nearest" in accuracy ? "nearest" : `${accuracy.ulp} ULP`;
}
