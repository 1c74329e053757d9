/** Slopes from values: how exact they are, and how gradients are judged by them. Float64 and float32, no GPU. */
import { describe, expect, test } from "vitest";
import { judge, slopesOf, type Judgement, type Sample } from "../../src/base/differences.js";

const tolerance = 0.00025;

/** Samples of f around x, at steps that halve 13 times, as float32 numbers. */
function samples(f: (x: number) => number, x: number, reach = 1 / 16): Sample[] {
  const at = (point: number): number => Math.fround(f(Math.fround(point)));
  const start = Math.fround(x);
  return Array.from({ length: 14 }, (_, k) => {
    const right = Math.fround(start + reach * 2 ** -k);
    const left = Math.fround(start - reach * 2 ** -k);
    return {
      right: { step: right - start, rise: at(right) - at(start) },
      left: { step: start - left, rise: at(left) - at(start) },
    };
  });
}

/** Half a unit in the last place of the values. */
function roundingOf(f: (x: number) => number, x: number): number {
  return Math.max(...[x - 1 / 16, x, x + 1 / 16].map((point) => Math.abs(f(point)) || 0)) * 2 ** -24;
}

function verdictOf(f: (x: number) => number, x: number, gradient: number): Judgement {
  const slopes = slopesOf([samples(f, x)], roundingOf(f, x));
  return judge(gradient, slopes, { tolerance, floor: 0, blind: 0 });
}

const smooth: [name: string, f: (x: number) => number, x: number, slope: number][] = [
  ["a line", (x) => 2 * x, 0.7, 2],
  ["exp", Math.exp, -0.3, Math.exp(Math.fround(-0.3))],
  ["sin, many waves within the first steps", (x) => Math.sin(300 * x), 0.5, 300 * Math.cos(150)],
  ["log near 0", Math.log, 0.01, 100],
  ["a kink within the first steps", (x) => Math.abs(x) + x, 0.003, 2],
  ["a jump within the first steps", (x) => (x > 0.51 ? 7 : x * x), 0.5, 1],
  ["a small slope beside a large value", (x) => 10 + x, 0.5, 1],
];

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

  test("the estimate of its own error holds", () => {
    for (const [, f, x, slope] of smooth) {
      const { central } = slopesOf([samples(f, x)], roundingOf(f, x));
      expect(Math.abs(central.value - slope)).toBeLessThanOrEqual(central.error);
    }
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

test("steps that rounding makes unequal do no harm", () => {
  const x = 1 + 2 ** -23;
  const slopes = slopesOf([samples((t) => t * t, x, 2 ** -15)], 2 ** -24);
  expect(slopes.central.value / (2 * x)).toBeCloseTo(1, 3);
});
