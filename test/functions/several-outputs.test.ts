/** Own WGSL that gives several numbers: results, gradients of any order, fusion, zeros, limits. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  ArgumentError,
  div,
  elementwise,
  exp,
  findNonFinite,
  fuse,
  grad,
  gradCheck,
  init,
  LimitError,
  mul,
  NotDifferentiableError,
  square,
  stats,
  Variable,
  where,
  WgslError,
  type ElementwiseFunction,
  type Operand,
} from "../../src/index.js";
import { expectClose, gradOf, leaf } from "../reference/numbers.js";

/** WebGPU's default limits: 8 arrays in a shader. */
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await init({ device: await adapter!.requestDevice() });
  expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
});

const polarWgsl = `
fn polar_forward(x: f32, z: f32) -> vec2f {
  let r = length(vec2f(x, z));
  return vec2f(r, math_atan2(z, x));
}`;

const polar = elementwise<[Operand, Operand], 2>(polarWgsl);

const xs = [1, -2, 0.5, 3];
const zs = [2, 1, -1.5, -0.25];
const pairs = xs.map((x, k) => [x, zs[k] ?? NaN] as const);

describe("radius and angle", () => {
  test("come as two results", async () => {
    const [r, angle] = polar(leaf(xs), leaf(zs));
    expectClose(
      await r.read(),
      pairs.map(([x, z]) => Math.hypot(x, z)),
      1e-6,
    );
    expectClose(
      await angle.read(),
      pairs.map(([x, z]) => Math.atan2(z, x)),
      1e-6,
    );
  });

  test("have the sum of both gradients, or that of the one which is used", async () => {
    for (const [a, b] of [
      [2, -3],
      [1, 0],
      [0, 1],
    ] as const) {
      for (const createGraph of [false, true]) {
        const [x, z] = [leaf(xs), leaf(zs)];
        const [r, angle] = polar(x, z);
        const used = a === 0 ? mul(angle, b) : b === 0 ? mul(r, a) : add(mul(r, a), mul(angle, b));
        used.backward({ createGraph });
        expectClose(
          await gradOf(x),
          pairs.map(([u, v]) => (a * u) / Math.hypot(u, v) - (b * v) / (u * u + v * v)),
          2e-6,
        );
        expectClose(
          await gradOf(z),
          pairs.map(([u, v]) => (a * v) / Math.hypot(u, v) + (b * u) / (u * u + v * v)),
          2e-6,
        );
      }
    }
  });

  test("agree with differences to the second order, and fused", async () => {
    const both = (x: Variable, z: Variable): Variable => {
      const [r, angle] = polar(x, z);
      return mul(r, angle);
    };
    await gradCheck(both, [leaf(xs), leaf(zs)], { order: 2 });
    await gradCheck(fuse(both), [leaf(xs), leaf(zs)], { order: 2 });
  });

  test("have second derivatives of the closed form", async () => {
    // r by x twice is z² / r³.
    const second = grad(grad((x: Variable) => polar(x, zs)[0].sum()));
    expectClose(
      await second(leaf(xs)).read(),
      pairs.map(([x, z]) => (z * z) / Math.hypot(x, z) ** 3),
      1e-5,
    );
  });

  test("stay what they are in a fused function that gives both, or uses one twice", async () => {
    const fused = fuse((x: Variable, z: Variable) => {
      const [r, angle] = polar(square(x), z);
      return [mul(r, r), add(angle, exp(r))] as const;
    });
    const plain = (x: Variable, z: Variable): readonly [Variable, Variable] => {
      const [r, angle] = polar(square(x), z);
      return [mul(r, r), add(angle, exp(r))];
    };
    for (const chosen of [0, 1] as const) {
      const [x, z, u, v] = [leaf(xs), leaf(zs), leaf(xs), leaf(zs)];
      fused(x, z)[chosen].backward();
      plain(u, v)[chosen].backward();
      expectClose(await gradOf(x), [...(await gradOf(u))], 1e-6);
      expectClose(await gradOf(z), [...(await gradOf(v))], 1e-6);
    }
  });

  test("show the WGSL of their gradient, which is a source by hand again", async () => {
    expect(polar.gradient).toContain("fn polar_backward(x: f32, z: f32, gy: vec2f) -> vec2f {");
    const byHand = elementwise<[Operand, Operand], 2>(`${polarWgsl}\n${polar.gradient}`);
    expect(byHand.gradient).toBeNull();
    const [x, u] = [leaf(xs), leaf(xs)];
    add(...polar(x, zs)).backward();
    add(...byHand(u, zs)).backward();
    expectClose(await gradOf(u), [...(await gradOf(x))], 0);
  });
});

