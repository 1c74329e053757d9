/** findNonFinite: it names what made a NaN or an infinity, in every kind of Function, and nothing else. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  elementwise,
  findNonFinite,
  Function,
  fuse,
  init,
  Kernel,
  ReleasedError,
  Variable,
  type GpuArray,
  type NonFinite,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const names = (found: readonly NonFinite[] | null): (string | null)[] | null => found?.map(({ name }) => name) ?? null;

/** The only one that is found. */
async function onlyOrigin(y: Variable, gradients = false): Promise<NonFinite> {
  const found = await findNonFinite(y, { gradients });
  expect(found).toHaveLength(1);
  const [origin] = found ?? [];
  if (origin === undefined) throw new Error("nothing was found");
  return origin;
}

describe("what a Function computed", () => {
  test("null where everything is finite", async () => {
    const x = new Variable([1, 2, 3]);
    expect(await findNonFinite(g.sum(g.log(x).mul(2)))).toBeNull();
    expect(await findNonFinite(x)).toBeNull();
    expect(await findNonFinite(g.sum(g.log(x).mul(2)), { gradients: true })).toBeNull();
    expect(await findNonFinite(new Variable(new Float32Array(0)).mul(2))).toBeNull();
  });

  test("the first Function is named, with the element, its operands and how many there are", async () => {
    const x = new Variable(
      [
        [1, -2, 3],
        [-4, 5, 0],
      ],
      { name: "x" },
    );
    const y = g.exp(g.sqrt(x.mul([[2, 2, 2]])).add(1));
    const { kind, name, shape, index, value, count, operands } = await onlyOrigin(y);
    expect({ kind, name, shape, index, count }).toEqual({
      kind: "function",
      name: "Sqrt",
      shape: [2, 3],
      index: [0, 1],
      count: 2,
    });
    expect(value).toBeNaN();
    expect(operands).toEqual([{ name: "Mul", shape: [2, 3], value: -4, range: null }]);
  });

  test("operands that were broadcast are read where they stood, constants too", async () => {
    const a = new Variable([[6], [0]], { name: "a" });
    const b = new Variable([1, 0, 2], { name: "b" });
    const { index, operands, count } = await onlyOrigin(g.div(a, b));
    expect(index).toEqual([0, 1]);
    expect(count).toBe(2);
    expect(operands.map(({ name, value }) => [name, value])).toEqual([
      ["a", 6],
      ["b", 0],
    ]);
    const byZero = await onlyOrigin(a.div(0));
    expect(byZero.count).toBe(2);
    expect(byZero.operands.map(({ value }) => value)).toEqual([6, 0]);
  });

  test("several are listed in the order in which they were computed, and what follows from them is not", async () => {
    const x = new Variable([0, 4, 300]);
    const inverse = g.reciprocal(x);
    const y = g.sum(
      g
        .mul(inverse, g.exp(x))
        .add(inverse)
        .sub(g.log(x.sub(4))),
    );
    const found = await findNonFinite(y);
    expect(new Set(names(found))).toEqual(new Set(["Reciprocal", "Exp", "Log"]));
    expect(found?.find(({ name }) => name === "Exp")).toMatchObject({ index: [2], value: Infinity, count: 1 });
  });

  test("an element of its own is found beside those that were not finite before", async () => {
    const x = new Variable([0, 1, -3]);
    const found = await findNonFinite(g.log(g.div(x.add([0, 0, 3]), x).sub([0, 1, 0])));
    // 0 / 0 is a NaN in the first; log(1 - 1) and log(0) are infinite in the other two.
    expect(names(found)).toEqual(["Div", "Log"]);
    expect(found?.[0]).toMatchObject({ index: [0], count: 1 });
    expect(found?.[1]).toMatchObject({ index: [1], count: 2, value: -Infinity });
  });

  test("a sum that overflows is told with the range of what it added", async () => {
    const { name, index, value, operands } = await onlyOrigin(
      g.sum(
        new Variable([
          [1, -7, 3e38],
          [3e38, -2, 3e38],
        ]),
        1,
      ),
    );
    expect([name, index, value]).toEqual(["Sum", [1], Infinity]);
    expect(operands[0]?.value).toBeNull();
    expect(operands[0]?.range?.map((x) => Math.fround(x))).toEqual([-2, Math.fround(3e38)]);
  });

  test("leaves that are not finite are told as such", async () => {
    const x = new Variable([1, NaN, Infinity], { name: "data" });
    const { kind, name, index, count, operands } = await onlyOrigin(g.square(x).mul(2));
    expect({ kind, name, index, count, operands }).toEqual({
      kind: "leaf",
      name: "data",
      index: [1],
      count: 2,
      operands: [],
    });
    expect(await onlyOrigin(new Variable(2).mul(NaN))).toMatchObject({ kind: "leaf", name: null, count: 1 });
    expect(await onlyOrigin(new Variable(-Infinity))).toMatchObject({ kind: "leaf", value: -Infinity, index: [] });
  });

  test("a user's own WGSL, Functions and kernels", async () => {
    const x = new Variable([4, 1, -1]);
    const own = elementwise(
      `fn own_forward(x: f32) -> f32 { return 1.0 / (x + 1.0); }
       fn own_backward(x: f32, gy: f32) -> f32 { return -gy / ((x + 1.0) * (x + 1.0)); }`,
    );
    expect(await onlyOrigin(own(x).mul(3))).toMatchObject({ name: "Own", index: [2], operands: [{ value: -1 }] });

    const inverse = new Kernel({
      name: "inverse",
      wgsl: `
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
          if (id.x < arrayLength(&y)) { y[id.x] = 1.0 / (x[id.x] - 1.0); }
        }`,
      bindings: ["input", "output"],
    });
    class Inverse extends Function {
      override forward(a: GpuArray): readonly GpuArray[] {
        return inverse.run({ inputs: [a], outputs: [a.shape], invocations: a.size });
      }
      override backward(gy: Variable): Variable {
        return gy;
      }
    }
    const { name, index, operands } = await onlyOrigin(new Inverse().call(x));
    expect([name, index]).toEqual(["Inverse", [1]]);
    expect(operands).toMatchObject([{ value: null, range: [-1, 4] }]);
  });

  test("the second of two outputs", async () => {
    class Two extends Function {
      override forward(x: GpuArray): readonly Variable[] {
        const v = new Variable(x);
        return [g.square(v), g.log(v)];
      }
      override backward(a: Variable, b: Variable): Variable {
        return a.add(b);
      }
    }
    const node = new Two();
    node.call(new Variable([1, 0]));
    const [first, second] = node.outputs;
    expect(await onlyOrigin(g.add(first ?? 0, second ?? 0))).toMatchObject({ name: "Two", index: [1], count: 1 });
  });

  test("the function inside a fused one", async () => {
    const f = fuse((a, b) => g.exp(g.sqrt(a.sub(b)).mul(3)).add(1));
    const y = f(new Variable([5, 1]), new Variable([[1], [2]]));
    const { name, shape, index, count, operands } = await onlyOrigin(g.sum(y));
    expect({ name, shape, index, count }).toEqual({ name: "Sqrt", shape: [2, 2], index: [1, 1], count: 1 });
    expect(operands).toEqual([{ name: "Sub", shape: [2, 2], value: -1, range: null }]);
    const several = fuse((a) => [a.mul(2), g.log(a)] as const);
    expect(names(await findNonFinite(g.add(...several(new Variable([0, 1])))))).toEqual(["Log"]);
  });

  test("among 2^24 elements", async () => {
    const x = new Float32Array(2 ** 24).fill(1);
    x[12_345_678] = 0;
    x[16_777_215] = 0;
    using y = g.log(new Variable(x));
    expect(await onlyOrigin(y)).toMatchObject({ index: [12_345_678], count: 2, operands: [{ value: 0 }] });
    using all = g.log(new Variable(x).mul(0));
    expect(await onlyOrigin(all)).toMatchObject({ index: [0], count: 2 ** 24 });
  });
});

