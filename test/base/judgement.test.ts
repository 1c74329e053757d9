/** How gradients are judged by the slopes that values tell. Float64 and float32, no GPU. */
import { describe, expect, test } from "vitest";
import { judge, type Judgement } from "../../src/base/judgement.js";
import { slopesOf } from "../../src/base/slopes.js";
import { samples, smooth } from "../reference/samples.js";

const tolerance = 0.00025;

function verdictOf(f: (x: number) => number, x: number, gradient: number): Judgement {
  const slopes = slopesOf([samples(f, x)]);
  return judge(gradient, slopes, { tolerance, floor: 0, blind: 0 });
}

describe("away from kinks", () => {
  test.each(smooth)("%s: the slope passes, one that is 0.0005 of it off does not", (_, f, x, slope) => {
    expect(verdictOf(f, x, slope)).toMatchObject({ verdict: "right", kink: null });
    for (const factor of [1.0005, 0.9995]) expect(verdictOf(f, x, slope * factor).verdict).toBe("wrong");
    expect(verdictOf(f, x, -slope).verdict).toBe("wrong");
    expect(verdictOf(f, x, NaN).verdict).toBe("wrong");
    expect(verdictOf(f, x, Infinity).verdict).toBe("wrong");
  });

  test("what rounding hides is undecided, and a gross error is found", () => {
    const f = (x: number): number => 1e4 + x;
    expect(verdictOf(f, 0.5, 1).verdict).toBe("undecided");
    expect(verdictOf(f, 0.5, 2).verdict).toBe("wrong");
    expect(verdictOf(f, 0.5, 0).verdict).toBe("wrong");
  });
});

describe("at a kink", () => {
  test("each side's slope passes, and what is between; nothing else", () => {
    const relu = (x: number): number => 3 * Math.max(x, 0);
    for (const gradient of [0, 1.5, 3]) expect(verdictOf(relu, 0, gradient).verdict).toBe("right");
    for (const gradient of [-0.003, 3.003]) expect(verdictOf(relu, 0, gradient).verdict).toBe("wrong");
    const { kink } = verdictOf(relu, 0, 1);
    expect(kink?.left).toBeCloseTo(0, 4);
    expect(kink?.right).toBeCloseTo(3, 4);
  });

  test("a jump hides no slope", () => {
    const step = (x: number): number => (x > 0 ? 1 + x : x);
    expect(verdictOf(step, 0, 1).verdict).toBe("right");
    expect(verdictOf(step, 0, 1).kink).not.toBeNull();
    expect(verdictOf(step, 0, 1.01).verdict).toBe("wrong");
    expect(verdictOf(Math.sign, 0, 0).verdict).toBe("right");
    expect(verdictOf(Math.sign, 0, 0.01).verdict).toBe("wrong");
  });

  test("one side decides where the other has no values", () => {
    const f = (x: number): number => (x < 1 ? NaN : x * x);
    expect(verdictOf(f, 1, 2).verdict).toBe("right");
    expect(verdictOf(f, 1, 2.002).verdict).toBe("wrong");
  });

  test("an infinite slope is undecided", () => {
    expect(verdictOf(Math.sqrt, 0, Infinity).verdict).toBe("undecided");
    expect(verdictOf(() => NaN, 0, 1).verdict).toBe("undecided");
  });
});