test("the results' number is known to the compiler from the source, and follows it", async () => {
  const three = elementwise("fn three_forward(x: f32) -> vec3<f32> {\n  return vec3f(x, x * x, 1.0);\n}");
  const [a, b, c]: readonly [Variable, Variable, Variable] = three(leaf([2]));
  expect(await Promise.all([a, b, c].map((each) => each.item()))).toEqual([2, 4, 1]);
  const one: Variable = elementwise("fn one_forward(x: f32) -> f32 { return x; }")(leaf([2]));
  expect(await one.item()).toBe(2);
});

describe("five numbers of four inputs", () => {
  const wgsl = `
    fn powers_forward(a: f32, b: f32, c: f32, d: f32) -> array<f32, 5> {
      var all: array<f32, 5>;
      var p = a * b;
      for (var i = 0; i < 5; i++) { all[i] = p; p *= c + f32(i) * d; }
      return all;
    }`;
  const powers = elementwise<[Operand, Operand, Operand, Operand], 5>(wgsl);
  const at = [1.5, -0.7, 0.9, 0.4] as const;
  const weights = [1, -2, 3, 0.5, -1.5];
  const value = (a: number, b: number, c: number, d: number): number => {
    let p = a * b;
    let sum = 0;
    for (let i = 0; i < 5; i++) {
      sum += (weights[i] ?? NaN) * p;
      p *= c + i * d;
    }
    return sum;
  };

  test("have their gradients, more arrays than a shader may bind", async () => {
    const step = 1e-5;
    const slopes = at.map((_, k) => {
      const moved = (by: number): number =>
        value(...(at.map((x, j) => (j === k ? x + by : x)) as [number, number, number, number]));
      return (moved(step) - moved(-step)) / (2 * step);
    });
    for (const createGraph of [false, true]) {
      const leaves = at.map((x) => leaf([x, x, x]));
      const [a, b, c, d] = leaves as [Variable, Variable, Variable, Variable];
      const results = powers(a, b, c, d);
      const sum = results
        .map((result, k) => mul(result, new Float32Array(3).fill(weights[k] ?? NaN)))
        .reduce((left, right) => add(left, right));
      expectClose(await sum.read(), [value(...at), value(...at), value(...at)], 1e-5);
      sum.backward({ createGraph });
      for (const [k, each] of leaves.entries()) {
        const slope = slopes[k] ?? NaN;
        expectClose(await gradOf(each), [slope, slope, slope], 1e-5);
      }
    }
  });

  test("are prepared, and fused", async () => {
    await powers.prepare();
    const fused = fuse((a: Variable, c: Variable) => {
      const [p, q, , , t] = powers(a, 2, c, 0.5);
      return add(mul(p, q), t);
    });
    const [a, c, u, v] = [leaf([1, 2]), leaf([3, 0.5]), leaf([1, 2]), leaf([3, 0.5])];
    fused(a, c).backward();
    const [p, q, , , t] = powers(u, 2, v, 0.5);
    add(mul(p, q), t).backward();
    expectClose(await gradOf(a), [...(await gradOf(u))], 1e-6);
    expectClose(await gradOf(c), [...(await gradOf(v))], 1e-6);
  });
});