describe("gradients", () => {
  test("the backward that made one is named, where the values are finite", async () => {
    const x = new Variable([4, 0], { name: "x" });
    const loss = g.sum(g.sqrt(x).mul(2));
    loss.backward();
    expect(await findNonFinite(loss)).toBeNull();
    const { kind, name, index, value, operands } = await onlyOrigin(loss, true);
    expect({ kind, name, index, value }).toEqual({ kind: "gradient", name: "Sqrt", index: [1], value: Infinity });
    expect(operands.map((operand) => [operand.name, operand.value])).toEqual([
      ["gradient of Sqrt", 2],
      ["x", 0],
      ["Sqrt", 0],
    ]);
  });

  test("without a pass before it, and without touching any grad", async () => {
    const x = new Variable([0]);
    const y = g.sqrt(x);
    expect(await onlyOrigin(y, true)).toMatchObject({ kind: "gradient", name: "Sqrt" });
    expect(x.grad).toBeNull();
    expect(y.grad).toBeNull();
  });

  test("it starts from the grad that is set", async () => {
    const y = new Variable([1, 1]).mul(10);
    y.grad = [1e38, 1];
    expect(await onlyOrigin(y, true)).toMatchObject({ kind: "gradient", name: "Mul", index: [0], value: Infinity });
  });

  test("gradients that overflow only as they are added", async () => {
    const x = new Variable([1], { name: "x" });
    const y = g.sum(g.add(x.mul(2e38), x.mul(-2e38)).add(x.mul(2e38).sub(x.mul(-2e38))));
    const found = await findNonFinite(y, { gradients: true });
    expect(found?.find(({ kind }) => kind === "gradient")).toMatchObject({ name: "sum of gradients of x", index: [0] });
  });

  test("the function inside a fused one", async () => {
    const f = fuse((a) => g.sqrt(a.mul(3)).add(1));
    const y = g.sum(f(new Variable([1, 0])));
    expect(await onlyOrigin(y, true)).toMatchObject({ kind: "gradient", name: "Sqrt", index: [1], count: 1 });
  });

  test("a backward of one's own", async () => {
    class Wrong extends Function {
      override forward(x: GpuArray): Variable {
        return g.square(x);
      }
      override backward(gy: Variable): Variable {
        return g.div(gy, this.input.sub(2));
      }
    }
    const y = g.exp(new Wrong().call(new Variable([1, 2])));
    expect(await onlyOrigin(y, true)).toMatchObject({ kind: "gradient", name: "Wrong", index: [1] });
  });
});

