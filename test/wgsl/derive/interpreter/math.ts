/** gpugrad's own functions (shaders/math), by name: what they stand for in float64, not how they are computed. */
import { apply, numberOf, type Float } from "./float.js";
import { add, divide, multiply, negate, rules, subtract } from "./rules.js";
import { asFloat, type Value } from "./values.js";

type Formula = (...operands: Float[]) => Value;

const plus = (a: Float, b: Float): Float => apply(add, a, b);
const times = (a: Float, b: Float): Float => apply(multiply, a, b);
const over = (a: Float, b: Float): Float => apply(divide, a, b);
const log = (x: Float): Float => apply(rules["log"]!, x);

function powGradient(g: Float, a: Float, b: Float): Value {
  const [base, exponent] = [numberOf(a), numberOf(b)];
  const pow = (by: Float): Float => apply(rules["pow"]!, a, by);
  return [
    exponent === 0 ? 0 : times(g, times(b, pow(apply(subtract, b, 1)))),
    base === 0 && exponent >= 0 ? 0 : times(g, times(pow(b), log(a))),
  ];
}

const exponentOf = (x: Float): number => (numberOf(x) === 0 ? 0 : Math.floor(Math.log2(Math.abs(numberOf(x)))));

/** Those that rules.ts doesn't have. */
const formulas: Readonly<Partial<Record<string, Formula>>> = {
  angle_gradient: (g, a, b) => over(times(g, b), plus(times(a, a), times(b, b))),
  divisor_gradient: (g, a, b) => apply(negate, over(times(g, a), times(b, b))),
  doubled_product: (a, b) => times(2, times(a, b)),
  equal: (a, b) => numberOf(a) === numberOf(b),
  is_nan: (x) => Number.isNaN(numberOf(x)),
  is_zero: (x) => numberOf(x) === 0,
  less: (a, b) => numberOf(a) < numberOf(b),
  opaque: (x) => x,
  order: (x) => Math.sign(numberOf(x)),
  pow_gradient: (g, a, b) => powGradient(g, a, b),
  quotient: (n, d, tail) => [over(n, plus(d, tail)), 0],
  scale: (x, k) => times(x, 2 ** numberOf(k)),
  scale_exponent: exponentOf,
  scale_significand: (x) => times(x, 2 ** -exponentOf(x)),
  split: (x) => [x, 0],
  two_sum: (a, b) => [plus(a, b), 0],
  zero: () => 0,
};

/** Of math_exp or math_exact_exp; null where it isn't known. */
export function mathFormula(name: string): ((args: readonly Value[]) => Value) | null {
  const short = name.replace(/^math_(?:exact_)?/, "");
  const formula = formulas[short];
  if (formula !== undefined) return (args) => formula(...(args.map(asFloat) as [Float]));
  const rule = rules[short];
  return rule === undefined ? null : (args) => apply(rule, ...args.map(asFloat));
}
