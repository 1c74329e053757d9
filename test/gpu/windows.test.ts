import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  einsum,
  fuse,
  init,
  Kernel,
  matmul,
  mean,
  outer,
  square,
  stats,
  Variable,
} from "../../src/index.js";

/** WebGPU's default limits: a binding of 128 MiB, a buffer of 256 MiB. No smaller ones can be asked for. */
let device: Device;
const n = 2 ** 25 + 1001;

beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  device = await init({ device: await adapter!.requestDevice(), poolBytes: 0 });
});

describe("arrays larger than one binding", () => {
  const numbers = Float32Array.from({ length: n }, (_, k) => (k % 2048) - 1024);

  test("are larger here than a binding, and smaller than a buffer", () => {
    expect(4 * n).toBeGreaterThan(device.limits.maxStorageBufferBindingSize);
    expect(4 * n).toBeLessThan(device.limits.maxBufferSize);
  });

  test("element-wise functions take them in windows, forward and backward", async () => {
    using x = new Variable(numbers);
    using w = new Variable(3);
    const before = stats().dispatches;
    using y = square(x).mul(w);
    expect(stats().dispatches - before).toBe(4);
    const values = await y.read();
    expect(wrongOnes(values, (v) => 3 * v * v)).toBe(0);
  });

  test("so do fused ones, and steps in place", async () => {
    using x = new Variable(numbers);
    using y = fuse((v: Variable) => v.mul(2).add(1))(x);
    expect(wrongOnes(await y.read(), (v) => 2 * v + 1)).toBe(0);
    y.backward({ retainGrad: false });
    x.descend(0.5); // the gradient is 2
    expect(wrongOnes(await x.read(), (v) => v - 1)).toBe(0);
  });

  test("losses can be made of them: reductions, broadcasts and transposes, forward and backward", async () => {
    const rows = 2 ** 12;
    const columns = 2 ** 13 + 64;
    const ones = new Float32Array(rows * columns).fill(1);
    expect(4 * ones.length).toBeGreaterThan(device.limits.maxStorageBufferBindingSize);
    using x = new Variable(ones, { shape: [rows, columns] });
    const w = new Variable(Float32Array.from({ length: columns }, (_, k) => k % 3));
    {
      using loss = x.mul(w).sum();
      expect(await loss.item()).toBe(rows * columns);
      loss.backward({ retainGrad: false });
    }
    expect([...(await w.grad!.read())]).toEqual(new Array<number>(columns).fill(rows));
    x.clearGrad();
    using turned = x.transpose();
    expect((await turned.max(0).read()).every((value) => value === 1)).toBe(true);
  });

  test("a Kernel of one's own is refused before anything is allocated, with both numbers", () => {
    const limit = device.limits.maxStorageBufferBindingSize;
    const kernel = new Kernel({ name: "none", wgsl: "", bindings: ["output"] });
    const { allocatedBytes } = stats();
    expect(() => kernel.run({ inputs: [], outputs: [[n]], invocations: 1 })).toThrow(
      expect.objectContaining({ code: "limit-exceeded", asked: 4 * n, limit }) as Error,
    );
    expect(stats().allocatedBytes).toBe(allocatedBytes);
  });

  function wrongOnes(values: Float32Array, f: (x: number) => number): number {
    let wrong = 0;
    for (let k = 0; k < n; k++) if (values[k] !== f((k % 2048) - 1024)) wrong++;
    return wrong;
  }
});

