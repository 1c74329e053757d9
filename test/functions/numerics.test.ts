/**
 * The bits of results: what is correctly rounded, what is flushed, what overflows where, what becomes of NaN and ±0, and
 * that node by node, fused and twice give the same. Accuracy in ULP is in sweep.test.ts.
 */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { exp, fuse, init, square, Variable } from "../../src/index.js";
import { fixedSample, operandsOf } from "../../sweep/operands.js";
import { rowOf } from "../../sweep/table.js";
import { unaryOperations } from "../reference/operations.js";

beforeAll(async () => {
  await init();
});

const normalMin = 2 ** -126;
const largest = 3.4028234663852886e38;
const f = Math.fround;

/** Bit patterns of all kinds, special values included. */
function allKinds(): Float32Array {
  const blocks = [...operandsOf(rowOf("square"), { ...fixedSample, stride: 8191 })];
  return Float32Array.from(blocks.flatMap(({ a }) => [...a]));
}

/** Numbers from -most to most, the same every time, evenly spread. */
function spread(most: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => most * (2 * (((i + 1) * 0.6180339887498949) % 1) - 1));
}

const bitsOf = (numbers: Float32Array): Uint32Array => new Uint32Array(Float32Array.from(numbers).buffer);

function expectSameBits(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  const other = bitsOf(expected);
  expect(bitsOf(found).findIndex((bits, i) => bits !== other[i])).toBe(-1);
}

/** Whether a result is this float32 number; NaN is NaN, and what is subnormal may be any zero. */
function isRounded(found: number, expected: number): boolean {
  if (Math.abs(expected) < normalMin && expected !== 0) return found === 0 || found === expected;
  return Object.is(found, expected);
}

/** The indices of the results that aren't the expected ones. */
function wrong(found: Float32Array, expected: (i: number) => number, counts: (i: number) => boolean): number[] {
  return [...found.keys()].filter((i) => counts(i) && !isRounded(found[i] ?? 0, expected(i)));
}

async function gradOf(x: Variable): Promise<Float32Array> {
  return (await x.grad?.read()) ?? new Float32Array();
}

describe("square and exp", () => {
  const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < normalMin;

  test("square is Math.fround(x * x) wherever that is normal, zero, infinite or NaN", async () => {
    const x = allKinds();
    const y = await square(x).read();
    expect(x.length).toBeGreaterThan(500_000);
    expect(
      wrong(
        y,
        (i) => f((x[i] ?? 0) ** 2),
        () => true,
      ),
    ).toEqual([]);
  });

  test("the gradient of square is Math.fround(gy * 2x)", async () => {
    const x = new Variable(allKinds());
    const values = await x.read();
    // Gradients of all kinds too, in another order than x.
    const gy = Float32Array.from(values).reverse();
    const y = square(x);
    y.grad = gy;
    y.backward();
    // A gradient of exactly 0 stays 0, whatever x is.
    const expected = (i: number): number => (gy[i] === 0 ? 0 : f((gy[i] ?? 0) * 2 * (values[i] ?? 0)));
    const flushed = (i: number): boolean => isSubnormal(gy[i] ?? 0) || isSubnormal(values[i] ?? 0);
    expect(wrong(await gradOf(x), expected, (i) => !flushed(i))).toEqual([]);
  });

  test("the gradient of exp is Math.fround(gy * y) with the y that exp gave", async () => {
    const x = new Variable(spread(100, 2 ** 19));
    const gy = allKinds().slice(0, 2 ** 19);
    const y = exp(x);
    y.grad = gy;
    y.backward();
    const values = await y.read();
    const expected = (i: number): number => (gy[i] === 0 ? 0 : f((gy[i] ?? 0) * (values[i] ?? 0)));
    const flushed = (i: number): boolean => isSubnormal(gy[i] ?? 0) || isSubnormal(values[i] ?? 0);
    expect(wrong(await gradOf(x), expected, (i) => !flushed(i))).toEqual([]);
  });
});

