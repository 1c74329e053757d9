import { expect, test } from "vitest";
import { compareGradient, compareReverse } from "./compare.js";
import { randomProgram } from "./program.js";
import { Random } from "./random.js";

/** Other programs with SEED=n, other counts with PROGRAMS=n; a mistake's message has the seed of its program. */
const first = Number(process.env["SEED"] ?? 1) * 1000;
const count = Number(process.env["PROGRAMS"] ?? 300);

/** At most so many derivatives may be left out, since a kink is near. */
const mostKinks = 0.1;

test(`reverse mode agrees with differences on ${count} random programs from seed ${first} on`, { timeout: 0 }, () => {
  let [kinks, all, zeros] = [0, 0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const { source, inputs } = randomProgram(seed);
    const random = new Random(seed);
    for (let point = 0; point < 2; point++) {
      const xs = inputs.map(() => 3 * random.next() - 1.5);
      const found = compareReverse(source, "rand", xs);
      expect(found.mistake).toBeNull();
      kinks += found.kinks;
      all += xs.length;
      zeros += found.reverse.filter((value) => value === 0).length;
    }
  }
  console.info(`${all} derivatives, ${kinks} of them near a kink, ${zeros} of them 0`);
  expect(kinks).toBeLessThan(mostKinks * all);
  expect(zeros).toBeLessThan(0.3 * all);
});

const source = "fn swish_forward(x: f32, k: f32) -> f32 { return x / (1 + exp(-k * x)); }";

test("a right gradient agrees with the other two ways", () => {
  const derived = `fn swish_backward(x: f32, k: f32, y: f32, gy: f32) -> vec2f {
    let s = 1 / (1 + exp(-k * x));
    return gy * vec2f(s + k * y * (1 - s), x * y * (1 - s));
  }`;
  for (const text of [derived, `${source}\n${derived}`]) {
    const { mistake, kinks } = compareGradient(source, text, "swish", [0.4, 1.7]);
    expect(mistake).toBeNull();
    expect(kinks).toBe(0);
  }
});

test.each(["s", "s - k * y * (1 - s)", "s + k * y * (1 - s) + 1e-5", "s / 0"])(
  "a gradient of %s is found out",
  (wrong) => {
    const derived = `fn swish_backward(x: f32, k: f32, y: f32, gy: f32) -> vec2f {
    let s = 1 / (1 + exp(-k * x));
    return gy * vec2f(${wrong}, x * y * (1 - s));
  }`;
    const { mistake } = compareGradient(source, derived, "swish", [0.4, 1.7]);
    expect(mistake).toContain("by input 0: derived");
  },
);
