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
          [3e38, 3e38],
          [1, -2],
        ]),
        1,
      ),
    );
    expect([name, index, value]).toEqual(["Sum", [0], Infinity]);
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
