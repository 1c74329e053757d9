/** A gradient of exactly 0 stays 0: what was not chosen makes no NaN, eager, with a graph and fused, to any order. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  cos,
  div,
  elementwise,
  equal,
  exp,
  fuse,
  grad,
  greater,
  greaterEqual,
  init,
  less,
  log,
  mul,
  pow,
  reciprocal,
  sin,
  sqrt,
  square,
  sub,
  sum,
  where,
  Variable,
  type ElementwiseFunction,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

type F = (x: Variable) => Variable;

const wild = elementwise<[x: Variable]>(
  `fn wild_forward(x: f32) -> f32 { return 1.0 / x; }
   fn wild_backward(x: f32, gy: f32) -> f32 { return clamp(-gy / (x * x), 3.0, 4.0); }`,
  { derivative: (gy, x) => mul(gy, div(-1, square(x))) },
);
const root: ElementwiseFunction<[x: Variable]> = elementwise(
  `fn root_forward(x: f32) -> f32 { return sqrt(x); }
   fn root_backward(x: f32, gy: f32) -> f32 { return gy * 0.5 / sqrt(x); }`,
  { derivative: (gy, x) => div(mul(gy, 0.5), root(x)) },
);

/** The gradient of `f` at `values`, of one order, by a way: the last pass by shaders, or all with a graph. */
async function derivative(f: F, values: readonly number[], order: number, createGraph: boolean): Promise<number[]> {
  const x = new Variable(values);
  let y = sum(f(x));
  for (let k = 1; k <= order; k++) {
    x.clearGrad();
    if (!y.requiresGrad) return values.map(() => 0);
    y.backward({ createGraph: createGraph || k < order });
    const { grad: gradient } = x;
    if (gradient === null) return values.map(() => 0);
    if (k === order) return [...(await gradient.read())];
    y = sum(gradient);
  }
  throw new Error("no order");
}

/** What isn't chosen is infinite, or not a number: the function, operands, and its first three derivatives there. */
const cases: Record<string, { f: F; at: number[]; derivatives: number[][] }> = {
  "where(x >= 0, x, sqrt(-x)) at 1": {
    f: (x) => where(greaterEqual(x, 0), x, sqrt(x.neg())),
    at: [1, -4],
    derivatives: [
      [1, -0.25],
      [0, -1 / 32],
      [0, -3 / 256],
    ],
  },
  "where(x > 0, sqrt(x), x) at -1": {
    f: (x) => where(greater(x, 0), sqrt(x), x),
    at: [-1, 0, 4],
    derivatives: [
      [1, 1, 0.25],
      [0, 0, -1 / 32],
      [0, 0, 3 / 256],
    ],
  },
  "where(x < 1, cos x, 0) at 0 and Infinity": {
    f: (x) => where(less(x, 1), cos(x), 0),
    at: [0, Infinity],
    derivatives: [
      [0, 0],
      [-1, 0],
      [0, 0],
    ],
  },
  "where(x > 0, x^0.5, 0) at 0": {
    f: (x) => where(greater(x, 0), pow(x, 0.5), 0),
    at: [0, 4],
    derivatives: [
      [0, 0.25],
      [0, -1 / 32],
      [0, 3 / 256],
    ],
  },
  "where(x = 0, 1, sin x / x) at 0": {
    f: (x) => where(equal(x, 0), 1, div(sin(x), x)),
    at: [0],
    derivatives: [[0], [0], [0]],
  },
  "where(x > 0, log x, 0) at -1 and 0": {
    f: (x) => where(greater(x, 0), log(x), 0),
    at: [-1, 0, 2],
    derivatives: [
      [0, 0, 0.5],
      [0, 0, -0.25],
      [0, 0, 0.25],
    ],
  },
  "where(x = 0, 0, 1/exp(1/x)) at 0": {
    f: (x) => where(equal(x, 0), 0, exp(reciprocal(x).neg())),
    at: [0],
    derivatives: [[0], [0], [0]],
  },
  "a user's own function, not chosen": {
    f: (x) => where(greater(x, 0), root(x), mul(x, 2)),
    at: [-1, 0, 4],
    derivatives: [
      [2, 2, 0.25],
      [0, 0, -1 / 32],
      [0, 0, 3 / 256],
    ],
  },
  "a user's own function whose backward makes something else of 0": {
    f: (x) => where(greater(x, 1), x, wild(x).mul(0)),
    at: [2],
    derivatives: [[1], [0], [0]],
  },
};

describe.each(Object.entries(cases))("%s", (_name, { f, at, derivatives }) => {
  test.each([
    ["eager", f],
    ["fused", fuse(f)],
  ] as const)("%s: three orders, by shaders and with a graph", async (_mode, g) => {
    for (const [k, expected] of derivatives.entries()) {
      for (const createGraph of [false, true]) {
        const found = await derivative(g, at, k + 1, createGraph);
        found.forEach((value, index) => {
          expect(value, `order ${k + 1}, createGraph ${createGraph}, element ${index}`).toBeCloseTo(
            expected[index] ?? NaN,
            5,
          );
        });
      }
    }
  });
});

test("where(n = 0, 0, x / n) with n = 0: both gradients are 0", async () => {
  const f = (x: Variable, n: Variable): Variable => where(equal(n, 0), 0, div(x, n));
  for (const g of [f, fuse(f)]) {
    for (const createGraph of [false, true]) {
      const [x, n] = [new Variable([1, 0, 6]), new Variable([0, 0, 2])];
      g(x, n).backward({ createGraph });
      expect([...((await x.grad?.read()) ?? [])].map(Math.abs)).toEqual([0, 0, 0.5]);
      expect([...((await n.grad?.read()) ?? [])].map(Math.abs)).toEqual([0, 0, 1.5]);
    }
  }
});

