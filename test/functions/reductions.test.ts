/** Sums, means and extrema over any axes and lengths, and the functions that move elements. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  gradCheck,
  init,
  Kernel,
  ShapeError,
  Variable,
  type Axes,
  type Operand,
  type ReduceOptions,
  type Shape,
} from "../../src/index.js";
import { dispatchesOf, expectClose, gradOf, sizeOf, variable } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const reductions = { sum: g.sum, mean: g.mean, max: g.max, min: g.min };
type Name = keyof typeof reductions;

/** Each reduction of a list in float64. */
const float64: Record<Name, (list: readonly number[]) => number> = {
  sum: (list) => list.reduce((a, b) => a + b, 0),
  mean: (list) => list.reduce((a, b) => a + b, 0) / list.length,
  max: (list) => list.reduce((a, b) => Math.max(a, b), -Infinity),
  min: (list) => list.reduce((a, b) => Math.min(a, b), Infinity),
};

/** The indices along each axis of the element that stands at this place in row-major order. */
function indicesAt(shape: Shape, place: number): number[] {
  const indices = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    indices[axis] = place % length;
    place = Math.floor(place / length);
  }
  return indices;
}

/** NumPy's reduction, element by element. */
function reduce(name: Name, values: Float32Array, shape: Shape, axes: readonly number[]): number[] {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const lists = Array.from({ length: sizeOf(kept.map((axis) => shape[axis] ?? 1)) }, (): number[] => []);
  values.forEach((value, place) => {
    const indices = indicesAt(shape, place);
    const target = kept.reduce((total, axis) => total * (shape[axis] ?? 1) + (indices[axis] ?? 0), 0);
    lists[target]?.push(value);
  });
  return lists.map((list) => float64[name](list));
}

/** Small whole numbers: their float32 sums are exact in any order. */
function integers(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => ((i * 7919 + (i >> 5) * 31) % 17) - 8);
}

