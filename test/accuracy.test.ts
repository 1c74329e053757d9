import { beforeAll, describe, expect, test } from "vitest";
import { exp, init, square, Variable } from "../src/index.js";

beforeAll(async () => {
  await init();
});

const n = 2 ** 20;
const normalMin = 2 ** -126;
const special = [
  0,
  -0,
  2 ** -149,
  -(2 ** -149),
  normalMin,
  -normalMin,
  Infinity,
  -Infinity,
  NaN,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1,
  -1,
];

/** Every kind of float32: random bit patterns, and the special values. */
function inputs(): Float32Array {
  const bits = new Uint32Array(n);
  let state = 12345;
  for (let k = 0; k < n; k++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bits[k] = state ^ (state >>> 15);
  }
  const numbers = new Float32Array(bits.buffer);
  numbers.set(special);
  return numbers;
}

/** The distance of a result from the exact value, in units of the last place of a float32 of that size. */
function ulps(got: number, exact: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}

describe("against float64, over 2^20 random bit patterns and all special values", () => {
  test("square is correctly rounded where the result is normal, zero or infinite", async () => {
    const x = inputs();
    const y = await square(x).read();
    const wrong = x.filter((value, k) => {
      const exact = Math.fround(value * value);
      if (Number.isNaN(value)) return !Number.isNaN(y[k]);
      if (exact !== 0 && exact < normalMin) return !(y[k] === exact || y[k] === 0); // WGSL may flush a subnormal
      return !Object.is(y[k], exact) && !(exact === 0 && Math.abs(value) < normalMin && y[k] === 0);
    });
    expect([...wrong.slice(0, 5)]).toEqual([]);
  });

  test("exp is within 1 ULP where the result is normal; NaN stays NaN, overflow is Infinity", async () => {
    const x = inputs();
    // Random bit patterns are mostly huge or tiny: half of the numbers are put where exp is interesting.
    for (let k = special.length; k < n; k += 2) x[k] = ((k / n) * 2 - 1) * 104;
    const y = await exp(x).read();
    let worst = 0;
    x.forEach((value, k) => {
      const got = y[k] ?? NaN;
      const exact = Math.exp(value);
      if (Number.isNaN(value)) expect(got).toBeNaN();
      else if (Math.fround(exact) === Infinity) expect(got).toBe(Infinity);
      else if (exact >= normalMin) worst = Math.max(worst, ulps(got, exact));
      else expect(Math.abs(got - exact)).toBeLessThanOrEqual(2 ** -149);
    });
    expect(worst).toBeLessThan(1);
  });

  test("the gradients of square and exp are what their float32 formulas give", async () => {
    const x = inputs()
      .map((value) => (Math.abs(value) > 80 ? value % 80 : value))
      .map((value) => (Number.isNaN(value) ? 1 : value));
    const gy = x.map((_, k) => 1 + (k % 7) / 8);
    const a = new Variable(x);
    const y = square(a);
    y.grad = gy;
    y.backward();
    const b = new Variable(x);
    const z = exp(b);
    z.grad = gy;
    z.backward();
    const [squareGradient, expGradient, e] = await Promise.all([a.grad?.read(), b.grad?.read(), z.read()]);
    let wrong = 0;
    x.forEach((value, k) => {
      const g = gy[k] ?? NaN;
      const forSquare = Math.fround(g * Math.fround(2 * value));
      const forExp = Math.fround(g * (e[k] ?? NaN));
      if (Math.abs(forSquare) >= normalMin && Math.abs(value) >= normalMin && squareGradient?.[k] !== forSquare)
        wrong++;
      if (forExp >= normalMin && expGradient?.[k] !== forExp) wrong++;
    });
    expect(wrong).toBe(0);
  });
});
