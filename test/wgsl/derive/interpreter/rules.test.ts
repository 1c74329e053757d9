/** Every rule of the reverse mode alone, against differences of its own function's values. */
import { describe, expect, test } from "vitest";
import { differences } from "../fuzz/differences.js";
import { Random } from "../fuzz/random.js";
import { apply, gradientOf, Node, numberOf, type Rule } from "./float.js";
import * as arithmetic from "./rules.js";
import { rules } from "./rules.js";

const { add, divide, multiply, negate, remainder, subtract } = arithmetic;

const all: readonly (readonly [string, Rule, number])[] = [
  ["add", add, 2],
  ["subtract", subtract, 2],
  ["multiply", multiply, 2],
  ["divide", divide, 2],
  ["remainder", remainder, 2],
  ["negate", negate, 1],
  ...Object.entries(rules).flatMap(([name, rule]): [string, Rule, number][] =>
    rule === undefined ? [] : [[name, rule, rule.partials([0.5, 0.25, 0.75], 1).length]],
  ),
];

/** Where a function is defined: it stays above 1, between -1 and 1, above 0. */
const domains: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  acos: [-0.98, 0.98],
  acosh: [1.05, 9],
  asin: [-0.98, 0.98],
  atanh: [-0.98, 0.98],
  inverseSqrt: [0.1, 9],
  log: [0.1, 9],
  log2: [0.1, 9],
  pow: [0.1, 3],
  sqrt: [0.1, 9],
};

function* points(name: string, count: number): Generator<number[]> {
  const random = new Random(1);
  const [low, high] = domains[name] ?? [-3, 3];
  for (let k = 0; k < 200; k++) yield Array.from({ length: count }, () => low + (high - low) * random.next());
}

describe("the partial derivatives of each rule are its slopes", () => {
  test.each(all)("%s", (name, rule, count) => {
    let kinks = 0;
    for (const xs of points(name, count)) {
      const inputs = xs.map((x) => new Node(x));
      const gradient = gradientOf(apply(rule, ...inputs), inputs);
      differences((at) => numberOf(apply(rule, ...at)), xs).forEach((slope, k) => {
        if (slope === "kink") kinks++;
        else
          expect(Math.abs(gradient[k]! - slope.value), `at ${xs.join(", ")}`).toBeLessThan(
            1e-6 * Math.max(1, Math.abs(slope.value)),
          );
      });
    }
    expect(kinks).toBeLessThan(0.15 * 200 * count);
  });
});