describe.each(Object.keys(reductions) as Name[])("%s", (name) => {
  const f: (x: Operand, axes?: Axes, options?: ReduceOptions) => Variable = reductions[name];
  const tolerance = name === "mean" ? 2e-7 : 0;

  test("is right for every set of axes, with and without keepDims", async () => {
    const shape = [2, 3, 4, 5];
    const values = integers(sizeOf(shape));
    const x = new Variable(values, { shape });
    for (let set = 0; set < 16; set++) {
      const axes = [0, 1, 2, 3].filter((axis) => ((set >> axis) & 1) === 1);
      const expected = reduce(name, values, shape, axes);
      const y = f(x, axes);
      expect(y.shape).toEqual(shape.filter((_, axis) => !axes.includes(axis)));
      expectClose(await y.read(), expected, tolerance);
      const kept = f(x, axes, { keepDims: true });
      expect(kept.shape).toEqual(shape.map((length, axis) => (axes.includes(axis) ? 1 : length)));
      expectClose(await kept.read(), expected, tolerance);
    }
  });

  test("takes all axes, one, several, negative ones in any order; is a method too", async () => {
    const x = new Variable(integers(24), { shape: [2, 3, 4] });
    const all = await f(x, [0, 1, 2]).read();
    expect(await f(x).read()).toEqual(all);
    expect(await f(x, null).read()).toEqual(all);
    expect(await x[name]().read()).toEqual(all);
    expect(await f(x, -1).read()).toEqual(await f(x, 2).read());
    expect(await f(x, [-1, 0]).read()).toEqual(await f(x, [0, 2]).read());
    expect(await x[name](1, { keepDims: true }).read()).toEqual(await f(x, -2).read());
    expect(await f(3).item()).toBe(3);
    expect(await f([[4]]).item()).toBe(4);
  });

  test("is right at lengths around the sizes of chunks and workgroups", async () => {
    for (const length of [1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 4095, 4097, 16383, 16384, 16385, 70001]) {
      const values = integers(length);
      expectClose(await f(values).read(), reduce(name, values, [length], [0]), tolerance);
    }
  });

  test.each<[Shape]>([[[4097, 3]], [[3, 4097]], [[3, 4096]], [[5, 16388]], [[2, 257, 3]], [[300, 256]]])(
    "is right along each axis of %j",
    async (shape) => {
      const values = integers(sizeOf(shape));
      const x = new Variable(values, { shape });
      for (let axis = 0; axis < shape.length; axis++) {
        expectClose(await f(x, axis).read(), reduce(name, values, shape, [axis]), tolerance);
      }
      expectClose(
        await f(x).read(),
        reduce(
          name,
          values,
          shape,
          shape.map((_, axis) => axis),
        ),
        tolerance,
      );
    },
  );

  test("does not look at what stands behind the last element", async () => {
    // The last vector is taken by a lane alone, or as the last of eight.
    for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 9, 2045, 2046, 2047, 16381, 16382, 16383]) {
      const values = integers(length);
      for (const garbage of [NaN, Infinity, -Infinity]) {
        // Memory that held other numbers is used again.
        const before = new Variable(new Float32Array(Math.ceil(length / 4) * 4).fill(garbage));
        await before.read();
        before.data.release();
        const x = new Variable(values);
        expectClose(await f(x).read(), reduce(name, values, [length], [0]), tolerance);
        x.data.release();
      }
    }
  });

  test("gradients of first and second order agree with differences", async () => {
    // Elements of max and min stand further apart than the steps.
    const apart = name === "max" || name === "min" ? [[1], [3], [9]] : [[1], [2], [3]];
    for (const [axes, keepDims] of [
      [undefined, false],
      [0, false],
      [0, true],
      [[0, -1], true],
    ] as const) {
      await gradCheck((x) => f(g.square(x).mul(apart), axes, { keepDims }).mul(x.sum()), [variable([3, 2], [0.8, 1])]);
    }
  });

  test("axes that aren't there, twice there, or no axes are refused", () => {
    const x = variable([2, 3], [0, 1]);
    for (const axes of [2, -3, 0.5, NaN, [0, 0], [0, -2], [5]]) expect(() => f(x, axes)).toThrow(ShapeError);
    expect(() => f(new Variable(1), 0)).toThrow(ShapeError);
    expect(() => f(x, "0" as unknown as number)).toThrow(ArgumentError);
    expect(() => f("x" as unknown as Operand)).toThrow(ArgumentError);
  });
});

