/** A fused function is cut where a shader can't hold it: by shapes, by arrays, by size. It gives what the unfused one gives. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  elementwise,
  fuse,
  grad,
  gradCheck,
  init,
  mul,
  noGrad,
  square,
  stats,
  sum,
  Variable,
} from "../../src/index.js";

/** WebGPU's default limits: 8 arrays in a shader. */
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await init({ device: await adapter!.requestDevice() });
  expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
});

type F = (...args: Variable[]) => Variable | readonly Variable[];

const numbers = (n: number, seed = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, k) => 0.75 + 0.5 * Math.sin((k + 1) * 12.9898 * seed));

/** Shapes and numbers of the outputs and of the gradients of a weighed sum of them all, to one order. */
async function everything(f: F, shapes: readonly (readonly number[])[], order = 1, createGraph = false) {
  const inputs = shapes.map(
    (shape, k) =>
      new Variable(
        numbers(
          shape.reduce((a, b) => a * b, 1),
          k + 1,
        ),
        { shape },
      ),
  );
  const list = (result: Variable | readonly Variable[]): readonly Variable[] =>
    result instanceof Variable ? [result] : result;
  const outputs = list(f(...inputs));
  let total = outputs.map((y, k) => sum(mul(y, k + 1))).reduce((a, b) => a.add(b));
  for (let k = 1; k <= order && total.requiresGrad; k++) {
    for (const input of inputs) input.clearGrad();
    total.backward({ createGraph: createGraph || k < order });
    if (k < order) {
      total = inputs
        .flatMap(({ grad: gradient }) => (gradient === null ? [] : [sum(gradient)]))
        .reduce((a, b) => a.add(b));
    }
  }
  const read = async (variables: readonly (Variable | null)[]) =>
    Promise.all(variables.map(async (v) => (v === null ? null : { shape: v.shape, values: [...(await v.read())] })));
  return { outputs: await read(outputs), gradients: await read(inputs.map((input) => input.grad)) };
}

async function expectSame(f: F, shapes: readonly (readonly number[])[], order = 1): Promise<void> {
  for (const createGraph of [false, true]) {
    const fused = await everything(fuse(f as never), shapes, order, createGraph);
    const plain = await everything(f, shapes, order, createGraph);
    for (const what of ["outputs", "gradients"] as const) {
      expect(fused[what].map((each) => each?.shape)).toEqual(plain[what].map((each) => each?.shape));
      fused[what].forEach((each, k) => {
        each?.values.forEach((value, i) => {
          const expected = plain[what][k]?.values[i] ?? NaN;
          expect(Math.abs(value - expected), `${what} ${k}`).toBeLessThanOrEqual(
            2e-6 * Math.max(1, Math.abs(expected)),
          );
        });
      });
    }
  }
}

