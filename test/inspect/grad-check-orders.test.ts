/** gradCheck at orders 1 to 3: functions whose derivatives are written out one by one, right, and 0.1 % off in one of them. */
import { beforeAll, describe, expect, test } from "vitest";
import { elementwise, gradCheck, GradCheckError, init, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

type Unary = (x: Variable) => Variable;

interface Chain {
  /** A function of x and its first three derivatives. */
  readonly wgsl: readonly [string, string, string, string];
  readonly points: readonly number[];
  /** Orders at which there is a kink, each with its points. */
  readonly kinks?: Readonly<Record<number, readonly number[]>>;
}

const general = [-2.3, -1.1, -0.4, 0.3, 0.7, 1.2, 1.9, 3.1];
const sigmoid = "(1.0 / (1.0 + math_exp(-x)))";
const q = "(1.0 + x * x)";
const a = "(1.0 + abs(x))";

const chains: Record<string, Chain> = {
  softsign: {
    wgsl: [
      `x / ${a}`,
      `1.0 / (${a} * ${a})`,
      `-2.0 * sign(x) / (${a} * ${a} * ${a})`,
      `6.0 / (${a} * ${a} * ${a} * ${a})`,
    ],
    points: [0, ...general],
    kinks: { 2: [0], 3: [0] },
  },
  quartic: {
    wgsl: ["x * x * x * x - 3.0 * x * x", "4.0 * x * x * x - 6.0 * x", "12.0 * x * x - 6.0", "24.0 * x"],
    points: [0, ...general],
  },
  logsquare: {
    wgsl: [
      `math_log(${q})`,
      `2.0 * x / ${q}`,
      `2.0 * (1.0 - x * x) / (${q} * ${q})`,
      `4.0 * x * (x * x - 3.0) / (${q} * ${q} * ${q})`,
    ],
    points: [0, ...general],
  },
  logistic: {
    wgsl: [
      "max(-x, 0.0) + math_log(1.0 + math_exp(-abs(x)))",
      `${sigmoid} - 1.0`,
      `${sigmoid} * (1.0 - ${sigmoid})`,
      `${sigmoid} * (1.0 - ${sigmoid}) * (1.0 - 2.0 * ${sigmoid})`,
    ],
    points: general,
  },
  damped: {
    wgsl: [
      "math_exp(-x) * math_sin(5.0 * x)",
      "math_exp(-x) * (5.0 * math_cos(5.0 * x) - math_sin(5.0 * x))",
      "math_exp(-x) * (-24.0 * math_sin(5.0 * x) - 10.0 * math_cos(5.0 * x))",
      "math_exp(-x) * (74.0 * math_sin(5.0 * x) - 110.0 * math_cos(5.0 * x))",
    ],
    points: general,
  },
  steep: {
    wgsl: [
      "math_exp(50.0 * x)",
      "50.0 * math_exp(50.0 * x)",
      "2500.0 * math_exp(50.0 * x)",
      "125000.0 * math_exp(50.0 * x)",
    ],
    points: [0, -0.3, 0.1, 0.5, 1],
  },
  cuberoot: {
    wgsl: [
      "sign(x) * math_pow(abs(x), 1.0 / 3.0)",
      "math_pow(abs(x), -2.0 / 3.0) / 3.0",
      "-2.0 / 9.0 * sign(x) * math_pow(abs(x), -5.0 / 3.0)",
      "10.0 / 27.0 * math_pow(abs(x), -8.0 / 3.0)",
    ],
    points: [1e-5, ...general],
  },
  entropy: {
    wgsl: ["x * math_log(x)", "math_log(x) + 1.0", "1.0 / x", "-1.0 / (x * x)"],
    points: [0.05, 0.3, 0.7, 1, 1.9, 3.1, 10],
  },
};

/** The k-th derivative, whose own gradient is that of the next; of the derivative `wrong` it is 0.1 % off. */
function derivative(name: string, { wgsl }: Chain, wrong: number | null, k = 0): Unary {
  const id = `${name}_${wrong ?? "right"}_${k}`.replaceAll("_", "");
  const factor = k + 1 === wrong ? 1.001 : 1;
  const forward = `fn ${id}_forward(x: f32) -> f32 { return ${wgsl[k] ?? "0.0"}; }`;
  const slope = wgsl[k + 1];
  if (slope === undefined) return elementwise(`${forward} fn ${id}_backward(gy: f32) -> f32 { return 0.0 * gy; }`);
  const next = derivative(name, { wgsl, points: [] }, wrong, k + 1);
  return elementwise(
    `${forward} fn ${id}_backward(x: f32, gy: f32) -> f32 { return gy * ${factor.toFixed(3)} * (${slope}); }`,
    { derivative: (gy, x = gy) => gy.mul(next(x)).mul(factor) },
  );
}

describe.each(Object.entries(chains))("%s", (name, chain) => {
  test("the right derivatives pass, to order 3", async () => {
    const right = derivative(name, chain, null);
    const { kinks, undecided, checked } = await gradCheck(right, [chain.points], { order: 3 });
    const found = kinks
      .filter(({ input }) => input === 0)
      .map(({ order, element }) => [order, chain.points[element ?? -1]]);
    expect(found).toEqual(
      Object.entries(chain.kinks ?? {}).flatMap(([order, points]) => points.map((x) => [Number(order), x])),
    );
    expect(undecided.length).toBeLessThanOrEqual(checked / 30);
  });

  test.each([1, 2, 3])("derivative %i, 0.1 %% off, is found at its order and not before", async (wrong) => {
    const f = derivative(name, chain, wrong);
    if (wrong > 1) await gradCheck(f, [chain.points], { order: wrong - 1 });
    await expect(gradCheck(f, [chain.points], { order: wrong })).rejects.toThrow(GradCheckError);
  });
});

test("the first derivative, 0.1 % off, is found at each point alone", async () => {
  const missed: string[] = [];
  for (const name of ["quartic", "damped", "softsign", "logistic", "steep", "cuberoot"]) {
    const chain = chains[name];
    if (chain === undefined) throw new Error(name);
    const f = derivative(name, chain, 1);
    for (const x of chain.points) {
      const result: unknown = await gradCheck(f, [[x]], { order: 1 }).catch((reason: unknown) => reason);
      if (x !== 0 && !(result instanceof GradCheckError)) missed.push(`${name} at ${x}`);
    }
  }
  expect(missed).toEqual([]);
});