const ownHalf = elementwise(
  `fn half_forward(x: f32) -> f32 { return x * 0.5; }
   fn half_backward(gy: f32) -> f32 { return gy * 0.5; }`,
);
const ownProduct = elementwise(
  `fn product_forward(a: f32, b: f32) -> f32 { return a * b; }
   fn product_backward(a: f32, b: f32, gy: f32) -> vec2f { return vec2f(gy * b, gy * a); }`,
);

describe("an element is made where all that it depends on is finite, whatever is beside it", () => {
  const rows = [
    [NaN, 1, 2],
    [3e38, -2, 3e38],
    [1, 2, 3],
  ];

  test("rows of a reduction, columns, and several axes", async () => {
    const x = new Variable(rows, { name: "x" });
    const made = (found: readonly NonFinite[] | null): NonFinite[] =>
      (found ?? []).filter(({ kind }) => kind !== "leaf");
    const range = [-2, Math.fround(3e38)];
    for (const [y, shape, index] of [
      [g.sum(x, 1), [3], [1]],
      [g.sum(x, 1, { keepDims: true }), [3, 1], [1, 0]],
      [g.sum(x.transpose(), 0), [3], [1]],
      [g.sumTo(x, [3, 1]), [3, 1], [1, 0]],
      [g.sum(x.reshape([1, 3, 1, 3]), [0, 3]), [3, 1], [1, 0]],
      [g.sum(g.reshape(x, [3, 3, 1]), [-2, -1]), [3], [1]],
    ] as const) {
      const found = made(await findNonFinite(y));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ name: "Sum", shape, index, count: 1, value: Infinity, operands: [{ range }] });
    }
    expect(made(await findNonFinite(g.sum(x)))).toEqual([]);
    expect(made(await findNonFinite(g.max(x, 1).sub(g.mean(x, 1))))).toEqual([]);
    const beside = [[1, 2, NaN], [...new Array<number>(3).fill(2e38)]];
    expect(made(await findNonFinite(g.sum(new Variable(beside), 0)))).toEqual([]);
    expect(made(await findNonFinite(g.sum(new Variable(beside), 1)))).toMatchObject([{ index: [1] }]);
  });

  /** The same product as a built-in function, an own one and a fused one, and the name of the function in it. */
  const products = () =>
    [
      [g.mul, "Mul"],
      [ownProduct, "Product"],
      [fuse((x, y) => g.mul(x, y).add(0)), "Mul"],
    ] as const;

  test("operands that are broadcast, in built-in functions, own ones and fused ones", async () => {
    const a = new Variable([[NaN, 1, 3e38]], { name: "a" });
    const b = new Variable([[10], [1], [-10]], { name: "b" });
    for (const [f, name] of products()) {
      const [leaf, made, ...others] = (await findNonFinite(f(a, b))) ?? [];
      expect(others).toEqual([]);
      expect(leaf).toMatchObject({ kind: "leaf", name: "a" });
      expect(made).toMatchObject({
        kind: "function",
        name,
        shape: [3, 3],
        index: [0, 2],
        count: 2,
        value: Infinity,
        operands: [
          { name: "a", value: Math.fround(3e38) },
          { name: "b", value: 10 },
        ],
      });
    }
  });

  test("the gradient of an operand that was broadcast, which is a sum", async () => {
    for (const [f, name] of products()) {
      const a = new Variable(rows, { name: "a" });
      const b = new Variable([[1], [1], [1]], { name: "b" });
      // The first row of b's gradient is NaN by a; the second overflows as it is added.
      const found = (await findNonFinite(f(a, b), { gradients: true })) ?? [];
      expect(found.map(({ kind }) => kind)).toEqual(["leaf", "gradient"]);
      const [, made] = found;
      expect(made).toMatchObject({ name, shape: [3, 1], index: [1, 0], count: 1, value: Infinity });
      expect(made?.operands).toMatchObject([
        { value: null, range: [1, 1] },
        { name: "a", value: null, range: [-2, Math.fround(3e38)] },
        { name: "b", value: 1, range: null },
        { value: null },
      ]);
    }
    const c = new Variable([1, 1], { name: "c" });
    const wide = c.broadcastTo([4, 2]);
    wide.grad = [
      [2e38, NaN],
      [2e38, 1],
      [1, 1],
      [1, 1],
    ];
    const found = (await findNonFinite(wide, { gradients: true })) ?? [];
    expect(found.map(({ kind, name, index }) => [kind, name, index])).toEqual([
      ["leaf", "gradient of BroadcastTo", [0, 1]],
      ["gradient", "BroadcastTo", [0]],
    ]);
  });

  test("a backward that doesn't read what is not finite", async () => {
    const x = new Variable([0, 1], { name: "x" });
    const found = await findNonFinite(g.log(x), { gradients: true });
    // The logarithm of 0 is one, and 1 / 0 another, which is taken from x.
    expect(found?.map(({ kind, name, index }) => [kind, name, index])).toEqual([
      ["function", "Log", [0]],
      ["gradient", "Log", [0]],
    ]);
  });

  test("the whole of a Function that isn't element-wise", async () => {
    class Own extends Function {
      override forward(x: GpuArray): Variable {
        return g.log(new Variable(x));
      }
      override backward(gy: Variable): Variable {
        return g.div(gy, this.input);
      }
    }
    expect(names(await findNonFinite(new Own().call(new Variable([0, 2]))))).toEqual(["Own"]);
    expect(names(await findNonFinite(new Own().call(new Variable([0, NaN], { name: "x" }))))).toEqual(["x"]);
  });

  test("as a reference counts them, element by element", async () => {
    const numbers = [0, 1, -1, 3e38, -3e38, 1e-30, NaN, Infinity];
    const random = (seed: number) => (_: unknown, k: number) => numbers[(seed * (k + 3) * 7919 + k * k * 31) % 8] ?? 0;
    const isBad = (v: number): boolean => !Number.isFinite(Math.fround(v));
    for (let seed = 1; seed < 12; seed++) {
      const a = Array.from({ length: 5 }, (_, row) => Array.from({ length: 7 }, random(seed + 5 * row)));
      const b = Array.from({ length: 7 }, random(seed + 3));
      const y = g.sum(g.mul(new Variable(a), new Variable(b)), 1);
      const products = a.map((row) => row.map((v, k) => Math.fround(v) * (b[k] ?? 0)));
      const count = products.flatMap((row, i) =>
        row.filter((v, k) => isBad(v) && !isBad(a[i]?.[k] ?? 0) && !isBad(b[k] ?? 0)),
      ).length;
      const sums = products.filter((row) => !row.some(isBad) && isBad(row.reduce((x, v) => Math.fround(x + v), 0)));
      const found = (await findNonFinite(y)) ?? [];
      expect(found.find(({ name }) => name === "Mul")?.count ?? 0).toBe(count);
      // In whatever order they are added.
      if (sums.length === 0) continue;
      expect(found.find(({ name }) => name === "Sum")?.count).toBe(sums.length);
    }
  });
});