describe("each output has the shape that its own operands broadcast to, each gradient its input's", () => {
  test.each<[string, F, (readonly number[])[]]>([
    ["an argument that isn't used", (x) => x.mul(2), [[1], [3]]],
    ["two outputs of two shapes", (x, y) => [x.mul(2), x.mul(y)], [[1], [3]]],
    ["the same, from a shared part", (x, y) => ((v) => [v.mul(3), v.mul(y), v.add(y)])(g.sin(x)), [[1], [3]]],
    ["three shapes", (x, y) => [g.exp(x), g.exp(y), x.mul(y)], [[3, 1], [4]]],
    ["no broadcast at all", (x, y) => [x.mul(2), x.mul(y)], [[3], [3]]],
    [
      "a part of a smaller shape, used twice",
      (x, y) => ((v) => y.mul(v).add(v))(g.exp(x).add(1)),
      [
        [2, 1],
        [2, 3],
      ],
    ],
    ["an empty array", (x, y) => [x.mul(2), x.mul(y)], [[1], [0]]],
    ["an output that is an argument", (x, y) => [x, y.mul(x)], [[1], [3]]],
    ["an output twice", (x, y) => ((v) => [v, v])(x.mul(y)), [[1], [3]]],
    ["an output that depends on nothing", (x) => [x.mul(2), mul(2, 3)], [[3]]],
    ["arguments that don't broadcast, and don't meet", (x, y) => [x.mul(2), y.mul(2)], [[2], [3]]],
  ])("%s", async (_what, f, shapes) => {
    await expectSame(f, shapes);
    await expectSame(f, shapes, 2);
  });

  test("the values of the issue", async () => {
    const x = new Variable([1]);
    const y = fuse((a: Variable, _b: Variable) => a.mul(2))(x, [1, 2, 3]);
    expect(y.shape).toEqual([1]);
    sum(y).backward();
    expect([...((await x.grad?.read()) ?? [])]).toEqual([2]);
  });

  test("no inputs at all", async () => {
    const y = fuse(() => mul(2, 2))();
    expect(y.shape).toEqual([]);
    expect(await y.item()).toBe(4);
  });

  test("shapes that meet and don't fit are an error", () => {
    expect(() => fuse((x: Variable, y: Variable) => x.mul(y))([1, 2], [1, 2, 3])).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
  });

  test("what is computed under noGrad in it has no gradient, also where the first call is under noGrad", async () => {
    const f = fuse((x: Variable) => x.mul(noGrad(() => square(x))));
    const x = new Variable([3]);
    noGrad(() => f(x)).dispose();
    f(x).backward();
    expect(await x.grad?.item()).toBe(9);
  });
});

describe("on a device with 8 arrays, no number of inputs and no order throws", () => {
  test("products of 2 to 8 inputs, and sums of products, to the second order", async () => {
    for (const n of [2, 3, 4, 5, 7, 8]) {
      const shapes = Array.from({ length: n }, () => [3]);
      await expectSame((...v) => v.reduce((a, b) => a.mul(b)), shapes);
      await expectSame((...v) => v.reduce((a, b) => a.mul(b)), shapes, 2);
    }
    const pairs: F = (a, b, c, d) => a.mul(b).add(c.mul(d));
    await expectSame(pairs, [[3], [3], [3], [3]], 2);
    await expectSame(pairs, [[2, 3], [3], [2, 1], [1]], 2);
  });

  test("gradCheck of a product of three", async () => {
    await gradCheck(
      fuse((a: Variable, b: Variable, c: Variable) => a.mul(b).mul(c)),
      [[1], [2], [3]],
    );
  });

  test("eight outputs of eight inputs, each of all", async () => {
    const f: F = (...v) => v.map((x) => v.reduce((a, b) => a.add(b.mul(x))));
    await expectSame(
      f,
      Array.from({ length: 8 }, () => [2]),
    );
  });

  test("grad four times of x^4", async () => {
    const f = fuse((x: Variable) => x.pow(4));
    const fourth = grad(grad(grad(grad(f))));
    expect(await fourth(1.5).item()).toBeCloseTo(24, 3);
  });

  test("own WGSL of four inputs, by an array and by ones, alone and fused, broadcast", async () => {
    const four = elementwise(
      `fn four_forward(a: f32, b: f32, c: f32, d: f32) -> f32 { return a * b + c * d; }
       fn four_backward(a: f32, b: f32, c: f32, d: f32, y: f32, gy: f32) -> vec4f {
         return gy * vec4f(b, a, d, c) + 0.0 * y;
       }`,
      { derivative: (gy, a, b, c, d) => [mul(gy, b), mul(gy, a), mul(gy, d), mul(gy, c)] },
    );
    for (const shapes of [
      [[3], [3], [3], [3]],
      [[2, 1], [3], [2, 3], [1]],
    ]) {
      const inputs = shapes.map(
        (shape, k) =>
          new Variable(
            numbers(
              shape.reduce((p, q) => p * q, 1),
              k + 1,
            ),
            { shape },
          ),
      );
      const [a, b, c, d] = inputs as [Variable, Variable, Variable, Variable];
      const plain = inputs.map((v) => new Variable(v.data.reshape(v.shape)));
      const [p, q, r, s] = plain as [Variable, Variable, Variable, Variable];
      square(four(a, b, c, d)).backward();
      square(p.mul(q).add(r.mul(s))).backward();
      for (const [k, input] of inputs.entries()) {
        const expected = (await plain[k]?.grad?.read()) ?? [];
        (await input.grad?.read())?.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 4));
      }
    }
    await expectSame((a, b, c, d) => square(four(a, b, c, d)), [[3], [3], [3], [3]], 2);
  });
});