describe("the chain square(exp(square(x)))", () => {
  // Up to where y overflows: 2x² = 88.7.
  const x = spread(6.6, 2 ** 19);
  const chain = (v: Variable): Variable => square(exp(square(v)));

  async function run(f: (x: Variable) => Variable): Promise<{ y: Float32Array; gradient: Float32Array }> {
    const leaf = new Variable(x);
    const y = f(leaf);
    y.backward();
    return { y: await y.read(), gradient: await gradOf(leaf) };
  }

  test("is its single steps to the bit, forward and backward", async () => {
    const { y, gradient } = await run(chain);
    // Each step with its operands uploaded anew; square and the products in JavaScript.
    const a = x.map((v) => v * v);
    const b = await exp(a).read();
    const single = b.map((v) => v * v);
    const singleGradient = b.map((v, i) => f(f(f(v + v) * v) * f(2 * (x[i] ?? 0))));
    expect(
      wrong(
        y,
        (i) => single[i] ?? 0,
        () => true,
      ),
    ).toEqual([]);
    expect(
      wrong(
        gradient,
        (i) => singleGradient[i] ?? 0,
        (i) => Math.abs(x[i] ?? 0) >= normalMin,
      ),
    ).toEqual([]);
  });

  test("is the same fused, to the bit", async () => {
    const apart = await run(chain);
    const together = await run(fuse(chain));
    expectSameBits(together.y, apart.y);
    expectSameBits(together.gradient, apart.gradient);
  });

  test("is within 2⁻²⁴ (2x² + 3.2) of the exact value, its gradient within 2⁻²⁴ (2x² + 4.2)", async () => {
    const { y, gradient } = await run(chain);
    let forward = 0;
    let backward = 0;
    x.forEach((v, i) => {
      const exact = Math.exp(2 * v * v);
      const slope = 4 * v * exact;
      if (f(exact) <= largest && f(exact) !== Infinity) {
        forward = Math.max(forward, Math.abs((y[i] ?? NaN) / exact - 1) / (2 ** -24 * (2 * v * v + 3.2)));
      }
      if (Math.abs(f(slope)) !== Infinity && slope !== 0) {
        backward = Math.max(backward, Math.abs((gradient[i] ?? NaN) / slope - 1) / (2 ** -24 * (2 * v * v + 4.2)));
      }
    });
    expect(forward).toBeLessThanOrEqual(1);
    expect(backward).toBeLessThanOrEqual(1);
    // The bounds are near what happens: they would notice an error of 2 ULP.
    expect(forward).toBeGreaterThan(0.6);
    expect(backward).toBeGreaterThan(0.6);
  });

  test("gives the same bits twice, as every function does", async () => {
    const first = await run(chain);
    const second = await run(chain);
    expectSameBits(second.y, first.y);
    expectSameBits(second.gradient, first.gradient);
    const all = (v: Variable): Variable =>
      g.sum(
        v.sin().add(v.cos()).add(v.tanh()).add(v.sigmoid()).add(v.erf()).add(v.softplus()).mul(v.square().add(1).log()),
      );
    const [p, q] = [new Variable(x), new Variable(x)];
    const [yp, yq] = [all(p), all(q)];
    yp.backward();
    yq.backward();
    expect(await yq.read()).toEqual(await yp.read());
    expectSameBits(await gradOf(q), await gradOf(p));
  });
});

/** What may stand for a subnormal result or come of a subnormal operand. */
type Expected = number | readonly number[];

const tiny = 2 ** -149;
const sub = 2 ** -130;