describe("gradients that were not finite from the start, and sums of them", () => {
  test("the gradient that a pass starts from", async () => {
    const fused = fuse((x) => x.mul(3));
    for (const [f, value] of [
      [(x: Variable) => x.mul(3), Infinity],
      [(x: Variable) => ownHalf(x), NaN],
      [(x: Variable) => fused(x), -Infinity],
      [(x: Variable) => g.sumTo(x, [2]), NaN],
    ] as const) {
      const y = f(new Variable([1, 2]));
      y.grad = [1, value];
      const { kind, name, index, count, operands, ...origin } = await onlyOrigin(y, true);
      expect({ kind, index, count, operands }).toEqual({ kind: "leaf", index: [1], count: 1, operands: [] });
      expect(origin.value).toBe(value);
      expect(name).toMatch(/^gradient of /);
    }
    const x = new Variable([1, 2], { name: "x" });
    x.grad = [NaN, NaN];
    expect(await onlyOrigin(x, true)).toMatchObject({ kind: "leaf", name: "gradient of x", count: 2 });
    expect(await findNonFinite(x)).toBeNull();
    // Beside it, a backward may make another one.
    const y = new Variable([1, 1]).mul(10);
    y.grad = [NaN, 1e38];
    expect((await findNonFinite(y, { gradients: true }))?.map(({ name, index }) => [name, index])).toEqual([
      ["gradient of Mul", [0]],
      ["Mul", [1]],
    ]);
  });

  test.each([
    ["built-in", (x: Variable) => x.mul(2e38)],
    ["fused", fuseLater((x) => x.mul(2e38))],
    ["own WGSL", (x: Variable) => ownProduct(x, 2e38)],
  ] as const)("over two passes, %s", async (_, f) => {
    const x = new Variable([1, 1e-10], { name: "x" });
    const y = f(x).mul([1, 0.25]);
    y.backward();
    expect(await findNonFinite(y, { gradients: true })).toBeNull();
    y.backward();
    const { kind, name, index, value, count, operands } = await onlyOrigin(y, true);
    expect({ kind, name, index, value, count }).toEqual({
      kind: "gradient",
      name: "sum of gradients of x",
      index: [0],
      value: Infinity,
      count: 1,
    });
    expect(operands).toMatchObject([{ name: "gradient of x", value: Math.fround(2e38) }]);
    const before = await x.grad?.read();
    await findNonFinite(y, { gradients: true });
    expect(await x.grad?.read()).toEqual(before);
    x.clearGrad();
    expect(await findNonFinite(y, { gradients: true })).toBeNull();
  });

  test.each([
    ["built-in", (x: Variable) => x.mul(2e38).add(x.mul(2e38)), "sum of gradients of x"],
    ["fused", fuseLater((x) => x.mul(2e38).add(x.mul(2e38))), "sum of gradients of x"],
    ["own WGSL", (x: Variable) => ownProduct(x, 2e38).add(ownProduct(x, 2e38)), "sum of gradients of x"],
    ["of what was computed", (x: Variable) => use(x.mul(1)), "sum of gradients of Mul"],
    ["of what was computed, fused", fuseLater((x) => use(x.mul(1))), "sum of gradients of Mul"],
  ] as const)("by two uses, %s", async (_, f, wanted) => {
    const x = new Variable([1e-20, 1e-20], { name: "x" });
    const y = f(x);
    y.grad = [1e-10, 1];
    const { kind, name, shape, index, value, count, operands } = await onlyOrigin(y, true);
    expect({ kind, name, shape, index, value, count }).toEqual({
      kind: "gradient",
      name: wanted,
      shape: [2],
      index: [1],
      value: Infinity,
      count: 1,
    });
    expect(operands.map((operand) => operand.value)).toEqual([Math.fround(2e38), Math.fround(2e38)]);
  });

  function use(x: Variable): Variable {
    return x.mul(2e38).add(x.mul(2e38));
  }

  /** Fused at the first call: there is no device before. */
  function fuseLater(f: (x: Variable) => Variable): (x: Variable) => Variable {
    let fused: ((x: Variable) => Variable) | null = null;
    return (x) => (fused ??= fuse(f))(x);
  }
});