describe("a large function", () => {
  const chain =
    (n: number) =>
    (x: Variable, w: Variable): Variable => {
      let y = x;
      for (let k = 0; k < n; k++) y = k % 2 === 0 ? y.mul(w) : y.add(x);
      return y;
    };

  test("of 600 functions is several shaders, and equals the unfused one", async () => {
    await expectSame(chain(600), [[5], [5]]);
    await expectSame(chain(120), [[5], [5]], 2);
  });

  test("of 6,000 functions is computed and differentiated", async () => {
    const f = fuse(chain(6000));
    const [x, w] = [new Variable([0.5, 1]), new Variable([0.9, 0.8])];
    const { pipelines } = stats();
    const before = stats().dispatches;
    const y = f(x, w);
    expect(stats().dispatches - before).toBeLessThan(300);
    y.backward();
    // Pieces with the same text are compiled once.
    expect(stats().pipelines - pipelines).toBeLessThan(20);
    // y = x (w³⁰⁰⁰ + w²⁹⁹⁹ + … + 1), which is x / (1 - w)
    const [values, gradients] = [await y.read(), await x.grad!.read()];
    [0.5 / (1 - 0.9), 1 / (1 - 0.8)].forEach((expected, k) => expect(values[k]! / expected).toBeCloseTo(1, 4));
    [1 / (1 - 0.9), 1 / (1 - 0.8)].forEach((expected, k) => expect(gradients[k]! / expected).toBeCloseTo(1, 4));
  });

  test("is cut by what its functions inline: few sines to a shader, many products", () => {
    const turns = fuse((q: Variable, w: Variable) => {
      let [r, s, total] = [q, w, q.mul(0)];
      for (let k = 0; k < 20; k++) {
        const t = g.sin(r).add(s);
        s = r.mul(0.5);
        r = t.mul(0.9);
        total = total.add(r);
      }
      return total;
    });
    const sines = [...turns.wgsl.matchAll(/fn fused\d+_forward[^}]*}/g)].map(
      ([f]) => f.split("sin_forward(").length - 1,
    );
    expect(sines.reduce((a, b) => a + b)).toBe(20);
    expect(Math.max(...sines)).toBeLessThanOrEqual(2);
    const products = fuse(chain(300)).wgsl.match(/fn fused\d+_forward/g) ?? [];
    expect(products.length).toBeLessThan(8);
  });

  test("without a graph gives back what its pieces wrote for each other", () => {
    const f = fuse(chain(400));
    const x = new Variable(numbers(2 ** 16), { requiresGrad: false });
    const w = new Variable(0.9);
    noGrad(() => f(x, w)).dispose();
    const before = stats().liveBytes;
    const y = noGrad(() => f(x, w));
    expect(stats().liveBytes - before).toBe(2 ** 18);
    y.dispose();
  });

  test("with a graph, dispose() gives back all of it", () => {
    const f = fuse(chain(400));
    const x = new Variable(numbers(2 ** 16));
    const w = new Variable(0.9, { requiresGrad: false });
    const before = stats().liveBytes;
    f(x, w).dispose();
    expect(stats().liveBytes - before).toBe(0);
  });
});