describe("sums", () => {
  test("2^25 ones sum to 33554432 exactly, in three passes", async () => {
    const x = g.broadcastTo(new Variable([1], { requiresGrad: false }), [2 ** 25]);
    let y = x;
    expect(dispatchesOf(() => (y = g.sum(x)))).toBe(3);
    expect(await y.item()).toBe(33_554_432);
    x.data.release();
  });

  test("2^25 ones sum to 33554432 exactly along columns and rows too", async () => {
    const x = g.broadcastTo(new Variable([1], { requiresGrad: false }), [2 ** 20, 2 ** 5]);
    expect(new Set(await g.sum(x, 0).read())).toEqual(new Set([2 ** 20]));
    expect(await g.sum(g.sum(x, 1)).item()).toBe(33_554_432);
    expect(await g.sum(x, [0, 1]).item()).toBe(33_554_432);
    x.data.release();
  });

  test("2^20 times 0.1 is within 1e-6 of 104857.6, by rows, by columns and as a mean", async () => {
    const values = new Float32Array(2 ** 20).fill(0.1);
    const expected = 104857.6;
    expectClose(await g.sum(values).read(), [expected], 1e-6);
    const columns = await g.sum(new Variable(values, { shape: [2 ** 18, 4] }), 0).read();
    expectClose(columns, new Array<number>(4).fill(expected / 4), 1e-6);
    expectClose(await g.mean(values).read(), [0.1], 1e-6);
  });

  test("random numbers of both signs are within 1e-6 of the sum of their sizes", async () => {
    let state = 1;
    const values = Float32Array.from({ length: 1_000_003 }, () => {
      state = (state * 48271) % 2147483647;
      return state / 2 ** 30 - 1;
    });
    const exact = values.reduce((a, b) => a + b, 0);
    const size = values.reduce((a, b) => a + Math.abs(b), 0);
    expect(Math.abs((await g.sum(values).item()) - exact) / size).toBeLessThan(1e-6);
  });

  test("are no slower than half the speed of a copy of the same bytes", async () => {
    const size = 2 ** 24;
    const x = g.broadcastTo(new Variable([1], { requiresGrad: false }), [size]);
    const copy = new Kernel({
      name: "copy",
      wgsl: `
        @group(0) @binding(0) var<storage, read> x: array<vec4f>;
        @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
          let i = id.x + id.y * groups.x * 64u;
          if (i < arrayLength(&y)) { y[i] = x[i]; }
        }`,
      bindings: ["input", "output"],
    });
    const { gpuDevice } = x.data.device;
    const timeOf = async (work: () => Variable): Promise<number> => {
      const start = performance.now();
      const y = work();
      g.flush();
      await gpuDevice.queue.onSubmittedWorkDone();
      const time = performance.now() - start;
      y.data.release();
      return time;
    };
    // The best of several rounds, as many as it takes on a busy machine.
    let [copying, summing] = [Infinity, Infinity];
    for (let round = 0; round < 4 || (round < 20 && summing >= 2 * copying); round++) {
      const copied = await timeOf(() => {
        const [y] = copy.run({ inputs: [x.data], outputs: [x.shape], invocations: size / 4 });
        if (y === undefined) throw new Error("no output");
        return new Variable(y);
      });
      copying = Math.min(copying, copied);
      summing = Math.min(summing, await timeOf(() => g.sum(x)));
    }
    x.data.release();
    expect(summing, `ms; the copy took ${copying} ms`).toBeLessThan(2 * copying);
  });

  test("the gradient of a sum is the same for each element, without memory of its own", async () => {
    const x = variable([3, 4], [0, 1]);
    g.sum(x).backward();
    expect(await gradOf(x)).toEqual(new Array(12).fill(1));
    const m = variable([3, 4], [0, 1]);
    g.mean(m, 0).backward();
    expectClose(await gradOf(m), new Array<number>(12).fill(1 / 3), 1e-7);
  });

  test("a gradient that is the same for each element is one number on the way", async () => {
    const n = 1000;
    const x = new Variable(new Float32Array(n).fill(0.25));
    const loss = g.mean(g.square(x));
    const reads = await g.profile(() => {
      loss.backward({ retainGrad: false });
    });
    // div on two constants, written once; square reads x and that number, and writes the gradient.
    expect(reads.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["div", 4],
      ["square", 4 * n + 4 + 4 * n],
    ]);
    expect(await gradOf(x)).toEqual(new Array(n).fill(Math.fround(Math.fround(1 / n) * 0.5)));
  });

  test("such a gradient can be read, drawn, computed with, changed and read again", async () => {
    const n = 10;
    const c = new Variable(3);
    const x = new Variable(new Float32Array(n));
    const scaled = g.sum(x).mul(c);
    scaled.backward();
    const { grad } = x;
    expect(grad?.bytes).toBe(4);
    expect(await gradOf(x)).toEqual(new Array(n).fill(3));
    // c is a leaf of its own: what happens to it later is not seen in the gradient.
    c.assign(5);
    expect(await gradOf(x)).toEqual(new Array(n).fill(3));
    const squared = g.square(grad ?? 0);
    expect(squared.bytes).toBe(4);
    expect(Array.from(await squared.read())).toEqual(new Array(n).fill(9));
    expect(Array.from(await g.reshape(squared, [2, 5]).transpose().add([1, 2]).read())).toEqual(
      Array.from({ length: n }, (_, k) => 10 + (k % 2)),
    );
    expect(grad?.data.buffer.size).toBeGreaterThanOrEqual(4 * n);
    expect(grad?.bytes).toBe(4 * n);
    grad?.assign(new Float32Array(n).fill(7));
    expect(await gradOf(x)).toEqual(new Array(n).fill(7));
  });
});

