/** Stencils in use: an independent adjoint on the GPU, what is refused, lifetimes, strong zeros, and random ones. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  FuseError,
  fuse,
  grad,
  gradCheck,
  GpuArray,
  init,
  Kernel,
  ModifiedError,
  mul,
  prepare,
  ShapeError,
  stats,
  stencil,
  sum,
  Variable,
  where,
  WgslError,
  type Boundary,
  type Operand,
} from "../../src/index.js";
import { dispatchesOf, expectClose, gradOf, sizeOf, spread } from "../reference/numbers.js";
import { forwardOf, gradientsOf, type Around, type ReferenceInput } from "../reference/stencils.js";
import { isWgpu } from "../trouble.js";
import { Random } from "../wgsl/derive/fuzz/random.js";

beforeAll(async () => {
  await init();
});

const heatWgsl = `
  fn heat_forward(u: field, k: field) -> f32 {
    return u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) + u(0, 2) + u(0, -1) - 4.0 * u(0, 0));
  }`;

function field(shape: readonly number[], seed: number, requiresGrad = true): Variable {
  return new Variable(spread(sizeOf(shape), [-1, 1], seed), { shape, requiresGrad });
}

describe("the gradient of u is what a scatter by compare-exchange adds up", () => {
  const landing: Readonly<Record<string, string>> = {
    clamp: "fn land(x: i32, n: i32) -> i32 { return clamp(x, 0, n - 1); }",
    wrap: "fn land(x: i32, n: i32) -> i32 { return ((x % n) + n) % n; }",
    zero: "fn land(x: i32, n: i32) -> i32 { if (x < 0 || x >= n) { return -1; } return x; }",
  };
  test.each(["clamp", "wrap", "zero"] as const)("%s", async (boundary) => {
    const [rows, columns] = [9, 7];
    const scatter = new Kernel({
      name: "scatter",
      wgsl: `
        @group(0) @binding(0) var<storage, read> k: array<f32>;
        @group(0) @binding(1) var<storage, read> g: array<f32>;
        @group(0) @binding(2) var<storage, read_write> gu: array<atomic<u32>>;
        ${landing[boundary] ?? ""}
        fn add(row: i32, column: i32, value: f32) {
          let a = land(row, ${rows});
          let b = land(column, ${columns});
          if (a < 0 || b < 0) { return; }
          let at = a * ${columns} + b;
          var old = atomicLoad(&gu[at]);
          loop {
            let new_value = bitcast<u32>(bitcast<f32>(old) + value);
            let result = atomicCompareExchangeWeak(&gu[at], old, new_value);
            if (result.exchanged) { break; }
            old = result.old_value;
          }
        }
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
          if (id.x >= ${rows * columns}u) { return; }
          let row = i32(id.x) / ${columns};
          let column = i32(id.x) % ${columns};
          let w = g[id.x] * k[id.x];
          add(row, column, g[id.x] - 4.0 * w);
          add(row + 1, column, w);
          add(row - 1, column, w);
          add(row, column + 2, w);
          add(row, column - 1, w);
        }`,
      bindings: ["input", "input", "output"],
    });
    const shape = [rows, columns];
    const [u, k, g] = [field(shape, 1), field(shape, 2), field(shape, 3, false)];
    sum(mul(stencil(heatWgsl, { dimensions: 2, boundary })(u, k), g)).backward();
    const wanted = GpuArray.from(new Float32Array(rows * columns), shape);
    scatter.runInto({ inputs: [k, g], outputs: [wanted], invocations: rows * columns });
    expectClose(await gradOf(u), [...(await new Variable(wanted).read())], 1e-5, 1e-6);
  });
});

test("gradients are the same to the bit every time", async () => {
  const heat = stencil(heatWgsl, { dimensions: 2, boundary: "clamp" });
  const once = async (): Promise<number[]> => {
    const [u, k] = [field([33, 65], 1), field([33, 65], 2)];
    const y = heat(u, k);
    y.mul(y).backward();
    return [...(await gradOf(u)), ...(await gradOf(k))];
  };
  expect(await once()).toEqual(await once());
});

test("gradCheck accepts it to the second order", async () => {
  const swirl = stencil(
    "fn swirl_forward(u: field, dt: f32) -> f32 { return u(0, 0) * u(1, 0) + dt * u(0, -1) * u(0, -1); }",
    { dimensions: 2, boundary: "clamp" },
  );
  await gradCheck(swirl, [field([2, 3], 1), new Variable(0.5)], { order: 2 });
});

describe("operands", () => {
  const step = stencil("fn step_forward(u: field, dt: f32) -> f32 { return u(0) + dt * (u(1) - u(-1)); }", {
    dimensions: 1,
    boundary: "zero",
  });

  test("a number may be a number, and an array of one element, which gets its gradient in its shape", async () => {
    const u = new Variable([1, 2, 4]);
    expectClose(await step(u, 0.5).read(), [2, 3.5, 3]);
    const dt = new Variable([[0.5]]);
    const y = step(u, dt);
    expectClose(await y.read(), [2, 3.5, 3]);
    y.backward();
    expect(dt.grad?.shape).toEqual([1, 1]);
    expectClose(await gradOf(dt), [2 + 3 - 2]);
    expectClose(await gradOf(u), [1 - 0.5, 1, 1 + 0.5]);
  });

  test("data and results of other functions are fields, too; so is what has one number for all", async () => {
    expectClose(await step([1, 2, 4], 1).read(), [3, 5, 2]);
    const twos = new Variable(GpuArray.constant(2, [3]));
    expectClose(await step(twos, 0.5).read(), [3, 2, 1]);
    expectClose(
      await step(sum(twos).mul([1, 2, 0.5]), twos.mul(0).add(0.25).reshape([3]).sum()).read(),
      [15, 9.75, -6],
    );
  });

  test("a pass that starts from ones, from a sum and from an array gives the same", async () => {
    const gradients = [];
    const weights = new Variable([1, 1, 1], { requiresGrad: false });
    for (const of of [(y: Variable) => y, (y: Variable) => sum(y), (y: Variable) => y.mul(weights)]) {
      const u = new Variable([1, 2, 4]);
      of(step(u, 0.5)).backward();
      gradients.push(await gradOf(u));
    }
    expect(gradients).toEqual([
      [0.5, 1, 1.5],
      [0.5, 1, 1.5],
      [0.5, 1, 1.5],
    ]);
  });

  test("no cells at all: no result, and no gradient of a number", async () => {
    const [u, dt] = [new Variable(new Float32Array(0)), new Variable(2)];
    const y = step(u, dt);
    expect(y.shape).toEqual([0]);
    sum(y).backward();
    expect(await gradOf(dt)).toEqual([0]);
  });

  test("one gradient alone takes one dispatch, and reads only what it needs", () => {
    const heat = stencil(heatWgsl, { dimensions: 2, boundary: "wrap" });
    const [u, k] = [field([4, 4], 1), field([4, 4], 2, false)];
    const y = heat(u, k);
    expect(dispatchesOf(() => y.backward())).toBe(1);
  });

  test("what a backward doesn't read may change before it; what it reads may not", () => {
    const heat = stencil(heatWgsl, { dimensions: 2, boundary: "wrap" });
    const [u, k] = [field([4, 4], 1), field([4, 4], 2, false)];
    const y = heat(u, k);
    u.assign(k);
    expect(() => y.backward()).not.toThrow();
    const z = heat(u, k);
    k.assign(u);
    expect(() => z.backward()).toThrow(ModifiedError);
  });
});

describe("a strong zero", () => {
  const slope = stencil<[Operand]>("fn slope_forward(u: field) -> f32 { return sqrt(u(1)) / u(0); }", {
    dimensions: 1,
    boundary: "clamp",
  });

  test("where the gradient is exactly 0, nothing comes of it, whatever the derivative is", async () => {
    const u = new Variable([0, 0, 1, 4]);
    sum(where([0, 0, 1, 1], slope(u), 0)).backward();
    expectClose(await gradOf(u), [0, 0, -2, 0.1875]);
  });

  test("in second derivatives, too", async () => {
    const u = new Variable([0, 0, 1, 4]);
    const first = grad((x) => sum(where([0, 0, 1, 1], slope(x), 0)));
    const second = await grad((x) => sum(mul(first(x), [0, 0, 1, 0])))(u).read();
    expectClose(second, [0, 0, 4, -0.25]);
  });
});

test("what changes by a change that is exactly 0 is 0, whatever the derivative is", async () => {
  const record = stencil<[Operand]>("fn record_forward(u: field) -> f32 { return log(u(1)); }", {
    dimensions: 1,
    boundary: "wrap",
  });
  const u = new Variable([0, 1, 2]);
  const back = (weight: Variable): Variable => grad((x) => sum(mul(record(x), weight)))(u);
  const along = await grad((weight) => sum(mul(back(weight), [0, 3, 4])))(new Variable([1, 1, 0])).read();
  expectClose(along, [3, 2, 0]);
});

describe("what is refused", () => {
  const heat = stencil(heatWgsl, { dimensions: 2, boundary: "wrap" });
  const u = (): Variable => field([3, 4], 1);

  test("shapes that aren't what the source says", () => {
    expect(() => heat(u(), field([4, 3], 1))).toThrow(ShapeError);
    expect(() => heat(u(), field([4, 3], 1))).toThrow("heat: all fields have one extent, not [3, 4] and [4, 3]");
    expect(() => heat(field([12], 1), u())).toThrow("heat: u has 2 axes, and was given shape [12]");
    expect(() => heat(u(), 0.5)).toThrow("One number for all positions is declared as k: f32");
    const one = stencil("fn one_forward(u: field<vec2f>, dt: f32) -> f32 { return dt * u(0).x; }", {
      dimensions: 1,
      boundary: "zero",
    });
    expect(() => one([1, 2], 1)).toThrow("one: u has one axis, then one of 2 components, and was given shape [2]");
    expect(() => one([[1, 2]], [1, 2])).toThrow("Declare it as dt: field");
  });

  test("another number of operands, and what is no operand", () => {
    expect(() => heat(u())).toThrow(ArgumentError);
    expect(() => heat(u())).toThrow("heat takes 2 operands (u, k), was given 1");
  });

  test("options that are none", () => {
    const of =
      (options: unknown): (() => unknown) =>
      () =>
        stencil(heatWgsl, options as never);
    expect(of(undefined)).toThrow(ArgumentError);
    expect(of({ dimensions: 4, boundary: "zero" })).toThrow("dimensions must be a whole number from 1 to 3, not 4");
    expect(of({ dimensions: 2 })).toThrow(ArgumentError);
    expect(of({ dimensions: 2, boundary: "mirror" })).toThrow('must be "clamp", "wrap", "zero" or a number');
    expect(of({ dimensions: 2, boundary: Infinity })).toThrow("a number that is finite");
    expect(of({ dimensions: 2, boundary: { u: "zero" } })).toThrow("k has no boundary");
    expect(of({ dimensions: 2, boundary: { u: "zero", k: "wrap", v: "clamp" } })).toThrow(
      "a boundary is given for v, and the fields are u, k",
    );
    expect(of({ dimensions: 3, boundary: "zero" })).toThrow(WgslError);
  });

  test("fuse can't make one shader of it, and says so", () => {
    expect(() => fuse((x) => heat(x, x).mul(2))(u())).toThrow(FuseError);
    expect(() => fuse((x) => heat(x, x).mul(2))(u())).toThrow("Heat");
  });

  test.skipIf(isWgpu)("what only the compiler finds rejects the next read", async () => {
    const wrong = stencil(
      "fn wrong_forward(u: field) -> f32 { return u(0) + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30)); }",
      {
        dimensions: 1,
        boundary: "zero",
      },
    );
    await expect(wrong([1, 2]).read()).rejects.toThrow(WgslError);
    expectClose(await u().mul(2).read(), [...(await u().mul(2).read())]);
  });
});

test("a loop of steps gives its memory back with its result", async () => {
  const heat = stencil(heatWgsl, { dimensions: 2, boundary: "clamp" });
  const [u, k] = [field([16, 16], 1), field([16, 16], 2)];
  const run = async (): Promise<void> => {
    let y = heat(u, k);
    for (let step = 0; step < 4; step++) y = heat(y, k);
    const loss = sum(mul(y, y));
    loss.backward();
    await loss.read();
    loss.dispose();
    u.clearGrad();
    k.clearGrad();
  };
  await run();
  const { liveBytes } = stats();
  for (let round = 0; round < 3; round++) await run();
  expect(stats().liveBytes).toBe(liveBytes);
});

test("prepare compiles what a first gradient needs", async () => {
  const heat = stencil("fn ready_forward(u: field) -> f32 { return u(1) * u(0); }", {
    dimensions: 1,
    boundary: "zero",
  });
  await prepare([heat]);
  const { pipelines } = stats();
  heat(new Variable([1, 2, 3])).backward();
  expect(stats().pipelines).toBe(pipelines);
});

test("the derived functions can be read", () => {
  const warm = stencil("fn warm_forward(u: field) -> f32 { return u(0) + 0.5 * exp(u(-1)); }", {
    dimensions: 1,
    boundary: "zero",
  });
  expect(warm.gradient).toBe(
    "fn warm_by_u_0() -> f32 {\n  return 1.0;\n}\n\nfn warm_by_u_m1(u_m1: f32) -> f32 {\n  return 0.5 * exp(u_m1);\n}\n",
  );
});

describe("random stencils", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const boundaries: readonly Boundary[] = ["clamp", "wrap", "zero", -0.5];

  test.each(Array.from({ length: 12 }, (_, k) => seed + k))("seed %i", async (start) => {
    const random = new Random(start);
    const dimensions = random.whole(1, 3);
    const names = ["a", "b"] as const;
    const own = Object.fromEntries(names.map((name) => [name, random.pick(boundaries)]));
    const { wgsl, f } = expression(random, dimensions, 4);
    const source = `fn wild_forward(a: field, b: field, c: f32) -> f32 { return a(${zeros(dimensions)}) * b(${zeros(dimensions)}) + ${wgsl}; }`;
    const calculation = (around: Around): number[] => {
      const here = new Array<number>(dimensions).fill(0);
      return [(around["a"]?.(...here) ?? NaN) * (around["b"]?.(...here) ?? NaN) + f(around)];
    };
    const extent = Array.from({ length: dimensions }, () => random.whole(1, 5));
    const inputs: ReferenceInput[] = names.map((name, input) => ({
      name,
      boundary: own[name] ?? "zero",
      values: spread(sizeOf(extent), [-1, 1], input),
    }));
    inputs.push({ name: "c", boundary: null, values: [0.7] });
    const xs = inputs.map(({ values, boundary }) => {
      const shape = boundary === null ? [] : extent;
      return new Variable(Float32Array.from(values), { shape, requiresGrad: true });
    });
    const y = stencil(source, { dimensions, boundary: own })(...xs);
    const gy = spread(sizeOf(extent), [-1, 1], 5);
    expectClose(await y.read(), forwardOf(calculation, inputs, extent), 1e-5, 2e-6);
    sum(mul(y, new Variable(gy, { shape: extent, requiresGrad: false }))).backward();
    const wanted = gradientsOf(calculation, inputs, extent, gy);
    for (const [input, x] of xs.entries()) {
      const largest = Math.max(...(wanted[input] ?? []).map(Math.abs), 1);
      expectClose(await gradOf(x), wanted[input] ?? [], 0, 1e-5 * largest);
    }
  });
});

function zeros(dimensions: number): string {
  return new Array<number>(dimensions).fill(0).join(", ");
}

interface Expression {
  readonly wgsl: string;
  readonly f: (around: Around) => number;
}

/** Of reads at random offsets; smooth, so that differences can tell. */
function expression(random: Random, dimensions: number, depth: number): Expression {
  const inner = (): Expression => expression(random, dimensions, depth - 1);
  const kind = depth === 0 ? random.whole(0, 3) : random.whole(1, 8);
  switch (kind) {
    case 0:
      return { wgsl: "c", f: ({ c }) => c?.() ?? NaN };
    case 1:
    case 2:
    case 3: {
      const name = random.pick(["a", "b"]);
      const offset = Array.from({ length: dimensions }, () => random.whole(-3, 3));
      return { wgsl: `${name}(${offset.join(", ")})`, f: (around) => around[name]?.(...offset) ?? NaN };
    }
    case 4: {
      const { wgsl, f } = inner();
      return { wgsl: `sin(${wgsl})`, f: (around) => Math.sin(f(around)) };
    }
    case 5: {
      const [x, y] = [inner(), inner()];
      return {
        wgsl: `(${x.wgsl}) / (1.0 + (${y.wgsl}) * (${y.wgsl}))`,
        f: (around) => x.f(around) / (1 + y.f(around) ** 2),
      };
    }
    case 6: {
      const [x, y] = [inner(), inner()];
      return { wgsl: `(${x.wgsl} - (${y.wgsl}))`, f: (around) => x.f(around) - y.f(around) };
    }
    case 7: {
      const [x, y] = [inner(), inner()];
      return { wgsl: `(${x.wgsl} + ${y.wgsl})`, f: (around) => x.f(around) + y.f(around) };
    }
    default: {
      const [x, y] = [inner(), inner()];
      return { wgsl: `0.5 * (${x.wgsl}) * (${y.wgsl})`, f: (around) => 0.5 * x.f(around) * y.f(around) };
    }
  }
}