describe("a gradient of exactly 0", () => {
  const risky = elementwise<[Operand], 2>("fn risky_forward(x: f32) -> vec2f { return vec2f(sqrt(x), 3.0 * x); }");

  test("has no effect through its output, while the others have theirs", async () => {
    for (const createGraph of [false, true]) {
      for (const f of [risky, fuse((x: Variable) => risky(x))]) {
        const x = leaf([0, 4]);
        const [root, triple] = f(x);
        // Where x is 0, the root's gradient is 0, and its slope infinite.
        add(where(x.greater(1), root, 0), triple).backward({ createGraph });
        expectClose(await gradOf(x), [3, 3.25], 1e-6);
      }
    }
  });

  test("of all outputs has none through a gradient by hand", async () => {
    const byHand = elementwise<[Operand], 2>(`
      fn hand_forward(x: f32) -> vec2f { return vec2f(sqrt(x), 3.0 * x); }
      fn hand_backward(y: vec2f, gy: vec2f) -> f32 { return gy.x * 0.5 / y.x + 3.0 * gy.y; }`);
    for (const f of [byHand, fuse((x: Variable) => byHand(x))]) {
      const x = leaf([0, 4]);
      const [root, triple] = f(x);
      where(x.greater(1), add(root, triple), 0).backward();
      expectClose(await gradOf(x), [0, 3.25], 1e-6);
    }
    const x = leaf([4]);
    const [root] = byHand(x);
    root.backward({ createGraph: true });
    const { grad: slope } = x;
    expect(() => {
      slope?.backward();
    }).toThrow(NotDifferentiableError);
  });

  test("of all outputs has none through a derivative by hand, to any order, and keeps the slope by itself", async () => {
    const derivative = (gr: Variable, gx: Variable, _x: Variable, r: Variable): Variable =>
      add(div(mul(gr, 0.5), r), gx);
    const wgsl = "fn hand_forward(x: f32) -> vec2f { return vec2f(sqrt(x), x); }";
    const backward = "fn hand_backward(x: f32, gy: vec2f) -> f32 { return gy.x * 0.5 / sqrt(x) + gy.y; }";
    const own: ElementwiseFunction<[Operand], 2>[] = [
      elementwise<[Operand], 2>(`${wgsl}\n${backward}`, { derivative }),
      // Its backward is derived, and knows the zero of each output; its derivative doesn't.
      elementwise<[Operand], 2>(wgsl, { derivative }),
    ];
    type Masked = (x: Variable, m: Operand) => Variable;
    for (const hand of own) {
      const both: Masked = (x, m) => add(mul(hand(x)[0], m), mul(hand(x)[1], m));
      const together: Masked = (x, m) => {
        const [root, same] = hand(x);
        return add(mul(root, m), mul(same, m));
      };
      const one: Masked = (x, m) => mul(hand(x)[0], m);
      const cases: [f: Masked, first: number][] = [
        [both, 1.25],
        [together, 1.25],
        [one, 0.25],
      ];
      for (const [f, first] of cases) {
        for (const g of [f, fuse(f)]) {
          for (const mask of [
            [0, 0, 1],
            [0, -0, 0],
          ]) {
            const last = mask[2] ?? NaN;
            const m = new Variable(mask, { requiresGrad: false });
            for (const createGraph of [false, true]) {
              const x = leaf([0, -1, 4]);
              g(x, m).sum().backward({ createGraph });
              expectClose(await gradOf(x), [0, 0, first * last], 1e-6);
            }
            // √x twice is -1/4 x^(-3/2).
            const x = leaf([0, -1, 4]);
            g(x, m).sum().backward({ createGraph: true });
            const { grad: slope } = x;
            x.clearGrad();
            slope!.backward();
            expectClose(await gradOf(x), [0, 0, -last / 32], 1e-6);
          }
        }
      }
      // <Jᵀu, v> by u is J v, also at u = 0; from only one of the gradients the other's output counts.
      const [x, u] = [leaf([4, 1]), leaf([0, 0])];
      const [root, same] = hand(x);
      add(mul(root, u), mul(same, [0, 3]))
        .sum()
        .backward({ createGraph: true });
      const { grad: slope } = x;
      expectClose(await slope!.read(), [0, 3], 1e-6);
      u.clearGrad();
      slope!.backward();
      expectClose(await gradOf(u), [0.25, 0.5], 1e-6);
    }
  });

  test("is the derivative's business where one is given: it gets the gradients, the inputs, the outputs", async () => {
    const given = elementwise<[Operand, Operand], 2>(
      "fn given_forward(a: f32, b: f32) -> vec2f { return vec2f(a * b, a / b); }",
      {
        derivative: (gp, gq, a, b, p, q) => {
          expect([p, q].every((each) => each instanceof Variable)).toBe(true);
          return [add(mul(gp, b), div(gq, b)), add(mul(gp, a), mul(gq, div(a.neg(), square(b))))];
        },
      },
    );
    const first = (a: Variable): Variable => add(...given(a, [2, 5])).sum();
    expectClose(await grad(first)(leaf([1, 3])).read(), [2.5, 5.2], 1e-6);
    const square2 = (b: Variable): Variable => given([1, 3], b)[1].sum();
    expectClose(await grad(grad(square2))(leaf([2, 5])).read(), [2 / 8, 6 / 125], 1e-6);
  });
});