describe("reductions of nothing", () => {
  test("the sum is 0, the mean NaN; the greatest and smallest don't exist", async () => {
    expect(await g.sum([]).item()).toBe(0);
    expect(await g.mean([]).item()).toBeNaN();
    expect(() => g.max([])).toThrow(ShapeError);
    expect(() => g.min([])).toThrow(ShapeError);
  });

  test("along an axis of length 0, and beside one", async () => {
    const x = variable([0, 3], [0, 1]);
    expect([...(await g.sum(x, 0).read())]).toEqual([0, 0, 0]);
    expect([...(await g.mean(x, 0).read())]).toEqual([NaN, NaN, NaN]);
    expect(() => g.max(x, 0)).toThrow(ShapeError);
    for (const f of Object.values(reductions)) {
      const y = f(x, 1);
      expect(y.shape).toEqual([0]);
      expect(await y.read()).toHaveLength(0);
    }
    expect(g.sum(x, 0, { keepDims: true }).shape).toEqual([1, 3]);
  });

  test("the gradient is empty", async () => {
    const x = variable([0, 3], [0, 1]);
    g.sum(x).backward();
    expect(x.grad?.shape).toEqual([0, 3]);
    expect(await gradOf(x)).toEqual([]);
  });
});

describe("reshape", () => {
  test("keeps the elements in row-major order, without a dispatch", async () => {
    const x = new Variable(integers(12), { shape: [3, 4] });
    for (const [wanted, shape] of [
      [[12], [12]],
      [
        [2, -1],
        [2, 6],
      ],
      [
        [-1, 1, 3],
        [4, 1, 3],
      ],
      [
        [2, 2, 3],
        [2, 2, 3],
      ],
    ] satisfies [Shape, Shape][]) {
      let y = x;
      expect(dispatchesOf(() => (y = g.reshape(x, wanted)))).toBe(0);
      expect(y.shape).toEqual(shape);
      expect(await y.read()).toEqual(integers(12));
      expect(await x.reshape(wanted).read()).toEqual(integers(12));
    }
    expect(g.reshape(5, []).shape).toEqual([]);
    expect(g.reshape([5], []).shape).toEqual([]);
    expect(g.reshape(variable([0, 3], [0, 1]), [5, 0]).shape).toEqual([5, 0]);
  });

  test("refuses another size, and what is no shape", () => {
    const x = variable([3, 4], [0, 1]);
    for (const wrong of [[5], [5, -1], [-1, -1], [12, 0], [-3, -4], [1.5, 8], [-2, 6], []]) {
      expect(() => g.reshape(x, wrong), String(wrong)).toThrow(ShapeError);
    }
    for (const wrong of [null, 12, "12", ["12"], [null]]) {
      expect(() => g.reshape(x, wrong as unknown as Shape), String(wrong)).toThrow(ArgumentError);
    }
  });
});