describe("the same with bindings of 4 KiB, in shapes that are cut in every way", () => {
  let limits: { maxStorageBufferBindingSize: number };
  let before: number;
  beforeAll(() => {
    // gpugrad's own copy of the device's limits.
    limits = device.limits;
    before = limits.maxStorageBufferBindingSize;
    limits.maxStorageBufferBindingSize = 4096;
  });
  afterAll(() => {
    limits.maxStorageBufferBindingSize = before;
  });

  test("a mean is in range where its sum is not", async () => {
    expect(await mean(new Float32Array(3000).fill(3e38)).item()).toBeCloseTo(3e38, -32);
    using some = mean(new Variable(new Float32Array(3000).fill(-2e38), { shape: [2, 1500] }), 1);
    for (const value of await some.read()) expect(value / -2e38).toBeCloseTo(1, 5);
    expect(await mean([...new Array<number>(2000).fill(0), Infinity]).item()).toBe(Infinity);
    expect((await mean(new Float32Array(3000).fill(1.5e-38)).item()) / 1.5e-38).toBeCloseTo(1, 5);
  });

  test("a matrix product says how to cut it; one of elements, without a sum, is cut", async () => {
    const [a, b] = [
      new Variable(new Float32Array(4000).fill(2), { shape: [40, 100] }),
      new Variable(new Float32Array(100).fill(3)),
    ];
    expect(() => matmul(a, b)).toThrow(
      "matmul: an array of shape [40, 100] has 16000 bytes, a shader of this device can bind 4096. Multiply some rows, columns or batches at a time",
    );
    using y = outer(b, b);
    expect((await y.read()).every((value) => value === 9)).toBe(true);
    using z = einsum("ij,j->ji", a, b);
    expect(z.shape).toEqual([100, 40]);
    expect((await z.read()).every((value) => value === 6)).toBe(true);
  });

  const integers = (size: number): Float32Array =>
    Float32Array.from({ length: size }, (_, k) => ((k * 7919) % 31) - 15);
  const shapes = [
    [3000],
    [1025],
    [1, 4000],
    [4000, 1],
    [2, 1500],
    [3, 700],
    [40, 100],
    [1100, 3],
    [37, 53],
    [5, 7, 41],
    [3, 1030, 2],
    [2, 2, 600],
    [700, 2, 2],
    [1300, 2],
  ];
  const reductions = {
    sum: (list: readonly number[]) => list.reduce((a, b) => a + b, 0),
    mean: (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length,
    max: (list: readonly number[]) => Math.max(...list),
    min: (list: readonly number[]) => Math.min(...list),
  };

  /** For each element of an array of this shape, the place it has when these axes are reduced. */
  function placesIn(shape: readonly number[], axes: readonly number[]): number[] {
    return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => {
      let rest = k;
      let [place, stride] = [0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const length = shape[axis]!;
        if (!axes.includes(axis)) {
          place += (rest % length) * stride;
          stride *= length;
        }
        rest = Math.floor(rest / length);
      }
      return place;
    });
  }

  const subsets = (rank: number): number[][] =>
    Array.from({ length: 2 ** rank - 1 }, (_, bits) =>
      [0, 1, 2].slice(0, rank).filter((axis) => ((bits + 1) >> axis) % 2 === 1),
    );

  test.each(shapes.map((shape) => ({ shape })))(
    "reductions of $shape, along all axes and each, with gradients",
    async ({ shape }) => {
      const values = integers(shape.reduce((a, b) => a * b, 1));
      for (const axes of subsets(shape.length)) {
        const places = placesIn(shape, axes);
        const lists = Array.from({ length: Math.max(...places) + 1 }, (): number[] => []);
        values.forEach((value, k) => lists[places[k]!]!.push(value));
        for (const [name, reduce] of Object.entries(reductions)) {
          const x = new Variable(values, { shape });
          const y = x[name as keyof typeof reductions](axes);
          const expected = lists.map(reduce).map(Math.fround);
          expect([...(await y.read())], `${name} along ${axes.join()}`).toEqual(
            expected.map((value): unknown => expect.closeTo(value, 5)),
          );
          y.sum().backward();
          const gradient = values.map((value, k) => {
            const list = lists[places[k]!]!;
            if (name === "sum") return 1;
            if (name === "mean") return 1 / list.length;
            return value === reduce(list) ? 1 / list.filter((other) => other === value).length : 0;
          });
          const found = await x.grad!.read();
          let worst = 0;
          gradient.forEach((value, k) => (worst = Math.max(worst, Math.abs(value - found[k]!))));
          expect(worst, `gradient of ${name} along ${axes.join()}`).toBeLessThan(1e-6);
        }
      }
    },
  );

  test.each(shapes.map((shape) => ({ shape })))(
    "broadcasts to $shape, and operands that are broadcast, with gradients",
    async ({ shape }) => {
      const x = new Variable(integers(shape.reduce((a, b) => a * b, 1)), { shape });
      const values = await x.read();
      for (const axes of subsets(shape.length)) {
        const places = placesIn(shape, axes);
        const small = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
        const w = new Variable(
          integers(Math.max(...places) + 1).map((value) => value + 0.5),
          { shape: small },
        );
        const weights = await w.read();
        expect(await w.broadcastTo(shape).read()).toEqual(values.map((_, k) => weights[places[k]!]!));
        const y = x.mul(w).add(w);
        expect(await y.read()).toEqual(values.map((value, k) => value * weights[places[k]!]! + weights[places[k]!]!));
        y.backward();
        expect(await x.grad!.read()).toEqual(values.map((_, k) => weights[places[k]!]!));
        const sums = new Float32Array(w.size);
        values.forEach((value, k) => (sums[places[k]!] = sums[places[k]!]! + value + 1));
        expect(await w.grad!.read()).toEqual(sums);
        x.clearGrad();
      }
    },
  );

  test.each(shapes.filter(({ length }) => length > 1).map((shape) => ({ shape })))(
    "transposes of $shape",
    async ({ shape }) => {
      const x = new Variable(integers(shape.reduce((a, b) => a * b, 1)), { shape });
      const y = x.transpose();
      const values = await x.read();
      const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
      const turned = [...shape].reverse();
      const expected = Float32Array.from({ length: x.size }, (_, k) => {
        let rest = k;
        let place = 0;
        for (let axis = turned.length - 1; axis >= 0; axis--) {
          place += (rest % turned[axis]!) * strides[turned.length - 1 - axis]!;
          rest = Math.floor(rest / turned[axis]!);
        }
        return values[place]!;
      });
      expect(await y.read()).toEqual(expected);
      y.mul(x.transpose()).sum().backward();
      expect(await x.grad!.read()).toEqual(values.map((value) => 2 * value));
    },
  );
});