test("results go one by one, and nothing else stays", async () => {
  const x = leaf(new Float32Array(4096).fill(2));
  await x.read();
  const before = stats().liveBytes;
  for (let turn = 0; turn < 3; turn++) {
    const [r, angle] = polar(x, 1);
    r.dispose();
    add(angle, angle).dispose();
    angle.dispose();
  }
  expect(stats().liveBytes).toBe(before);
});

test("findNonFinite tells the function, and leaves out a result that isn't used", async () => {
  const halves = elementwise<[Operand], 2>("fn halves_forward(x: f32) -> vec2f { return vec2f(0.5 * x, 1.0 / x); }");
  const [half, inverse] = halves(leaf([1, 0]));
  const found = await findNonFinite(inverse);
  expect(found?.map(({ kind, name, index }) => ({ kind, name, index }))).toEqual([
    { kind: "function", name: "Halves", index: [1] },
  ]);
  expect(await half.read()).toEqual(Float32Array.of(0.5, 0));
});

test("a gradient by hand that reads more results than a shader may bind is refused as such", () => {
  const many = elementwise<[Operand], 8>(`
    fn many_forward(x: f32) -> array<f32, 8> { var all: array<f32, 8>; all[3] = x; return all; }
    fn many_backward(y: array<f32, 8>, gy: array<f32, 8>) -> f32 { return y[2] * gy[3]; }`);
  const [, , , fourth] = many(leaf([1, 2]));
  expect(() => {
    fourth.backward();
  }).toThrow(LimitError);
});

describe("what can't be is refused with its line", () => {
  test.each([
    ["fn a_forward(x: f32) -> vec2i {\n return vec2i(1);\n}", 1, "f32, or several"],
    ["\nfn a_forward(x: f32) -> array<f32, 9> {\n return array<f32, 9>();\n}", 2, "N from 2 to 8"],
    ["fn a_forward(x: f32) -> array<f32, 1> {\n return array<f32, 1>(x);\n}", 1, "N from 2 to 8"],
    ["fn a_forward(x: f32) -> mat2x2f {\n return mat2x2f();\n}", 1, "f32, or several"],
    ["fn a_forward(gy1: f32) -> vec2f {\n return vec2f(gy1);\n}", 1, "gy1"],
    [
      "fn a_forward(x: f32) -> vec2f { return vec2f(x); }\nfn a_backward(gy: f32) -> f32 { return gy; }",
      2,
      "gy must be vec2f",
    ],
  ])("%s", (source, line, message) => {
    let error: unknown = null;
    try {
      elementwise(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(WgslError);
    expect((error as WgslError).line).toBe(line);
    expect((error as WgslError).message).toContain(message);
  });

  test("and a derivative that gives another number of gradients", () => {
    const f = elementwise<[Operand], 2>("fn f_forward(x: f32) -> vec2f { return vec2f(x, x); }", {
      derivative: (gp) => [gp, gp],
    });
    expect(() => {
      f(leaf([1]))[0].backward({ createGraph: true });
    }).toThrow(ArgumentError);
  });
});