describe("transpose", () => {
  test.each<[Shape, number[] | undefined]>([
    [[3], undefined],
    [[], undefined],
    [[3, 5], undefined],
    [[64, 33], undefined],
    [
      [2, 3, 4],
      [0, 2, 1],
    ],
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [2, 3, 4],
      [-1, -3, 1],
    ],
    [[2, 3, 4, 5], undefined],
    [
      [2, 1, 4, 1],
      [3, 2, 1, 0],
    ],
    [[0, 3], undefined],
  ])("moves the elements of %j to axes %j", async (shape, axes) => {
    const rank = shape.length;
    const order = (axes ?? shape.map((_, axis) => rank - 1 - axis)).map((axis) => (axis < 0 ? axis + rank : axis));
    const values = integers(sizeOf(shape));
    const x = new Variable(values, { shape });
    const y = g.transpose(x, axes);
    expect(y.shape).toEqual(order.map((axis) => shape[axis]));
    const expected = Array.from({ length: sizeOf(shape) }, (_, place) => {
      const indices = indicesAt(y.shape, place);
      const from = shape.map((_, axis) => indices[order.indexOf(axis)] ?? 0);
      return values[from.reduce((total, index, axis) => total * (shape[axis] ?? 1) + index, 0)];
    });
    expect([...(await y.read())]).toEqual(expected);
    expect(await x.transpose(axes).read()).toEqual(await y.read());
    await gradCheck((v) => g.transpose(g.square(v), axes).mul(g.transpose(v, axes)), [variable(shape, [1, 2])], {
      maxElements: 24,
    });
  });

  test("refuses axes that don't name each one once", () => {
    const x = variable([2, 3], [0, 1]);
    for (const axes of [[0], [0, 0], [0, 2], [0, 1, 2], [1, -1], [0.5, 1]]) {
      expect(() => g.transpose(x, axes), String(axes)).toThrow(ShapeError);
    }
  });
});

describe("broadcastTo and sumTo", () => {
  const cases: [from: Shape, to: Shape][] = [
    [[], [3]],
    [[1], [4]],
    [[3], [2, 3]],
    [
      [2, 1],
      [2, 3],
    ],
    [
      [2, 1, 4, 1],
      [2, 3, 4, 5],
    ],
    [[1], [2, 0]],
    [
      [3, 1],
      [5, 3, 300],
    ],
  ];

  test.each(cases)("%j is repeated to %j, and summed back", async (from, to) => {
    const values = integers(sizeOf(from));
    const x = new Variable(values, { shape: from });
    const indexOf = (place: number): number => {
      const indices = indicesAt(to, place).slice(to.length - from.length);
      return from.reduce((total, length, axis) => total * length + (length === 1 ? 0 : (indices[axis] ?? 0)), 0);
    };
    const size = sizeOf(to);
    const wide = g.broadcastTo(x, to);
    expect(wide.shape).toEqual(to);
    expect([...(await wide.read())]).toEqual(Array.from({ length: size }, (_, place) => values[indexOf(place)]));

    const numbers = integers(size);
    const sums = new Array<number>(sizeOf(from)).fill(0);
    numbers.forEach((value, place) => (sums[indexOf(place)] = (sums[indexOf(place)] ?? 0) + value));
    const narrow = g.sumTo(new Variable(numbers, { shape: to }), from);
    expect(narrow.shape).toEqual(from);
    expect([...(await narrow.read())]).toEqual(sums);
    const repeated = await x.broadcastTo(to).sumTo(from).read();
    expectClose(
      repeated,
      Array.from(values, (value) => (value * size) / sizeOf(from)),
    );
  });

  test("gradients of first and second order agree with differences", async () => {
    await gradCheck((x) => g.square(x.broadcastTo([2, 3])), [variable([3], [1, 2])]);
    await gradCheck((x) => g.square(x.sumTo([1, 3])), [variable([2, 3], [1, 2])]);
    await gradCheck((x) => g.square(x.sumTo([3])), [variable([2, 3], [1, 2])]);
  });

  test("the same shape costs nothing", () => {
    const x = variable([2, 3], [0, 1]);
    expect(
      dispatchesOf(() => {
        g.broadcastTo(x, [2, 3]);
        g.sumTo(x, [2, 3]);
      }),
    ).toBe(0);
  });

  test("shapes that don't broadcast are refused", () => {
    const x = variable([2, 3], [0, 1]);
    for (const shape of [[3], [2], [2, 4], [3, 3], [2, 1], []]) {
      expect(() => g.broadcastTo(x, shape), String(shape)).toThrow(ShapeError);
    }
    for (const shape of [[2], [4], [1, 2, 3], [2, 6]]) {
      expect(() => g.sumTo(x, shape), String(shape)).toThrow(ShapeError);
    }
    for (const f of [g.broadcastTo, g.sumTo]) {
      expect(() => f(x, [-2, 3])).toThrow(ShapeError);
      expect(() => f(x, 3 as unknown as Shape)).toThrow(ArgumentError);
    }
  });
});