describe("inside fused functions", () => {
  test("what the result doesn't show is found, as where nothing is fused", async () => {
    const f = (x: Variable): Variable => g.reciprocal(g.exp(x)).add(g.where(g.greater(x, 0), 1, g.log(x)));
    const x = new Variable([1, 200, -1, 0]);
    const expected = await findNonFinite(f(x), { gradients: true });
    expect(names(expected)).toContain("Exp");
    const found = await findNonFinite(fuse(f)(x), { gradients: true });
    const seen = (list: readonly NonFinite[] | null): string[] | undefined =>
      list?.map(({ kind, name, index, count }) => `${kind} ${name ?? ""} ${index.join()} ${count}`).sort();
    expect(seen(found)).toEqual(seen(expected));
  });

  test("what an infinity within made finite again is found, too", async () => {
    const f = (x: Variable): Variable => g.reciprocal(g.exp(x)).add(1);
    const found = await onlyOrigin(fuse(f)(new Variable([1, 200], { name: "x" })));
    expect(found).toMatchObject({ kind: "function", name: "Exp", index: [1], count: 1, operands: [{ value: 200 }] });
  });

  test.each([NaN, Infinity, -Infinity])("the number %d in one is a leaf, as where nothing is fused", async (number) => {
    for (const f of [(x: Variable) => x.mul(number).add(1), (x: Variable) => g.maximum(number, x.exp())] as const) {
      const expected = await onlyOrigin(f(new Variable([1, 2])), true);
      expect(expected).toMatchObject({ kind: "leaf", name: null, shape: [], index: [], value: number });
      expect(await onlyOrigin(fuse(f)(new Variable([1, 2])), true)).toEqual(expected);
    }
  });

  test("a number that a fused function gives is as before", async () => {
    const f = fuse((x: Variable): [Variable, Variable] => [x.log(), new Variable(3)]);
    for (let k = 0; k < 3; k++) {
      const [log, three] = f(new Variable([0, 1]));
      expect((await onlyOrigin(log)).name).toBe("Log");
      expect(await findNonFinite(three)).toBeNull();
      expect(await three.item()).toBe(3);
    }
  });

  test("functions of what needs no gradient, and of numbers", async () => {
    const data = new Variable([1, 0], { requiresGrad: false });
    const f = fuse((x) => x.mul(g.log(data)));
    const origin = await onlyOrigin(f(new Variable([1, 1])), true);
    expect(origin).toMatchObject({ kind: "function", name: "Log", index: [1], count: 1 });
    // A power's gradient by its exponent would be NaN, if anybody wanted it.
    const power = fuse((x, p) => x.pow(p));
    const negative = power(new Variable([-2]), new Variable([2], { requiresGrad: false }));
    expect(await findNonFinite(negative, { gradients: true })).toBeNull();
  });

  test("a fused function is as before, and looked at as often as one likes", async () => {
    const f = fuse((x) => g.log(x.mul(2)).mul(3).add(x));
    for (let k = 0; k < 3; k++) {
      const x = new Variable([0, 0.5]);
      using y = f(x);
      expect(await findNonFinite(y, { gradients: true })).toHaveLength(2);
      y.backward();
      expect((await y.read())[1]).toBe(0.5);
      expect((await x.grad?.read())?.[1]).toBe(7);
    }
    const slope = g.grad(g.grad((x) => g.sum(f(x))));
    expect(await slope([0.5]).read()).toEqual(Float32Array.of(-12));
  });
});