describe("small numbers", () => {
  // Kept: one value. May be flushed, as WGSL allows: the value or a zero.
  test.each<[string, (x: Variable) => Variable, [x: number, y: Expected][]]>([
    [
      "neg",
      g.neg,
      [
        [sub, [-sub, 0, -0]],
        [-tiny, [tiny, 0, -0]],
      ],
    ],
    [
      "abs",
      g.abs,
      [
        [-sub, [sub, 0]],
        [-tiny, [tiny, 0]],
      ],
    ],
    [
      "sign",
      g.sign,
      [
        [tiny, 1],
        [-tiny, -1],
        [sub, 1],
      ],
    ],
    [
      "relu",
      g.relu,
      [
        [sub, [sub, 0]],
        [-sub, [0, -0]],
      ],
    ],
    [
      "square",
      g.square,
      [
        [2 ** -70, [2 ** -140, 0]],
        [sub, 0],
        [2 ** -63, normalMin],
      ],
    ],
    [
      "sqrt",
      g.sqrt,
      [
        [2 ** -130, [2 ** -65, 0]],
        [normalMin, 2 ** -63],
      ],
    ],
    [
      "reciprocal",
      g.reciprocal,
      [
        [2 ** 127, [2 ** -127, 0]],
        [2 ** 126, normalMin],
        [tiny, Infinity],
        [-tiny, [-Infinity, Infinity]],
      ],
    ],
    [
      "exp",
      g.exp,
      [
        [tiny, 1],
        [-sub, 1],
        [-103, f(Math.exp(-103))],
        [-103.9, tiny],
        [-104, 0],
      ],
    ],
    [
      "log",
      g.log,
      [
        [tiny, f(Math.log(tiny))],
        [sub, f(Math.log(sub))],
      ],
    ],
    [
      "sin",
      g.sin,
      [
        [tiny, tiny],
        [-sub, -sub],
      ],
    ],
    [
      "cos",
      g.cos,
      [
        [tiny, 1],
        [-sub, 1],
      ],
    ],
    [
      "tan",
      g.tan,
      [
        [tiny, tiny],
        [-sub, -sub],
      ],
    ],
    [
      "tanh",
      g.tanh,
      [
        [tiny, tiny],
        [-sub, -sub],
      ],
    ],
    [
      "sigmoid",
      g.sigmoid,
      [
        [tiny, 0.5],
        [-103, f(Math.exp(-103))],
        [-104, 0],
      ],
    ],
    [
      "softplus",
      g.softplus,
      [
        [tiny, f(Math.LN2)],
        [-103, f(Math.exp(-103))],
        [-104, 0],
      ],
    ],
    [
      "erf",
      g.erf,
      [
        [tiny, tiny],
        [-tiny, -tiny],
        [2 ** -126, f(2 ** -126 * 1.1283791670955126)],
      ],
    ],
    [
      "pow",
      (x) => g.pow(x, 2),
      [
        [2 ** -70, 2 ** -140],
        [2 ** -75, 0],
        [-(2 ** -74), 2 ** -148],
      ],
    ],
    [
      "pow of subnormals",
      (x) => g.pow(x, 0.5),
      [
        [2 ** -130, 2 ** -65],
        [2 ** -148, 2 ** -74],
      ],
    ],
    [
      "atan2",
      (x) => g.atan2(x, 1),
      [
        [tiny, tiny],
        [-sub, -sub],
      ],
    ],
  ])("%s", async (_name, apply, cases) => {
    await expectEach(apply, cases);
  });
});

describe("overflow is infinite, and comes where the exact result rounds to infinity", () => {
  test.each<[string, (x: Variable) => Variable, [x: number, y: Expected][]]>([
    [
      "square",
      g.square,
      [
        [1.8446743e19, f(1.8446743e19 ** 2)],
        [2 ** 64, Infinity],
        [-(2 ** 64), Infinity],
        [-largest, Infinity],
      ],
    ],
    [
      "reciprocal",
      g.reciprocal,
      [
        [2 ** -127, [2 ** 127, Infinity]],
        [-normalMin, -(2 ** 126)],
      ],
    ],
    [
      "exp",
      g.exp,
      [
        [88.72284, Infinity],
        [largest, Infinity],
        [-largest, 0],
      ],
    ],
    [
      "softplus",
      g.softplus,
      [
        [largest, largest],
        [88.8, f(88.8)],
      ],
    ],
    [
      "tanh, sigmoid, erf: never",
      (x) => x.tanh().add(x.sigmoid()).add(x.erf()),
      [
        [largest, 3],
        [-largest, -2],
      ],
    ],
    [
      "pow",
      (x) => g.pow(x, 2),
      [
        [2 ** 64, Infinity],
        [-(2 ** 64), Infinity],
      ],
    ],
    [
      "odd pow",
      (x) => g.pow(x, 3),
      [
        [-(2 ** 43), -Infinity],
        [2 ** 42, 2 ** 126],
      ],
    ],
    [
      "div",
      (x) => g.div(x, 0.5),
      [
        [2 ** 126, 2 ** 127],
        [2 ** 127, Infinity],
        [-(2 ** 127), -Infinity],
      ],
    ],
  ])("%s", async (_name, apply, cases) => {
    await expectEach(apply, cases);
  });

  test("exp's last finite result is at 88.72283", async () => {
    const [last, next] = await exp([88.72283172607422, 88.72283935546875]).read();
    expect(last).toBeGreaterThan(3.4e38);
    expect(last).toBeLessThan(Infinity);
    expect(next).toBe(Infinity);
  });
});