describe("a mean is in range where its sum is not", () => {
  const greatest = 3.4028234663852886e38;

  test.each([
    ["four of 3e38", [3e38, 3e38, 3e38, 3e38]],
    ["the greatest and least number, seven times", [...new Array<number>(7).fill(greatest)]],
    ["sums that overflow on the way only", [3e38, 3e38, -3e38, -3e38, 1e38, 3e38]],
    ["below 0", [-3e38, -2e38, -3.1e38]],
    ["one more than a vector", [...new Array<number>(257).keys()].map((k) => 1e38 + k * 9e35)],
    ["the least normal numbers", new Array<number>(5).fill(1.2e-38)],
    ["the least normal numbers, in two chunks and a half", new Array<number>(40_960).fill(1.2e-38)],
  ])("%s", async (_, numbers) => {
    const values = Float32Array.from(numbers);
    const exact = values.reduce((total, value) => total + value / values.length, 0);
    expectClose(await g.mean(values).read(), [Math.fround(exact)], 2e-6);
    for (const axes of [0, 1, [0, 1]]) {
      const pair = new Variable([...values, ...values], { shape: [2, values.length] });
      const means = await g.mean(pair, axes).read();
      if (axes === 0) expectClose(means, [...values], 2e-6);
      else expectClose(means, [...means].fill(Math.fround(exact)), 2e-6);
    }
  });

  test("2^24 of 3e38, and rows beside rows of which only one overflows", async () => {
    using x = new Variable(new Float32Array(2 ** 24).fill(3e38), { shape: [16, 2 ** 20] });
    expectClose(await g.mean(x).read(), [3e38], 2e-6);
    expectClose(await g.mean(x, 1).read(), new Array<number>(16).fill(3e38), 2e-6);
    expectClose((await g.mean(x, 0).read()).slice(-3), [3e38, 3e38, 3e38], 2e-6);
    const rows = Float32Array.from({ length: 5 * 3 * 7 }, (_, k) => (Math.floor(k / 7) % 3 === 1 ? 3e38 : k));
    const y = new Variable(rows, { shape: [5, 3, 7] });
    const means = await g.mean(y, [0, 2]).read();
    const exact = [0, 1, 2].map((row) => {
      const own = [...rows].filter((_, k) => Math.floor(k / 7) % 3 === row);
      return own.reduce((total, value) => total + value / own.length, 0);
    });
    expectClose(means, exact, 2e-6);
  });

  test("infinities and NaN stay what they are, and gradients too", async () => {
    expect(await g.mean([Infinity, 1]).item()).toBe(Infinity);
    expect(await g.mean([3e38, 3e38, -Infinity]).item()).toBe(-Infinity);
    expect(await g.mean([Infinity, -Infinity]).item()).toBeNaN();
    expect(await g.mean([NaN, 3e38, 3e38]).item()).toBeNaN();
    const x = new Variable([3e38, 3e38, 3e38, 3e38]);
    g.mean(x).backward();
    expect([...(await x.grad!.read())]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe("what max and min didn't choose", () => {
  test.each([
    ["a gradient that is infinite", (x: Variable) => g.sqrt(g.max(x)), [-1, 0], [0, Infinity]],
    ["one of 1 / 0", (x: Variable) => g.reciprocal(g.max(x)), [-1, 0], [0, -Infinity]],
    ["ties of such", (x: Variable) => g.sqrt(g.min(x)), [0, 0, 2], [Infinity, Infinity, 0]],
    ["a NaN that isn't used", (x: Variable) => g.where(0, g.max(x), 3), [NaN, 4], [0, 0]],
  ])("has gradient 0 beside %s", async (_, f, values, slopes) => {
    for (const createGraph of [false, true]) {
      const x = new Variable(values);
      f(x).backward({ createGraph });
      expect(await gradOf(x)).toEqual(slopes);
    }
  });
});