test("what was computed to look at is given back", async () => {
  const f = fuse((a) => g.sqrt(a.mul(3)).add(1));
  const x = new Variable(
    new Float32Array(4096).map((_, k) => k % 64),
    { shape: [64, 64], name: "x" },
  );
  const y = g.sum(f(g.log(x)).mul(x), 1);
  await findNonFinite(y, { gradients: true });
  const before = g.stats();
  const found = await findNonFinite(y, { gradients: true });
  expect(found?.length).toBeGreaterThan(1);
  // Less than one array of 16 KiB: small blocks of data may stay.
  expect(g.stats().liveBytes - before.liveBytes).toBeLessThan(2 ** 14);
  expect((await y.read())[3]).toBeNaN();
});

describe("arrays larger than one binding", () => {
  const n = 3001;
  /** gpugrad's own copy of the device's limits: bindings of 4 KiB. */
  async function withSmallBindings<T>(work: () => Promise<T>): Promise<T> {
    const limits: { maxStorageBufferBindingSize: number } = (await init()).limits;
    const before = limits.maxStorageBufferBindingSize;
    limits.maxStorageBufferBindingSize = 4096;
    try {
      return await work();
    } finally {
      limits.maxStorageBufferBindingSize = before;
    }
  }
  const numbers = (changes: Record<number, number>): Float32Array => {
    const list = new Float32Array(n).fill(1);
    for (const [k, value] of Object.entries(changes)) list[Number(k)] = value;
    return list;
  };

  test.each([
    ["built-in", (x: Variable) => g.reciprocal(x), "Reciprocal"],
    ["fused", (x: Variable) => fuse((v) => g.reciprocal(v).add(1))(x), "Reciprocal"],
    ["own WGSL", (x: Variable) => ownInverse(x), "Inverse"],
  ] as const)("%s, forward and gradients", (_, f, name) =>
    withSmallBindings(async () => {
      const x = new Variable(numbers({ 1023: 0, 1024: NaN, 2900: 0, 3000: Infinity }), { name: "x" });
      const found = (await findNonFinite(g.sum(f(x)), { gradients: true })) ?? [];
      expect(found.map(({ kind, index, count }) => [kind, index, count])).toEqual([
        ["leaf", [1024], 2],
        ["function", [1023], 2],
        ["gradient", [1023], 2],
      ]);
      for (const origin of found.slice(1)) {
        expect(origin.name).toBe(name);
        expect(origin.operands.find((operand) => operand.name === "x")?.value).toBe(0);
      }
    }),
  );

  test("rows, columns and the gradients of broadcasts", () =>
    withSmallBindings(async () => {
      const x = new Variable(new Float32Array(60 * 100).fill(1e37), { shape: [60, 100], name: "x" });
      const bad = new Variable(
        Float32Array.from({ length: 6000 }, (_, k) => (k === 4321 ? NaN : 1)),
        { shape: [60, 100], name: "bad", requiresGrad: false },
      );
      const found = await findNonFinite(g.sum(x.mul(bad), 1));
      expect(found?.find(({ name }) => name === "Sum")).toMatchObject({
        index: [0],
        count: 59,
        operands: [{ range: [Math.fround(1e37), Math.fround(1e37)] }],
      });
      const w = new Variable(new Float32Array(100).fill(1), { name: "w" });
      const gradient = await findNonFinite(w.mul(x.mul(bad)), { gradients: true });
      expect(gradient?.find(({ kind }) => kind === "gradient")).toMatchObject({
        name: "Mul",
        shape: [100],
        index: [0],
        count: 99,
      });
    }));

  const ownInverse = elementwise(
    `fn inverse_forward(x: f32) -> f32 { return 1.0 / x; }
     fn inverse_backward(x: f32, gy: f32) -> f32 { return -gy / x / x; }`,
  );
});

