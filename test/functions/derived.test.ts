/** Own WGSL whose gradient is derived from its source: values, orders, fusion, and what is refused. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  ArgumentError,
  elementwise,
  exp,
  fuse,
  grad,
  gradCheck,
  init,
  maximum,
  minimum,
  mul,
  NotDifferentiableError,
  sin,
  Variable,
  where,
  WgslError,
  type Operand,
} from "../../src/index.js";
import { expectClose, gradOf, leaf, spread } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const keplerWgsl = `
fn kepler_forward(m: f32, e: f32) -> f32 {
  var x = m;
  for (var i = 0; i < 8; i++) { x -= (x - e * math_sin(x) - m) / (1.0 - e * math_cos(x)); }
  return x;
}`;

/** The eccentric anomaly E with E - e sin E = m, in float64. */
function anomaly(m: number, e: number): number {
  let x = m;
  for (let i = 0; i < 50; i++) x -= (x - e * Math.sin(x) - m) / (1 - e * Math.cos(x));
  return x;
}

const ms = [0.3, 1, 2, 2.9];
const es = [0.1, 0.5, 0.3, 0.6];
const anomalies = ms.map((m, k) => anomaly(m, es[k] ?? 0));
/** By the implicit function theorem: dE/dm = 1 / (1 - e cos E), and so on. */
const slope = (k: number): number => 1 / (1 - (es[k] ?? 0) * Math.cos(anomalies[k] ?? 0));
const byM = ms.map((_, k) => slope(k));
const byE = anomalies.map((x, k) => Math.sin(x) * slope(k));
const byMM = anomalies.map((x, k) => -(es[k] ?? 0) * Math.sin(x) * slope(k) ** 3);