describe("NaN of any payload and sign stays NaN, forward and backward", () => {
  const payloads = [0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffc00000, 0xffffffff];
  const nans = new Float32Array(Uint32Array.from(payloads).buffer);

  const unary = Object.entries(unaryOperations)
    .filter(([name]) => name !== "sign")
    .map(([name, { f }]): [string, (x: Variable) => Variable] => [name, f]);

  test.each<[string, (x: Variable) => Variable]>([
    ...unary,
    ["pow", (x) => g.pow(x, 2)],
    ["atan2", (x) => g.atan2(x, 1)],
    ["maximum", (x) => g.maximum(x, 1)],
    ["minimum", (x) => g.minimum(1, x)],
  ])("%s", async (name, apply) => {
    const x = new Variable(nans);
    const y = apply(x);
    expect((await y.read()).every(Number.isNaN)).toBe(true);
    const constantSlope = ["neg", "abs", "relu", "maximum", "minimum"].includes(name);
    y.backward();
    if (!constantSlope) expect((await gradOf(x)).every(Number.isNaN)).toBe(true);
    // A gradient that is NaN goes through everything.
    const ordinary = new Variable(new Float32Array(nans.length).fill(1.5));
    const z = apply(ordinary);
    z.grad = nans;
    z.backward();
    if (name !== "minimum") expect((await gradOf(ordinary)).every(Number.isNaN)).toBe(true);
  });
});

describe("gradients at the ends of the range", () => {
  test.each<[string, (x: Variable) => Variable, [x: number, gradient: Expected][]]>([
    [
      "square",
      g.square,
      [
        [largest, Infinity],
        [2 ** 126, 2 ** 127],
        [sub, [2 * sub, 0]],
        [-0, -0],
      ],
    ],
    [
      "sqrt",
      g.sqrt,
      [
        [normalMin, 2 ** 62],
        [sub, [2 ** 64, Infinity]],
        [Infinity, 0],
      ],
    ],
    [
      "reciprocal",
      g.reciprocal,
      [
        [2 ** -64, -Infinity],
        [2 ** -63, -(2 ** 126)],
        [2 ** 64, [-(2 ** -128), 0, -0]],
      ],
    ],
    [
      "exp",
      g.exp,
      [
        [88.72284, Infinity],
        [-100, [f(Math.exp(-100)), 0]],
        [-Infinity, 0],
      ],
    ],
    [
      "log",
      g.log,
      [
        [tiny, Infinity],
        [normalMin, 2 ** 126],
        [2 ** 127, [2 ** -127, 0]],
      ],
    ],
    [
      "sin",
      g.sin,
      [
        [tiny, 1],
        [-sub, 1],
        [Infinity, NaN],
      ],
    ],
    [
      "cos",
      g.cos,
      [
        [tiny, [-tiny, 0, -0]],
        [0, [0, -0]],
        [-Infinity, NaN],
      ],
    ],
    [
      "tan",
      g.tan,
      [
        [tiny, 1],
        [Infinity, NaN],
      ],
    ],
    [
      "tanh",
      g.tanh,
      [
        [tiny, 1],
        [largest, 0],
        [-largest, 0],
      ],
    ],
    [
      "sigmoid",
      g.sigmoid,
      [
        [tiny, 0.25],
        [largest, 0],
        [-100, [f(Math.exp(-100)), 0]],
      ],
    ],
    [
      "softplus",
      g.softplus,
      [
        [tiny, 0.5],
        [largest, 1],
        [-largest, 0],
      ],
    ],
    [
      "erf",
      g.erf,
      [
        [tiny, f(1.1283791670955126)],
        [largest, 0],
        [-largest, 0],
      ],
    ],
  ])("%s", async (_name, apply, cases) => {
    const x = new Variable(cases.map(([at]) => at));
    apply(x).backward();
    expectAmong(await gradOf(x), cases);
  });
});

async function expectEach(apply: (x: Variable) => Variable, cases: readonly [number, Expected][]): Promise<void> {
  const x = new Variable(cases.map(([at]) => at));
  expectAmong(await apply(x).read(), cases);
}

/** Each result is the expected one, to the bit, or one of those that are allowed. */
function expectAmong(found: Float32Array, cases: readonly [number, Expected][]): void {
  cases.forEach(([x, expected], i) => {
    const allowed = typeof expected === "number" ? [expected] : expected;
    const y = found[i] ?? NaN;
    expect(
      allowed.some((value) => Object.is(y, value)),
      `at ${x}: ${y}, not ${allowed.join(" or ")}`,
    ).toBe(true);
  });
}