describe("detail finer than the first steps", () => {
  const verdictNear = (f: (x: number) => number, x: number, gradient: number): Judgement => {
    const reaches = [1 / 16, x === 0 ? 2 ** -17 : x / 8];
    return judge(gradient, slopesOf(reaches.map((reach) => samples(f, x, reach))), { tolerance, floor: 0, blind: 0 });
  };
  const fine: [name: string, f: (x: number) => number, x: number, slope: number][] = [
    ["tanh", (x) => Math.tanh(1e6 * x), 0, 1e6],
    ["a rounded corner", (x) => Math.sqrt(x * x + 1e-12), 1e-6, Math.SQRT1_2],
    ["reciprocal", (x) => 1 / x, 1e-8, -1e16],
    ["log", Math.log, 1e-10, 1e10],
  ];
  test.each(fine)("%s: the slope passes, one that is a percent off or the coarse one does not", (_, f, x, slope) => {
    expect(verdictNear(f, x, slope).verdict).toBe("right");
    for (const wrong of [1.01 * slope, 0.99 * slope, 0]) expect(verdictNear(f, x, wrong).verdict).toBe("wrong");
  });

  test("a corner in the slope leaves it undecided at worst, and gross errors are found", () => {
    const softsign = (x: number): number => x / (Math.abs(x) + 1e-6);
    expect(verdictNear(softsign, 0, 1e6).verdict).not.toBe("wrong");
    for (const wrong of [1.5e6, 0.5e6, 0, -1e6]) expect(verdictNear(softsign, 0, wrong).verdict).toBe("wrong");
  });

  test("what is finer than all steps is undecided, beyond the steepest chord", () => {
    const f = (x: number): number => Math.tanh(1e12 * x);
    expect(verdictNear(f, 0, 1e12).verdict).toBe("undecided");
    expect(verdictNear(f, 0, -1e12).verdict).toBe("wrong");
    expect(verdictNear(f, 0, 100).verdict).toBe("wrong");
  });

  test("smaller steps in which nothing moves change nothing", () => {
    const f = (x: number): number => Math.fround(Math.fround(x + 1e3) - 1e3);
    const coarse = samples(f, 1e-6).map((sample) => ({ ...sample, rounding: 1e3 * 2 ** -24 }));
    const slopes = slopesOf([coarse, samples(() => 0, 1e-6, 1e-7)]);
    expect(judge(0, slopes, { tolerance, floor: 0, blind: 0 }).verdict).toBe("wrong");
  });
});

test("where the slope has a corner but no jump, there is no kink", () => {
  const huber = (x: number): number => (Math.abs(x) <= 1 ? (x * x) / 2 : Math.abs(x) - 0.5);
  for (const x of [-1, 1]) expect(verdictOf(huber, x, x)).toMatchObject({ verdict: "right", kink: null });
});

test("samples too fine to tell anything take nothing from what coarser ones tell", () => {
  const f = Math.fround;
  // Each step in float32, so that values are noisier than their own rounding.
  const noisy: [f: (x: number) => number, slope: (x: number) => number][] = [
    [(x) => f(f(f(f(x * x) * x) * x) - f(f(3 * x) * x)), (x) => 4 * x ** 3 - 6 * x],
    [(x) => f(f(Math.exp(-x)) * f(Math.sin(f(5 * x)))), (x) => Math.exp(-x) * (5 * Math.cos(5 * x) - Math.sin(5 * x))],
    [(x) => f(Math.log(f(1 + f(Math.exp(-x))))), (x) => -1 / (1 + Math.exp(x))],
    [(x) => f(Math.exp(f(2.5 * f(Math.log(x))))), (x) => 2.5 * x ** 1.5],
  ];
  for (const [value, slope] of noisy) {
    const points = Array.from({ length: 200 }, (_, k) => f(0.52 + k / 100));
    const verdicts = (factor: number): string[] => points.map((x) => verdictOf(value, x, factor * slope(x)).verdict);
    expect(verdicts(1)).not.toContain("wrong");
    const found = verdicts(1.001).filter((verdict) => verdict === "wrong").length;
    expect(found / points.length).toBeGreaterThan(0.85);
  }
});

test("values that move in jumps are no better than these", () => {
  // 1 + x² is rounded: near 0 the values are multiples of 2^-23, the same on both sides of most points.
  const f = (x: number): number => Math.log(Math.fround(1 + Math.fround(x * x)));
  for (let k = 1; k < 400; k++) {
    const x = Math.fround(k * 1e-5);
    const slopes = slopesOf([samples(f, x, 1 / 8), samples(f, x, x / 8)]);
    expect(judge((2 * x) / (1 + x * x), slopes, { tolerance, floor: 0, blind: 0 }).verdict).not.toBe("wrong");
  }
});

test("a gradient passes only where an error of twice the tolerance would show", () => {
  const jump = (x: number): number => (x > 0.1 ? 3 + x * x : x * x);
  const judgeFirst = (x: number, count: number, factor: number): Judgement =>
    judge(factor * 2 * x, slopesOf([samples(jump, x).slice(0, count)]), { tolerance, floor: 0, blind: 0 });
  const points = Array.from({ length: 100 }, (_, k) => Math.fround(0.08 + k * 0.0004));
  for (const count of [6, 10, 14]) {
    for (const x of points) {
      if (judgeFirst(x, count, 1).verdict === "right") expect(judgeFirst(x, count, 1.001).verdict).not.toBe("right");
    }
  }
});
