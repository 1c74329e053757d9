/** What a compiler could compute across the functions of a fused one, and must not: values are float32, step by step. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  div,
  elementwise,
  exp,
  fuse,
  init,
  mul,
  neg,
  reciprocal,
  square,
  sub,
  sum,
  update,
  Variable,
  where,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const large = 12582912;
const r = Math.fround;
const xs = [0.4, -2.7, 7.3, -0, 0, NaN, Infinity, -Infinity, 1e30, 3e37, 1.1e-12].map(r);
const ys = [3.3, 0.1, -7.7, 0, NaN, Infinity, 1e20].map(r);
const pairs = xs.flatMap((x) => ys.map((y) => [x, y] as const));
/** What arrives as a gradient. */
const seeds = pairs.map((_, k) => r(Math.sin(k + 1) * 3));

const shifted = elementwise("fn shifted_forward(x: f32) -> f32 { return x + 12582912.0; }");
const shiftedBack = elementwise("fn shiftedBack_forward(x: f32) -> f32 { return x - 12582912.0; }");
const raised = elementwise("fn raised_forward(x: f32, by: f32) -> f32 { return x + by - by; }");

interface Row {
  readonly of: (x: Variable, y: Variable) => Variable;
  /** The same in float32, each step rounded. */
  readonly value: (x: number, y: number) => number;
  /** The gradient of x, from the one that arrives. */
  readonly gradient?: (x: number, y: number, gy: number) => number;
}

/** 0 where the gradient that arrives is. */
const kept = (gy: number, gradient: number): number => (gy === 0 ? 0 : gradient);

const rows: Record<string, Row> = {
  "x + c - c": {
    of: (x) => x.add(large).sub(large),
    value: (x) => r(r(x + large) - large),
    gradient: (_x, _y, gy) => gy,
  },
  "x - c + c": { of: (x) => x.sub(large).add(large), value: (x) => r(r(x - large) + large) },
  "c - (c - x)": { of: (x) => sub(large, sub(large, x)), value: (x) => r(large - r(large - x)) },
  "(c - x) - c": { of: (x) => sub(large, x).sub(large), value: (x) => r(r(large - x) - large) },
  "-(x + c) + c": { of: (x) => neg(x.add(large)).add(large), value: (x) => r(-r(x + large) + large) },
  "(x + c) · 1 - c": { of: (x) => x.add(large).mul(1).sub(large), value: (x) => r(r(x + large) - large) },
  "(x + c) + 0 - c": { of: (x) => x.add(large).add(0).sub(large), value: (x) => r(r(x + large) - large) },
  "x + y + c - c": { of: (x, y) => x.add(y).add(large).sub(large), value: (x, y) => r(r(r(x + y) + large) - large) },
  "x + y - y": { of: (x, y) => x.add(y).sub(y), value: (x, y) => r(r(x + y) - y) },
  "x - y + y": { of: (x, y) => x.sub(y).add(y), value: (x, y) => r(r(x - y) + y) },
  "y + (x - y)": { of: (x, y) => y.add(x.sub(y)), value: (x, y) => r(y + r(x - y)) },
  "y - (y - x)": { of: (x, y) => y.sub(y.sub(x)), value: (x, y) => r(y - r(y - x)) },
  "x / y · y": {
    of: (x, y) => x.div(y).mul(y),
    value: (x, y) => r(r(x / y) * y),
    gradient: (_x, y, gy) => kept(r(gy * y), r(r(gy * y) / y)),
  },
  "x / y · y, where y is computed twice": {
    of: (x, y) => x.div(y.add(1)).mul(y.add(1)),
    value: (x, y) => r(r(x / r(y + 1)) * r(y + 1)),
  },
  "x y / y": {
    of: (x, y) => x.mul(y).div(y),
    value: (x, y) => r(r(x * y) / y),
    gradient: (_x, y, gy) => kept(r(gy / y), r(r(gy / y) * y)),
  },
  "x² / x": { of: (x) => square(x).div(x), value: (x) => r(r(x * x) / x) },
  "x / x": { of: (x) => x.div(x), value: (x) => r(x / x) },
  "(1 / y) y": { of: (_x, y) => reciprocal(y).mul(y), value: (_x, y) => r(r(1 / y) * y) },
  "1 / (1 / x)": { of: (x) => reciprocal(reciprocal(x)), value: (x) => r(1 / r(1 / x)) },
  "x · 3 / 3": {
    of: (x) => x.mul(3).div(3),
    value: (x) => r(r(x * 3) / 3),
    gradient: (_x, _y, gy) => r(r(gy / 3) * 3),
  },
  "x / 3": { of: (x) => x.div(3), value: (x) => r(x / 3), gradient: (_x, _y, gy) => r(gy / 3) },
  "x / 3 · 3": { of: (x) => x.div(3).mul(3), value: (x) => r(r(x / 3) * 3) },
  "x · 0.1 · 10": {
    of: (x) => x.mul(0.1).mul(10),
    value: (x) => r(r(x * r(0.1)) * 10),
    gradient: (_x, _y, gy) => r(r(gy * 10) * r(0.1)),
  },
  "x · 10³⁰ · 10⁻³⁰": { of: (x) => x.mul(1e30).mul(1e-30), value: (x) => r(r(x * r(1e30)) * r(1e-30)) },
  "x · 3.3 + y · 3.3": {
    of: (x, y) => x.mul(3.3).add(y.mul(3.3)),
    value: (x, y) => r(r(x * r(3.3)) + r(y * r(3.3))),
  },
  "x y + x (y + 1)": {
    of: (x, y) => x.mul(y).add(x.mul(y.add(1))),
    value: (x, y) => r(r(x * y) + r(x * r(y + 1))),
    gradient: (_x, y, gy) => r(r(gy * y) + r(gy * r(y + 1))),
  },
  "x · 0": { of: (x) => x.mul(0), value: (x) => r(x * 0), gradient: (_x, _y, gy) => gy * 0 },
  "x · y · 0": { of: (x, y) => x.mul(y).mul(0), value: (x, y) => r(x * y) * 0 },
  "x · 0 + y": { of: (x, y) => x.mul(0).add(y), value: (x, y) => r(x * 0 + y) },
  "0 / x": { of: (x) => div(0, x), value: (x) => 0 / x },
  "x + 0": { of: (x) => x.add(0), value: (x) => x + 0 },
  "0 - x": { of: (x) => sub(0, x), value: (x) => 0 - x },
  "x of where(x · 0 = 0, x, 5)": {
    of: (x) => where(x.mul(0).equal(0), x, 5),
    value: (x) => (x * 0 === 0 ? x : 5),
    gradient: (x, _y, gy) => (x * 0 === 0 ? gy : 0),
  },
  "where(x > 0, 0, 0) · y": { of: (x, y) => where(x.greater(0), 0, 0).mul(y), value: (_x, y) => 0 * y },
  "own functions, x + c and x - c": { of: (x) => shiftedBack(shifted(x)), value: (x) => r(r(x + large) - large) },
  "an own function, and - c": { of: (x) => shifted(x).sub(large), value: (x) => r(r(x + large) - large) },
  "an own function of a number": { of: (x) => raised(x, large), value: (x) => r(r(x + large) - large) },
  "two-sum": {
    of: (x, y) => {
      const s = x.add(y);
      const b = s.sub(x);
      return x.sub(s.sub(b)).add(y.sub(b));
    },
    value: (x, y) => {
      const s = r(x + y);
      const b = r(s - x);
      return r(r(x - r(s - b)) + r(y - b));
    },
  },
};

