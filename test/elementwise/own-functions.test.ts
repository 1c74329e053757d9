/** Functions of one's own: subclasses of Function, kernels, and element-wise WGSL. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  elementwise,
  Function,
  grad,
  gradCheck,
  GpuArray,
  init,
  Kernel,
  LimitError,
  NotDifferentiableError,
  Variable,
  WgslError,
  type KernelOptions,
  type Operand,
} from "../../src/index.js";
import { dispatchesOf, expectClose, gradOf, pipelinesOf, spread, variable } from "../reference/numbers.js";
import { isWgpu } from "../trouble.js";

beforeAll(async () => {
  await init();
});

async function errorOf(work: Promise<unknown>): Promise<WgslError> {
  const error: unknown = await work.then(
    (value) => value,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WgslError)) throw new Error(`there should be a WgslError, not ${String(error)}`);
  return error;
}

const stencil = new Kernel({
  name: "stencil",
  wgsl: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<uniform> weights: vec3f;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = id.x + id.y * groups.x * 64u;
      let n = arrayLength(&x);
      if (i >= n) { return; }
      var sum = weights.y * x[i];
      if (i > 0u) { sum += weights.x * x[i - 1u]; }
      if (i + 1u < n) { sum += weights.z * x[i + 1u]; }
      y[i] = sum;
    }`,
  bindings: ["input", "output", "uniform"],
});

type Weights = readonly [left: number, middle: number, right: number];

/** y[i] = left x[i-1] + middle x[i] + right x[i+1], with zeros beyond the ends. Its adjoint is its mirror image. */
class Stencil extends Function {
  readonly #weights: Weights;

  constructor(weights: Weights) {
    super();
    this.#weights = weights;
  }