test("a logsumexp of nothing but -Infinity, with a guard", async () => {
  const f = (x: Variable): Variable => {
    const greatest = x.max(-1, { keepDims: true });
    const finite = where(greater(greatest, -Infinity), greatest, 0);
    const total = exp(sub(x, finite)).sum(-1, { keepDims: true });
    return where(greater(total, 0), log(total).add(finite), -Infinity);
  };
  for (const createGraph of [false, true]) {
    const x = new Variable([
      [-Infinity, -Infinity],
      [0, 0],
    ]);
    f(x).backward({ createGraph });
    expect([...((await x.grad?.read()) ?? [])].map((v) => Math.abs(v))).toEqual([0, 0, 0.5, 0.5]);
  }
});

test("a mask by multiplication", async () => {
  const f = (x: Variable): Variable => mul(greater(x, 0), sqrt(x));
  for (const g of [f, fuse(f)]) {
    for (const createGraph of [false, true]) {
      expect(await derivative(g, [0, 4], 1, createGraph)).toEqual([0, 0.25]);
    }
  }
});

test("a gradient of NaN is not 0, nor is one that is infinite; minus 0 is", async () => {
  const gy = [NaN, Infinity, -0, 0, 1];
  for (const g of [log as F, fuse((x: Variable) => log(x).mul(1))]) {
    for (const createGraph of [false, true]) {
      const x = new Variable([0, 0, 0, 0, 0]);
      const y = g(x);
      y.grad = gy;
      y.backward({ createGraph });
      const [nan, inf, minus, zero, one] = (await x.grad?.read()) ?? [];
      expect([nan, inf, Math.abs(minus ?? NaN), zero, one]).toEqual([NaN, Infinity, 0, 0, Infinity]);
    }
  }
});

test("by the gradient that came in, a gradient keeps its slope, also where that gradient is 0", async () => {
  // The double-backward trick: J v is the gradient, by u, of <Jᵀu, v>, at u = 0.
  for (const f of [(x: Variable) => square(exp(x)), fuse((x: Variable) => square(exp(x)))]) {
    const x = new Variable([0, 0.5, -1]);
    const u = new Variable([0, 0, 0]);
    const pulled = grad((x: Variable, u: Variable) => sum(mul(f(x), u)));
    const v = [1, 2, 3];
    const pushed = grad((u: Variable) => sum(mul(pulled(x, u), v)))(u);
    const expected = [0, 0.5, -1].map((t, k) => 2 * Math.exp(2 * t) * (v[k] ?? NaN));
    (await pushed.read()).forEach((value, k) => expect(value).toBeCloseTo(expected[k] ?? NaN, 4));
  }
});

test("random compositions around a branch that isn't chosen have the gradient of the branch that is", async () => {
  const bad: F[] = [sqrt, log, (x) => pow(x, 0.5), (x) => reciprocal(x.add(1)), (x) => div(1, x.add(1)), root];
  const outer: F[] = [sin, exp, square, (x) => x.mul(3), (x) => x.sub(1).abs(), (x) => div(x, 2)];
  const index = fc.nat(5);
  await fc.assert(
    fc.asyncProperty(index, index, index, index, fc.boolean(), async (a, b, c, d, isFused) => {
      const [o1, o2, i1, i2] = [outer[a]!, outer[b]!, bad[c]!, outer[d]!];
      const chosen: F = (x) => o1(o2(x.mul(0.5)));
      const f: F = (x) => o1(where(less(x, 0), o2(x.mul(0.5)), i1(i2(i1(x)))));
      const at = [-1, -1];
      for (const order of [1, 2]) {
        const expected = await derivative(chosen, at, order, true);
        for (const createGraph of [false, true]) {
          const found = await derivative(isFused ? fuse(f) : f, at, order, createGraph);
          expect(found[0]! / expected[0]! || 1).toBeCloseTo(1, 4);
        }
      }
    }),
    { numRuns: 6, seed: 3 },
  );
});

test("along a fused chain a gradient that becomes 0 on the way stays 0, whatever comes after it", async () => {
  const chains: Record<string, { f: F; at: number[]; slopes: number[] }> = {
    "exp(-1/x²)": {
      f: (x) => exp(reciprocal(square(x)).neg()),
      at: [0, -0, 1, -1],
      slopes: [0, 0, 2 / Math.E, -2 / Math.E],
    },
    // The first 0 is exp's: what the two functions after it make of it is NaN, and NaN again.
    "square(exp(1/x)) at -0": { f: (x) => square(exp(reciprocal(x))), at: [-0, 1], slopes: [0, -2 * Math.E ** 2] },
    "exp(-1/√x²)": {
      f: (x) => exp(reciprocal(sqrt(square(x))).neg()),
      at: [0, 1],
      slopes: [0, 1 / Math.E],
    },
  };
  for (const [name, { f, at, slopes }] of Object.entries(chains)) {
    for (const way of [f, fuse(f)]) {
      for (const factor of [1, -3]) {
        const x = new Variable(at);
        sum(mul(way(x), factor)).backward();
        const gradient = await x.grad?.read();
        for (const [k, slope] of slopes.entries()) {
          expect(gradient?.[k], `${name} at ${at[k]}`).toBeCloseTo(factor * slope, 4);
        }
      }
      // From ones: the seed's own zero isn't asked for.
      const x = new Variable(at);
      way(x).backward();
      const gradient = await x.grad?.read();
      for (const [k, slope] of slopes.entries()) expect(gradient?.[k], `${name} at ${at[k]}`).toBeCloseTo(slope, 4);
    }
  }
});