describe("Newton's iteration for Kepler's equation", () => {
  const kepler = elementwise<[Operand, Operand]>(keplerWgsl);

  test("has the gradients of the implicit function", async () => {
    const [m, e] = [leaf(ms), leaf(es)];
    const y = kepler(m, e);
    y.backward();
    expectClose(await y.read(), anomalies, 1e-5);
    expectClose(await gradOf(m), byM, 1e-5);
    expectClose(await gradOf(e), byE, 1e-5);
  });

  test("and the second derivative, eager and fused", async () => {
    const m = leaf(ms);
    const second = grad(grad((x: Variable) => kepler(x, es).sum()));
    expectClose(await second(m).read(), byMM, 1e-4);
    const fused = fuse((x: Variable) => kepler(x, new Float32Array(es)).mul(2));
    const twice = grad(grad((x: Variable) => fused(x).sum()));
    expectClose(
      await twice(leaf(ms)).read(),
      byMM.map((value) => 2 * value),
      1e-4,
    );
  });

  test("agrees with differences to the second order", async () => {
    await gradCheck(kepler, [leaf(ms), leaf(es)], { order: 2 });
  });

  test("shows the WGSL of its gradient, which is a source again", async () => {
    expect(kepler.gradient).toMatch(/fn kepler_backward\(m: f32, e: f32, gy: f32\) -> vec2f \{/);
    const written = elementwise<[Operand, Operand]>(`${keplerWgsl}\n${kepler.gradient}`);
    expect(written.gradient).toBeNull();
    const m = leaf(ms);
    written(m, es).backward();
    expectClose(await gradOf(m), byM, 1e-5);
  });
});

test("a gradient written by hand wins", async () => {
  const doubled = elementwise(
    "fn odd_forward(x: f32) -> f32 { return x; } fn odd_backward(gy: f32) -> f32 { return 7.0 * gy; }",
  );
  const x = leaf([1, 2]);
  doubled(x).backward();
  expectClose(await gradOf(x), [7, 7], 0);
});

test("a derivative of Functions serves createGraph where the first gradient is derived", async () => {
  const cube = elementwise("fn cube_forward(x: f32) -> f32 { return x * x * x; }", {
    derivative: (gy, x) => mul(gy, mul(100, x)),
  });
  const x = leaf([2]);
  cube(x).backward();
  expectClose(await gradOf(x), [12], 1e-6);
  const z = leaf([2]);
  const y = cube(z);
  y.backward({ createGraph: true });
  expectClose(await gradOf(z), [200], 1e-6);
});

test("{ gradient: false } says that there is none", () => {
  const isSmall = elementwise("fn isSmall_forward(x: f32) -> f32 { return select(0.0, 1.0, x < 1.0); }", {
    gradient: false,
  });
  expect(isSmall(leaf([1])).creator).toBeNull();
  expect(isSmall.gradient).toBeNull();
  const both = "fn a_forward(x: f32) -> f32 { return x; } fn a_backward(gy: f32) -> f32 { return gy; }";
  expect(() => elementwise(both, { gradient: false })).toThrow(WgslError);
  expect(() => elementwise(both, { gradient: 1 as never })).toThrow(ArgumentError);
  expect(() => {
    isSmall(leaf([1])).backward();
  }).toThrow(NotDifferentiableError);
});

describe("what can't be differentiated", () => {
  const bits = elementwise(`
    fn bits_forward(x: f32) -> f32 {
      return x * f32(bitcast<u32>(x) >> 23u);
    }`);

  test("computes, and is refused with its line when a gradient is asked for", async () => {
    const x = leaf([1]);
    const y = bits(x);
    expectClose(await y.read(), [127], 0);
    expect(() => {
      y.backward();
    }).toThrow(/line 3, column 22: the bits of a value that has a derivative/);
    expect(() => bits.gradient).toThrow(WgslError);
    expect(() => {
      bits(leaf([1])).backward({ createGraph: true });
    }).toThrow(WgslError);
  });

  test("can be fused as long as nobody asks for the gradient", async () => {
    const fused = fuse((x: Variable) => bits(x).add(1));
    expectClose(await fused(leaf([1])).read(), [128], 0);
    expect(() => {
      fused(leaf([1])).backward();
    }).toThrow(/line 3, column 22/);
  });
});

test("one fused function may use a source's gradient in one place and not in another", async () => {
  const ramp = elementwise("fn ramp_forward(x: f32) -> f32 { return max(x, 0.0) * x; }");
  const fused = fuse((x: Variable) => add(ramp(x), ramp(new Variable(2, { requiresGrad: false }))));
  const x = leaf([-1, 3]);
  fused(x).backward();
  expectClose(await gradOf(x), [0, 6], 0);
});

test("a gradient of exactly 0 stays 0, with createGraph too", async () => {
  const inverse = elementwise("fn inverse_forward(x: f32) -> f32 { return sqrt(x) + 1.0 / x; }");
  for (const createGraph of [false, true]) {
    const x = leaf([0, 4]);
    where(x.greater(1), inverse(x), x).backward({ createGraph });
    expectClose(await gradOf(x), [1, 0.25 - 1 / 16], 1e-6);
  }
});

test.each([
  ["max(x, z)", maximum],
  ["min(x, z)", minimum],
] as const)(
  "beside a NaN both operands of %s have the gradient, as of the built-in function",
  async (text, builtIn) => {
    const own = elementwise(`fn own_forward(x: f32, z: f32) -> f32 { return ${text}; }`);
    for (const f of [own, builtIn]) {
      const [x, z] = [new Variable([NaN, 1, NaN, 2, 1]), new Variable([1, NaN, NaN, 1, 1])];
      f(x, z).backward({ createGraph: f === own });
      expect([...(await x.grad!.read())].slice(0, 3)).toEqual([1, 1, 1]);
      expect([...(await z.grad!.read())].slice(0, 3)).toEqual([1, 1, 1]);
      expect((await x.grad!.read())[4]).toBe(0.5);
      expect((await x.grad!.read())[3]).toBe(builtIn === maximum ? 1 : 0);
    }
  },
);

test("the gradient of clamp at a NaN isn't 0", async () => {
  const f = elementwise("fn own_forward(x: f32) -> f32 { return clamp(x, 0.0, 2.0) + saturate(x); }");
  const x = new Variable([NaN, -1, 0, 1, 1.5, 2, 3]);
  f(x).backward();
  expect([...(await x.grad!.read())]).toEqual([2, 0, 2, 2, 1, 1, 0]);
});

test("a long array in one pass", async () => {
  const f = elementwise("fn f_forward(x: f32) -> f32 { let s = math_sin(x); return s * s; }");
  const values = spread(1000, [-3, 3]);
  const x = leaf(values);
  f(x).backward();
  expectClose(
    await gradOf(x),
    Array.from(values, (value) => Math.sin(2 * value)),
    1e-5,
  );
});

test("third derivatives agree with differences", async () => {
  const swish = elementwise("fn swish_forward(x: f32) -> f32 { return x / (1.0 + math_exp(-x)); }");
  await gradCheck(swish, [leaf([-2, -0.3, 0.5, 3])], { order: 3 });
});

test("third derivatives are those of the closed form, of an iteration, too", async () => {
  const cubeRoot = elementwise(`
    fn root_forward(a: f32) -> f32 {
      var x = 1.0 + a * 0.3;
      for (var i = 0; i < 10; i++) { x -= (x * x * x - a) / (3.0 * x * x); }
      return x;
    }`);
  const bell = elementwise("fn bell_forward(x: f32) -> f32 { return exp(-0.5 * x * x); }");
  const thirdOf = async (f: (x: Variable) => Variable, xs: number[]): Promise<number[]> => {
    const third = grad(grad(grad((x) => f(x).sum())));
    return [...(await third(leaf(xs)).read())];
  };
  expectClose(
    await thirdOf(cubeRoot, [0.7, 2, 9]),
    [0.7, 2, 9].map((a) => (10 / 27) * a ** (-8 / 3)),
    1e-4,
  );
  expectClose(
    await thirdOf(bell, [-1.2, 0.4, 2]),
    [-1.2, 0.4, 2].map((x) => (3 * x - x ** 3) * Math.exp(-0.5 * x * x)),
    1e-5,
  );
});

describe("WGSL's own functions in one's own source", () => {
  const f = elementwise<[Operand]>("fn own_forward(x: f32) -> f32 { return exp(x) + sin(300.0 * x); }");
  const v = elementwise<[Operand]>(
    "fn both_forward(x: f32) -> f32 { let s = sin(vec2f(x, 300.0 * x)); return pow(s.x, 2) + s.y; }",
  );
  const xs = [0.3, 20.1, 80.7].map(Math.fround);

  test("are as exact as gpugrad's, of numbers and of vectors", async () => {
    const x = leaf(xs);
    expectClose(await f(x).read(), await builtIn(x, (a) => a.exp().add(a.mul(300).sin())), 0);
    const sines = await builtIn(x, (a) => a.sin().pow(2).add(a.mul(300).sin()));
    expectClose(await v(x).read(), sines, 3e-7);
  });

  test("stand beside the source that the gradient is copied to", async () => {
    const wgsl = "fn both_forward(x: f32) -> f32 { let s = sin(vec2f(x, 300.0 * x)); return s.x * s.y; }";
    const [x, z] = [leaf(xs), leaf(xs)];
    elementwise(wgsl)(x).backward();
    elementwise(`${wgsl}\n${elementwise(wgsl).gradient}`)(z).backward();
    expectClose(await gradOf(x), await gradOf(z), 0);
  });

  test("and so are their derived gradients", async () => {
    const [x, z] = [leaf(xs), leaf(xs)];
    f(x).backward();
    add(exp(z), sin(mul(z, 300))).backward();
    expectClose(await gradOf(x), await gradOf(z), 3e-7);
  });
});

async function builtIn(x: Variable, f: (x: Variable) => Variable): Promise<number[]> {
  return [...(await f(x).read())];
}

test("what is constant by pieces has gradient 0, in every shape", async () => {
  const stairs = elementwise<[Operand, Operand]>(
    "fn stairs_forward(x: f32, k: f32) -> f32 { return floor(x) + sign(k) + f32(i32(k)); }",
  );
  for (const createGraph of [false, true]) {
    const [x, k] = [leaf([1.5, -2.5, 3]), leaf([2])];
    const y = stairs(x, k);
    y.backward({ createGraph });
    expectClose(await gradOf(x), [0, 0, 0], 0);
    expectClose(await gradOf(k), [0], 0);
  }
  const x = leaf([1.5, 2.5]);
  fuse((v: Variable) => stairs(v, 1).mul(v))(x).backward();
  expectClose(await gradOf(x), [3, 4], 0);
});