describe("what can't be answered", () => {
  test("is a typed error", async () => {
    await expect(findNonFinite(3 as unknown as Variable)).rejects.toThrow(ArgumentError);
    await expect(findNonFinite(new Variable(1), { gradients: 1 as unknown as boolean })).rejects.toThrow(ArgumentError);
    const y = g.log(new Variable([0])).mul(2);
    y.dispose();
    await expect(findNonFinite(y)).rejects.toThrow(ReleasedError);
    await expect(findNonFinite(new Variable(1, { requiresGrad: false }).mul(2), { gradients: true })).rejects.toThrow(
      g.NotDifferentiableError,
    );
  });
});

test("of several outputs, only those on the way are looked at, fused or not", async () => {
  const both = (x: Variable): Variable[] => [x.log(), x.sqrt()];
  const own = elementwise("fn pair_forward(x: f32) -> vec2f { return vec2f(math_log(x), sqrt(x)); }");
  for (const f of [both, fuse(both), own] as ((x: Variable) => readonly Variable[])[]) {
    const [a, b] = f(new Variable([0, 4]));
    if (a === undefined || b === undefined) throw new Error("two results");
    expect(await findNonFinite(b)).toBeNull();
    expect(await findNonFinite(a)).toHaveLength(1);
    expect(await findNonFinite(a.add(b))).toHaveLength(1);
  }
});