  override forward(x: GpuArray): GpuArray[] {
    return stencil.run({
      inputs: [x],
      outputs: [x.shape],
      uniforms: [Float32Array.from(this.#weights)],
      invocations: x.size,
    });
  }

  override backward(gy: Variable): Variable {
    const [left, middle, right] = this.#weights;
    return new Stencil([right, middle, left]).call(gy);
  }
}

describe("a three-point stencil by a kernel of one's own", () => {
  const weights: Weights = [0.25, -2, 0.5];

  test("computes what the loop computes, at any length", async () => {
    for (const length of [1, 2, 3, 64, 65, 100_003]) {
      const x = spread(length, [-1, 1]);
      const y = await new Stencil(weights).call(x).read();
      const expected = Array.from(x, (value, i) => 0.25 * (x[i - 1] ?? 0) - 2 * value + 0.5 * (x[i + 1] ?? 0));
      expectClose(y, expected, 1e-6, 1e-6);
    }
  });

  test("its backward is the adjoint: ⟨S x, y⟩ = ⟨x, Sᵀ y⟩, and agrees with differences to second order", async () => {
    const [x, y] = [variable([50], [-1, 1]), spread(50, [-1, 1], 1)];
    const sx = new Stencil(weights).call(x);
    sx.grad = y;
    sx.backward();
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Array.from(a).reduce((total, value, i) => total + value * (b[i] ?? NaN), 0);
    expectClose([dot(await sx.read(), y)], [dot(await x.read(), await gradOf(x))], 1e-5);
    await gradCheck((v) => new Stencil(weights).call(g.square(v)), [variable([7], [-1, 1])]);
  });

  test("is one dispatch each way, and compiles once for all lengths and weights", () => {
    new Stencil(weights).call([1]);
    const x = variable([10], [-1, 1]);
    let y = x;
    expect(pipelinesOf(() => (y = new Stencil([1, 2, 3]).call(x)))).toBe(0);
    expect(
      dispatchesOf(() => {
        new Stencil(weights).call(x);
        y.backward();
      }),
    ).toBeLessThanOrEqual(3);
  });

  test("fits a heat equation: the rate is found again from the end state, by gradient descent", async () => {
    const heat = (u: Variable, rate: Variable): Variable => {
      for (let step = 0; step < 5; step++) u = u.add(new Stencil([1, -2, 1]).call(u).mul(rate));
      return u;
    };
    const start = new Variable([0, 0, 0, 1, 2, 1, 0, 0, 0, 0], { requiresGrad: false });
    const end = heat(start, new Variable(0.2, { requiresGrad: false }));
    let rate = 0.05;
    const slope = grad((r) => heat(start, r).sub(end).square().sum());
    for (let step = 0; step < 60; step++) rate -= 0.01 * (await slope(rate).item());
    expect(Math.abs(rate - 0.2)).toBeLessThan(1e-3);
  });
});

describe("a subclass made of other Functions", () => {
  class Cube extends Function {
    override forward(x: GpuArray): Variable {
      return g.square(x).mul(x);
    }
    override backward(gy: Variable): Variable {
      return g.square(this.input).mul(3).mul(gy);
    }
  }

  test("is one node, and can be differentiated to any order", async () => {
    const x = new Variable(2);
    const y = new Cube().call(x);
    expect(y.creator?.name).toBe("Cube");
    expect(y.creator?.input).toBe(x);
    const slopes = [y];
    for (let order = 0; order < 3; order++) {
      x.clearGrad();
      slopes.at(-1)?.backward({ createGraph: true });
      slopes.push(x.grad ?? y);
    }
    expect(await Promise.all(slopes.map((slope) => slope.item()))).toEqual([8, 12, 12, 6]);
    await gradCheck((v) => new Cube().call(v), [variable([2, 3], [0.5, 1])]);
  });

  test("of several inputs and outputs", async () => {
    class Polar extends Function {
      override forward(r: GpuArray, angle: GpuArray): Variable[] {
        return [g.mul(r, g.cos(angle)), g.mul(r, g.sin(angle))];
      }
      override backward(gx: Variable, gy: Variable): Variable[] {
        const [r, angle] = this.inputs as [Variable, Variable];
        const [c, s] = [g.cos(angle), g.sin(angle)];
        return [gx.mul(c).add(gy.mul(s)), r.mul(gy.mul(c).sub(gx.mul(s)))];
      }
    }
    await gradCheck(
      (r, angle) => {
        const f = new Polar();
        const x = f.call(r, angle);
        return x.mul(2).add(f.outputs[1]?.exp() ?? NaN);
      },
      [variable([3], [0.5, 1]), variable([3], [0, 1], 1)],
    );
  });

  test("whose backward is a kernel can be differentiated once; twice throws, naming it", async () => {
    class Double extends Function {
      override forward(x: GpuArray): GpuArray {
        return g.mul(x, 2).data;
      }
      override backward(gy: Variable): GpuArray {
        return gy.mul(2).data;
      }
    }
    const x = new Variable([1, 2]);
    new Double().call(x).backward();
    expect(await gradOf(x)).toEqual([2, 2]);
    x.clearGrad();
    new Double().call(x.square()).backward({ createGraph: true });
    const slope = x.grad ?? x;
    expect(() => {
      slope.backward();
    }).toThrow(NotDifferentiableError);
    expect(() => {
      slope.backward();
    }).toThrow(/Double/);
  });
});

const swishWgsl = `
// x · sigmoid(x)
fn swish_forward(x: f32) -> f32 {
  return x * swish_gate(x);
}

fn swish_backward(x: f32, gy: f32) -> f32 {
  let s = swish_gate(x);
  return gy * s * (1.0 + x * (1.0 - s));
}

fn swish_gate(x: f32) -> f32 { return 1.0 / (1.0 + math_exp(-x)); }
`;

describe("element-wise WGSL", () => {
  const swish = elementwise<[Operand]>(swishWgsl);
  const swish64 = (x: number): number => x / (1 + Math.exp(-x));

  test("swish: values, gradient, any shape, numbers and arrays, one dispatch each way", async () => {
    const x = variable([2, 3], [-3, 3]);
    const y = swish(x);
    const numbers = [...(await x.read())];
    expect(y.shape).toEqual([2, 3]);
    expectClose(await y.read(), numbers.map(swish64), 1e-6);
    expectClose(await swish(0.5).read(), [swish64(0.5)], 1e-6);
    expectClose(await swish([-1, 2]).read(), [swish64(-1), swish64(2)], 1e-6);
    y.backward();
    expectClose(
      await gradOf(x),
      numbers.map((v) => {
        const s = 1 / (1 + Math.exp(-v));
        return s * (1 + v * (1 - s));
      }),
      1e-6,
    );
    await gradCheck((v) => swish(v), [variable([5], [-3, 3])], { order: 1 });
    let z = x;
    expect(dispatchesOf(() => (z = swish(x)))).toBe(1);
    expect(
      dispatchesOf(() => {
        z.backward();
      }),
    ).toBeLessThanOrEqual(2);
  });

  test("the result is as the built-in ones: a class, a name, an edge in the graph", () => {
    const x = new Variable(1);
    const y = swish(x);
    expect(y.creator?.name).toBe("Swish");
    expect(y.creator).toBeInstanceOf(swish.Node);
    expect(new swish.Node().call(x).creator?.input).toBe(x);
    expect(swish.wgsl).toBe(swishWgsl);
    expect(() => (swish as (...x: Operand[]) => Variable)(1, 2)).toThrow(ArgumentError);
  });

  test("without a derivative a second differentiation throws, naming the function", async () => {
    const x = new Variable([0.5, -1]);
    swish(x).backward({ createGraph: true });
    const slope = x.grad ?? x;
    expect(await slope.read()).toHaveLength(2);
    const again = (): void => {
      slope.backward();
    };
    expect(again).toThrow(NotDifferentiableError);
    expect(again).toThrow(/swish/i);
    expect(() => grad(grad((v) => swish(v)))(1)).toThrow(NotDifferentiableError);
  });

  test("with a derivative it can be differentiated to any order", async () => {
    const smooth = elementwise<[Operand]>(swishWgsl, {
      derivative: (gy, x = gy) => {
        const s = g.sigmoid(x);
        return gy.mul(s).mul(g.add(1, x.mul(g.sub(1, s))));
      },
    });
    await gradCheck((x) => smooth(x), [variable([2, 3], [-2, 2])]);
    // At 0: swish'' = 1/2, swish''' = 0.
    expect(await grad(grad((x) => smooth(x)))(0).item()).toBe(0.5);
    expect(await grad(grad(grad((x) => smooth(x))))(0).item()).toBe(0);
  });

  test("two, three and four inputs, which broadcast, with a gradient for each", async () => {
    const hypotenuse = elementwise(`
      fn hypotenuse_forward(a: f32, b: f32) -> f32 { return sqrt(a * a + b * b); }
      fn hypotenuse_backward(a: f32, b: f32, y: f32, gy: f32) -> vec2f { return gy / y * vec2f(a, b); }`);
    const mix = elementwise(`
      fn blend_forward(a: f32, b: f32, t: f32) -> f32 { return a + t * (b - a); }
      fn blend_backward(a: f32, b: f32, t: f32, gy: f32) -> vec3<f32> { return gy * vec3f(1.0 - t, t, b - a); }`);
    const four = elementwise(`
      fn determinant_forward(a: f32, b: f32, c: f32, d: f32) -> f32 { return a * d - b * c; }
      fn determinant_backward(gy: f32, d: f32, c: f32, b: f32, a: f32) -> vec4f { return gy * vec4f(d, -c, -b, a); }`);
    expect(await hypotenuse(3, 4).item()).toBe(5);
    expect(await four(1, 2, 3, 4).item()).toBe(-2);
    const order = { order: 1 };
    await gradCheck((a, b) => hypotenuse(a, b), [variable([2, 3], [1, 2]), variable([3], [1, 2], 1)], order);
    await gradCheck(
      (a, b, t) => mix(a, b, t),
      [variable([2, 1], [1, 2]), variable([3], [-1, 1], 1), variable([], [0, 1], 2)],
      order,
    );
    await gradCheck(
      (a, b, c, d) => four(a, b, c, d),
      [0, 1, 2, 3].map((k) => variable([3], [-2, 2], k)),
      order,
    );
    // One gradient alone, where only one is needed.
    const b = new Variable([5, 6]);
    four([1, 2], b, [3, 4], [0, 0]).backward();
    expect(await gradOf(b)).toEqual([-3, -4]);
  });

  test("comments may stand anywhere, and hold anything", async () => {
    const odd = elementwise<[Operand]>(`
      // fn other_forward(x: f32) -> f32 { @group(0) var<storage> }
      /* fn more_forward(x: f32) -> f32 /* nested */ struct Foo {} */
      fn odd_forward( /* the input */ x : f32, // one
      ) -> f32 {
        return x + 1.0; // fn last()
      }`);
    expect(await odd(1).item()).toBe(2);
  });

  test("constants, structs and helpers of its own are fine, with its prefix", async () => {
    const leaky = elementwise<[Operand]>(`
      const leaky_slope = 0.125;
      struct leaky_Pair { a: f32, b: f32 }
      fn leaky_forward(x: f32) -> f32 {
        const local = 1.0;
        let pair = leaky_Pair(x, leaky_slope * x);
        if (x < 0.0) { return pair.b; }
        return local * pair.a;
      }`);
    expect([...(await leaky([-8, 8]).read())]).toEqual([-1, 8]);
  });

  test("prepare compiles ahead: the first call compiles nothing", async () => {
    const ahead = elementwise<[Operand]>(swishWgsl.replaceAll("swish", "ahead"));
    await ahead.prepare();
    const x = variable([5], [-1, 1]);
    expect(
      pipelinesOf(() => {
        ahead(x).backward();
      }),
    ).toBe(0);
  });
});

describe("a mistake in WGSL", () => {
  test("is told where the function is defined, with line, column and the line itself", () => {
    const define = (): unknown =>
      elementwise("fn f_forward(x: f32) -> f32 {\n  let a = x * 2.0;\n  return a + nonsense;\n}");
    expect(define).toThrow(WgslError);
    expect(define).toThrow("f, line 3, column 14: nonsense is not declared\n  return a + nonsense;");
  });

  test("in the backward and in what nobody calls, too", () => {
    const define = (): unknown =>
      elementwise(`fn half_forward(x: f32) -> f32 { return 0.5 * x; }
fn half_backward(x: f32, gy: f32) -> f32 { return 0.5 * gy; }
fn half_unused(x: f32) -> f32 {
  return x * vec2f(1.0);
}`);
    expect(define).toThrow(/half, line 4, column 3/);
  });
});

describe("a mistake in WGSL that only the compiler finds", () => {
  const unknown = `fn broken_forward(x: f32) -> f32 {
  let a = x * 2.0;
  return a + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30));
}`;

  test.skipIf(isWgpu)("rejects the read with the compiler's message and the line in the user's source", async () => {
    const broken = elementwise<[Operand]>(unknown);
    const error = await errorOf(broken([1, 2, 3]).read());
    expect(error.line).toBe(3);
    expect(error.message).toContain("determinant(mat2x2f(1e30, 0.0, 0.0, 1e30))");
    expect(error.message).toContain("line 3");
    expect(error.message).toContain("broken");
  });

  test.skipIf(isWgpu)("in the backward too, and leaves the forward's result readable", async () => {
    const broken = elementwise<[Operand]>(`fn half_forward(x: f32) -> f32 { return 0.5 * x; }
fn half_backward(x: f32, gy: f32) -> f32 { return 0.5 * gy; }
fn half_unused(x: f32) -> f32 {
  return x + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30));
}`);
    const error = await errorOf(broken([1, 2]).read());
    expect(error.line).toBe(4);
  });

  test.skipIf(isWgpu)("rejects prepare", async () => {
    const error = await errorOf(elementwise(unknown).prepare());
    expect(error.line).toBe(3);
  });

  test.skipIf(isWgpu)("spoils what is computed from it, and nothing else", async () => {
    const x = new Variable([1, 2, 3]);
    const fine = x.mul(2);
    const bad = elementwise<[Operand]>(unknown.replaceAll("broken", "spoiled"))(x);
    const later = x.mul(3);
    const fromBad = bad.add(1);
    await errorOf(fromBad.read());
    await errorOf(bad.read());
    expect([...(await fine.read())]).toEqual([2, 4, 6]);
    expect([...(await later.read())]).toEqual([3, 6, 9]);
    expect([...(await x.add(1).read())]).toEqual([2, 3, 4]);
  });

  test("in a Kernel names the kernel, the line, and the text of it", async () => {
    const kernel = new Kernel({
      name: "mine",
      wgsl: `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() {
  y[0] = missing(1.0);
}`,
      bindings: ["output"],
    });
    const [y] = kernel.run({ inputs: [], outputs: [[1]], invocations: 1 });
    const error = await errorOf(y?.read() ?? Promise.resolve());
    expect(error.line).toBe(4);
    expect(error.message).toMatch(/mine, line 4.*missing/);
    expect(error.message).toContain("y[0] = missing(1.0);");
    await errorOf(kernel.prepare());
  });

  test.each<[string, string, RegExp]>([
    ["no forward", "fn f(x: f32) -> f32 { return x; }", /NAME_forward/],
    ["nothing", "", /NAME_forward/],
    ["a forward of another type", "fn a_forward(x: i32) -> f32 { return 1.0; }", /x: i32/],
    ["a forward that gives another type", "fn a_forward(x: f32) -> i32 { return i32(x); }", /must return f32/],
    ["no parameter", "fn a_forward() -> f32 { return 1.0; }", /1 to 4 parameters/],
    ["five parameters", "fn a_forward(p: f32, q: f32, r: f32, s: f32, t: f32) -> f32 { return p; }", /1 to 4/],
    ["an input called y", "fn a_forward(y: f32) -> f32 { return y; }", /y or gy/],
    ["two forwards", "fn a_forward(x: f32) -> f32 { return x; }\nfn b_forward(x: f32) -> f32 { return x; }", /line 2/],
    ["a reserved name", "fn math_forward(x: f32) -> f32 { return x; }", /math/],
    ["a binding", "@group(0) @binding(0) var<uniform> a_u: f32;\nfn a_forward(x: f32) -> f32 { return x; }", /@group/],
    ["a private variable", "var<private> a_v: f32;\nfn a_forward(x: f32) -> f32 { return x; }", /private/],
    [
      "an entry point",
      "fn a_forward(x: f32) -> f32 { return x; }\n@compute @workgroup_size(1) fn a_main() {}",
      /line 2.*@compute/,
    ],
    ["an extension", "enable f16;\nfn a_forward(x: f32) -> f32 { return x; }", /enable/],
    [
      "a helper without the prefix",
      "fn a_forward(x: f32) -> f32 { return h(x); }\nfn h(x: f32) -> f32 { return x; }",
      /a_h/,
    ],
    ["a constant without the prefix", "const k = 1.0;\nfn a_forward(x: f32) -> f32 { return k * x; }", /a_k/],
    [
      "a backward of too few gradients",
      "fn a_forward(p: f32, q: f32) -> f32 { return p; }\nfn a_backward(gy: f32) -> f32 { return gy; }",
      /vec2f/,
    ],
    [
      "a backward that takes what isn't there",
      "fn a_forward(x: f32) -> f32 { return x; }\nfn a_backward(z: f32, gy: f32) -> f32 { return gy; }",
      /parameter z/,
    ],
  ])("%s is refused at once", (_what, wgsl, message) => {
    expect(() => elementwise(wgsl)).toThrow(WgslError);
    expect(() => elementwise(wgsl)).toThrow(message);
  });

  test("what is no source, or no derivative, is refused", () => {
    for (const wrong of [null, 1, {}, ["fn"]])
      expect(() => elementwise(wrong as unknown as string)).toThrow(ArgumentError);
    const derivative = 3 as unknown as () => null;
    expect(() => elementwise(swishWgsl, { derivative })).toThrow(ArgumentError);
  });
});

describe("a Kernel", () => {
  test("refuses arrays and blocks that don't match its bindings, and grids beyond the device", () => {
    const x = GpuArray.from(Float32Array.of(1, 2));
    const uniforms = [Float32Array.of(1, 2, 3)];
    const good = { inputs: [x], outputs: [[2]], uniforms, invocations: 2 };
    expect(() => stencil.run({ ...good, inputs: [] })).toThrow(ArgumentError);
    expect(() => stencil.run({ ...good, outputs: [[2], [2]] })).toThrow(ArgumentError);
    expect(() => stencil.run({ ...good, uniforms: [] })).toThrow(ArgumentError);
    expect(() => stencil.run({ ...good, invocations: -1 })).toThrow(ArgumentError);
    expect(() => stencil.run({ inputs: [x], outputs: [[2]], uniforms, workgroups: [1e6] })).toThrow(LimitError);
    expect(() => stencil.run({ ...good, outputs: [[-2]] })).toThrow(g.ShapeError);
  });

  test("refuses options of the wrong kind", () => {
    const good: KernelOptions = { name: "k", wgsl: "", bindings: [] };
    for (const wrong of [
      { name: 1 },
      { wgsl: null },
      { bindings: "input" },
      { bindings: ["in"] },
      { workgroupSize: 0 },
    ]) {
      expect(() => new Kernel({ ...good, ...wrong } as unknown as KernelOptions)).toThrow(ArgumentError);
    }
  });

  test("writes into arrays that are there already", async () => {
    const x = GpuArray.from(Float32Array.of(1, 2, 3));
    const y = GpuArray.from(Float32Array.of(0, 0, 0));
    stencil.runInto({ inputs: [x], outputs: [y], uniforms: [Float32Array.of(0, 10, 0)], invocations: 3 });
    expect([...(await y.read())]).toEqual([10, 20, 30]);
  });

  test("of nothing dispatches nothing", () => {
    const x = GpuArray.from(new Float32Array(0));
    const uniforms = [Float32Array.of(1, 2, 3)];
    expect(dispatchesOf(() => stencil.run({ inputs: [x], outputs: [[0]], uniforms, invocations: 0 }))).toBe(0);
  });
});

describe("every Function can show the WGSL it runs", () => {
  test("the built-in element-wise ones whole, with the math in it", () => {
    for (const [f, text] of [
      [new g.Square(), "square_forward"],
      [new g.Exp(), "exp_forward"],
      [new g.mul.Node(), "mul_forward"],
      [new g.where.Node(), "where_forward"],
    ] as const) {
      expect(f.wgsl).toContain(`fn ${text}(`);
      expect(f.wgsl).toContain("@compute");
      expect(f.wgsl).toContain("@binding(0)");
    }
  });

  test("reductions, moves and one's own too", () => {
    const x = new Variable([[1, 2]]);
    const sum = g.sum(x).creator;
    expect(sum?.wgsl).toContain("fn combine(");
    expect(sum?.wgsl).toContain("@compute");
    expect(g.max(x).creator?.wgsl).toContain("math_max");
    expect(g.transpose(x).creator?.wgsl).toContain("copy_forward");
    expect(g.broadcastTo(x, [3, 2]).creator?.wgsl).toContain("copy_forward");
    expect(g.reshape(x, [2]).creator?.wgsl).toBeNull();
    expect(elementwise<[Operand]>(swishWgsl)(x).creator?.wgsl).toContain(swishWgsl.trim());
  });
});
