/** gradCheck where functions oscillate faster than its steps: a right gradient is never called wrong, and what shows is found. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  cos,
  elementwise,
  exp,
  gradCheck,
  GradCheckError,
  init,
  mul,
  sin,
  square,
  tan,
  UndecidedError,
  type GradCheckReport,
  type Variable,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

type Unary = (x: Variable) => Variable;

/** The report, or null where nothing could be decided. A gradient that is called wrong throws. */
async function reportOf(f: Unary, values: readonly number[]): Promise<GradCheckReport | null> {
  try {
    return await gradCheck(f, [[...values]], { order: 1 });
  } catch (error) {
    if (error instanceof UndecidedError) return null;
    throw error;
  }
}

/** From 0.001 to 10,000, of both signs, and 0: wherever float32 can tell k x from its neighbours. */
const points = [0, ...Array.from({ length: 62 }, (_, k) => (k % 2 === 0 ? 1 : -1) * 1e-3 * 1e7 ** ((k + 0.37) / 62))];

/** The frequency k of each function, from slow to faster than any step. */
const frequencies = [0.3, 50, 300, 3000, 1e5];

/** A user's WGSL, whose gradient is derived. */
function own(name: string, k: number, body: string): Unary {
  return elementwise(`fn ${name}_forward(x: f32) -> f32 { let k = f32(${k}); ${body} }`);
}

const functions: Record<string, (k: number) => Unary> = {
  sin: (k) => (x) => sin(mul(x, k)),
  cos: (k) => (x) => cos(mul(x, k)),
  tan: (k) => (x) => tan(mul(x, k)),
  "a product": (k) => (x) => mul(sin(mul(x, k)), cos(mul(x, 0.7 * k))),
  "exp of sin": (k) => (x) => exp(sin(mul(x, k))),
  "small waves on a parabola": (k) => (x) => add(square(x), mul(sin(mul(x, k)), 0.05)),
  "small waves on large ones": (k) => (x) => add(sin(mul(x, 0.1)), mul(sin(mul(x, k)), 0.01)),
  "sin in WGSL": (k) => own("wave", k, "return math_sin(k * x);"),
  "parabolas end to end": (k) => own("arches", k, "let t = fract(k * x); return t * (1.0 - t);"),
  "value noise": (k) =>
    elementwise(`
      fn grain_hash(n: f32) -> f32 { return fract(math_sin(n * 12.9898) * 437.585453); }
      fn grain_forward(x: f32) -> f32 {
        let u = f32(${k}) * x;
        let n = floor(u);
        let t = u - n;
        return mix(grain_hash(n), grain_hash(n + 1.0), t * t * (3.0 - 2.0 * t));
      }
      fn grain_backward(x: f32, gy: f32) -> f32 {
        let u = f32(${k}) * x;
        let n = floor(u);
        let t = u - n;
        return gy * f32(${k}) * (grain_hash(n + 1.0) - grain_hash(n)) * 6.0 * t * (1.0 - t);
      }`),
};

describe.each(Object.entries(functions))("%s", (_, make) => {
  test("a right gradient isn't called wrong, at any frequency and place", async () => {
    for (const k of frequencies) {
      await reportOf(
        make(k),
        points.filter((x) => Math.abs(k * x) < 2e6),
      );
    }
  });

  test("slow ones are decided", async () => {
    const report = await reportOf(
      make(0.3),
      points.filter((x) => Math.abs(x) > 0.02 && Math.abs(x) < 30),
    );
    expect(report?.undecided.length).toBeLessThan((report?.checked ?? 0) / 3);
  });
});

test("a saw isn't called flat where its teeth are finer than the first steps", async () => {
  for (const k of [50, 300, 3000]) {
    await reportOf(
      own("saw", k, "return fract(k * x);"),
      points.filter((x) => Math.abs(k * x) < 1e6),
    );
  }
});

test("sines that agree at all coarse steps, each alone", async () => {
  const cases: [k: number, x: number][] = [
    [50, 1700],
    [300, 100],
    [3000, 10],
    [2 ** 10 * Math.PI, 0],
    [2 ** 20 * Math.PI, 0],
  ];
  for (const [k, x] of cases) {
    await reportOf((v) => sin(mul(v, k)), [x]);
    await reportOf(own("wave", k, "return math_sin(k * x);"), [x]);
  }
});

test("a wrong gradient of an oscillation is found where the steps resolve it", async () => {
  const wrong = (k: number, factor: number): Unary =>
    elementwise(
      `fn wave_forward(x: f32) -> f32 { return math_sin(f32(${k}) * x); }
       fn wave_backward(x: f32, gy: f32) -> f32 { return gy * ${factor.toFixed(3)} * f32(${k}) * math_cos(f32(${k}) * x); }`,
    );
  const found: [k: number, x: number, factor: number][] = [
    [1, 2, 1.001],
    [50, 0.1, 1.001],
    [300, 0.02, 1.001],
    [50, 1, 1.01],
    [300, 0.5, 1.01],
    // Far out, where values are noisy beside the waves, what is grossly wrong.
    [50, 20, 1.1],
    [300, 16.2, -1],
  ];
  for (const [k, x, factor] of found) {
    await reportOf(wrong(k, 1), [x]);
    await expect(gradCheck(wrong(k, factor), [[x]], { order: 1 }), `${k} at ${x}`).rejects.toThrow(GradCheckError);
  }
});

test("a gradient that lies still where the function lies still is wrong all the same", async () => {
  const flat = (slope: string): Unary =>
    elementwise(
      `fn flat_forward(x: f32) -> f32 { return 10.0; }
       fn flat_backward(x: f32, gy: f32) -> f32 { return gy * ${slope}; }`,
    );
  // A gradient with waves of its own, of a function that has none.
  for (const slope of ["0.5", "0.01 * math_cos(x)", "(0.5 + math_cos(50.0 * x))"]) {
    for (const x of [0.3, 12]) {
      await expect(gradCheck(flat(slope), [[x]], { order: 1 })).rejects.toThrow(GradCheckError);
    }
  }
});