type Wrap = (f: Row["of"]) => Row["of"];
const ways: Record<string, Wrap> = {
  unfused: (f) => f,
  fused: fuse,
  "fused twice": (f) => {
    const inner = fuse(f);
    return fuse((x, y) => inner(x, y));
  },
};

describe.each(Object.keys(ways))("%s", (way) => {
  test.each(Object.keys(rows))("%s", async (name) => {
    const row = rows[name];
    const wrap = ways[way];
    if (row === undefined || wrap === undefined) throw new Error("no such row");
    const { of, value, gradient } = row;
    const x = new Variable(Float32Array.from(pairs, ([each]) => each));
    const y = new Variable(Float32Array.from(pairs, ([, each]) => each));
    const result = wrap(of)(x, y);
    expect([...(await result.read())]).toEqual(pairs.map(([a, b]) => value(a, b)));
    if (gradient === undefined) return;
    sum(mul(result, seeds)).backward();
    expect([...((await x.grad?.read()) ?? [])].map((each) => each + 0)).toEqual(
      pairs.map(([a, b], k) => gradient(a, b, seeds[k] ?? NaN) + 0),
    );
  });
});

describe("gradients of a chain", () => {
  const chain = (x: Variable): Variable => exp(x).log();
  test.each([
    ["unfused", chain],
    ["fused", fuse(chain)],
  ])("%s: ln exp x divides by what it multiplies by", async (_, f) => {
    const x = new Variable([-200, 200, NaN]);
    f(x).backward();
    // At 200, 1 / ∞ is what arrives at exp: where that is 0, the gradient is.
    expect(await x.grad?.read()).toEqual(Float32Array.of(NaN, 0, NaN));
  });
});

test("an update computes what its function does", async () => {
  const start = pairs.map(([x]) => x);
  const other = pairs.map(([, y]) => y);
  for (const [of, value] of [
    [(w: Variable, m: Variable) => w.sub(m).add(m), (w: number, m: number) => r(r(w - m) + m)],
    [(w: Variable, m: Variable) => w.div(m).mul(m), (w: number, m: number) => r(r(w / m) * m)],
    [(w: Variable) => w.add(large).sub(large), (w: number) => r(r(w + large) - large)],
    [(w: Variable) => w.mul(0), (w: number) => w * 0],
  ] as const) {
    const w = new Variable(start);
    update(w, of, new Variable(other));
    expect([...(await w.read())]).toEqual(pairs.map(([a, b]) => value(a, b)));
  }
});

describe("a barrier costs, so there is none", () => {
  test.each<[string, (x: Variable, y: Variable) => Variable]>([
    ["in a chain", (x) => square(exp(square(x)))],
    ["between products and sums", (x, y) => x.mul(2).add(1).mul(y).sub(3)],
    ["in a polynomial", (x) => x.mul(0.5).add(2).mul(x).add(3).mul(x).sub(1)],
    ["in powers", (x) => x.mul(x).mul(x).mul(2)],
    ["in sums", (x, y) => add(x, y).add(x).add(exp(y)).sub(1)],
    ["in a step of descent", (x, y) => x.sub(y.mul(0.1))],
    ["at halves", (x, y) => x.add(y).div(2)],
    ["at a maximum with 0", (x) => where(x.greater(0), x, 0)],
  ])("%s", (_, f) => {
    const { wgsl } = fuse(f);
    expect(wgsl).toMatch(/fn fused\d+_forward[^]*fn fused\d+_backward/);
    expect(wgsl).not.toContain("math_opaque");
  });
});
