/**
 * What is promised of each function, forward and backward: one row each. It holds on every driver, relaxed math
 * included, other than where a row says that the operation is the driver's: then it is what WGSL asks of drivers.
 */
import { erf, pow, relu, sigmoid, sigmoidSlope, sign, softplus, tanhSlope, twoOverRootPi } from "./reference.js";

/** By how much a normal result may differ from the exact one. */
export type Accuracy =
  /** Units in the last place of a float32 of the exact result's size. */
  | { readonly ulp: number }
  /** The float32 nearest to the exact result, every one. */
  | { readonly ulp: 0.5; readonly nearest: true }
  /** An absolute error that depends on x, for gradients whose formula cancels; in words too. */
  | { readonly bound: (x: number, exact: number) => number; readonly words: string };

export interface Row {
  /** "exp", or "exp backward" for its gradient where that of the result is 1. */
  readonly name: string;
  readonly operands: 1 | 2;
  /** In float64. The second operand only counts where there are two. */
  readonly exact: (a: number, b: number) => number;
  readonly accuracy: Accuracy;
  /** A larger x never gives a smaller result. False where it should be so, but neighbours may be out of order. */
  readonly monotonic?: boolean;
  /** Subnormal operands and results may be taken for 0, as WGSL allows. Else results below 2⁻¹²⁶ are kept to one unit. */
  readonly mayFlush: boolean;
  /** Where it is computed by the driver's own operation. */
  readonly driver?: true;
  /** Bit patterns, from and to, where errors are largest: a sample looks here more closely. */
  readonly dense: readonly (readonly [from: number, to: number])[];
}

/** 2⁻²⁴, half a unit in the last place of 1: what one rounding may add to a number of size 1. */
const u = 2 ** -24;

const within = (ulp: number): Accuracy => ({ ulp });
const nearest: Accuracy = { ulp: 0.5, nearest: true };

type One = (x: number) => number;
type Details = Partial<Pick<Row, "monotonic" | "mayFlush" | "driver" | "dense">>;

const forward = (name: string, exact: One, accuracy: Accuracy, details: Details = {}): Row => ({
  name,
  operands: 1,
  exact,
  accuracy,
  mayFlush: false,
  dense: [],
  ...details,
});

/** Gradients are plain products and sums of what the forward functions give: those flush what is subnormal. */
const backward = (name: string, exact: One, accuracy: Accuracy, details: Details = {}): Row =>
  forward(`${name} backward`, exact, accuracy, { mayFlush: true, ...details });

const pair = (name: string, exact: Row["exact"], accuracy: Accuracy, details: Details = {}): Row => ({
  ...forward(name, (x) => exact(x, NaN), accuracy, details),
  operands: 2,
  exact,
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

  backward("square", (x) => 2 * x, nearest),
  backward("sqrt", (x) => 0.5 / Math.sqrt(x), within(7), { driver: true }),
  backward("reciprocal", (x) => -1 / (x * x), within(6), { driver: true }),
  backward("exp", Math.exp, within(1), { monotonic: true, dense: [[0x41d80000, 0x41e00000]] }),
  backward("log", (x) => 1 / x, within(2.5), { driver: true }),
  backward("sin", Math.cos, within(2), { dense: turns }),
  backward("cos", (x) => -Math.sin(x), within(2), { dense: turns }),
  backward("tan", (x) => 1 + Math.tan(x) ** 2, within(6), { dense: turns }),
  backward("tanh", tanhSlope, { bound: () => 3 * u, words: "3 · 2⁻²⁴" }, { dense: aroundHalf }),
  backward(
    "sigmoid",
    sigmoidSlope,
    {
      bound: (x, exact) => u * (4 * exact + (x > 0 ? 1.5 : 0)) + 2 ** -126,
      words: "2⁻²⁴ (4y′ + 1.5 where x > 0) + 2⁻¹²⁶",
    },
    { dense: aroundHalf },
  ),
  backward("softplus", sigmoid, within(1), { dense: aroundHalf }),
  backward(
    "erf",
    (x) => twoOverRootPi * Math.exp(-x * x),
    { bound: (x, exact) => u * (x * x + 6) * exact + 2 ** -125, words: "2⁻²⁴ (x² + 6) y′ + 2⁻¹²⁵" },
    { dense: aroundHalf },
  ),

  pair("div", (a, b) => a / b, within(2.5), driver),
  pair("pow", pow, within(1)),
  pair("atan2", Math.atan2, within(2)),
];

/** @throws Error where there is no such row. */
export function rowOf(name: string): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
}

/** The promised accuracy as text. */
export function promised({ accuracy }: Row): string {
  if ("words" in accuracy) return accuracy.words;
  return "nearest" in accuracy ? "nearest" : `${accuracy.ulp} ULP`;
}
