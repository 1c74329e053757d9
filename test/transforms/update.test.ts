/** Leaves changed in place by a function of themselves: one dispatch, the numbers of the unfused formula. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ArgumentError,
  type Device,
  elementwise,
  fuse,
  FuseError,
  GpuArray,
  init,
  ModifiedError,
  noGrad,
  profile,
  square,
  stats,
  sum,
  update,
  Variable,
} from "../../src/index.js";
import { collect, isWgpu } from "../trouble.js";

let device: Device;

beforeAll(async () => {
  device = await init();
});

const numbers = (count: number, seed = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(1 + seed * 7 + k * 1.7) + 0.01 * seed);
const leaf = (shape: readonly number[], seed = 1): Variable =>
  new Variable(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    { shape },
  );

type Formula = (...args: Variable[]) => Variable | readonly Variable[];

const momentum: Formula = (w, m, g) => {
  const next = m.mul(0.9).add(g);
  return [w.sub(next.mul(0.1)), next];
};

const adam: Formula = (w, m, v, g) => {
  const first = m.mul(0.9).add(g.mul(0.1));
  const second = v.mul(0.999).add(g.square().mul(0.001));
  const step = first.div(0.19).div(second.div(0.002).sqrt().add(1e-8)).mul(0.01);
  return [w.sub(step), first, second];
};

/** The formula's values, function by function, then the leaves after an update by it, and the dispatches that took. */
async function both(
  leaves: readonly Variable[],
  f: Formula,
  ...operands: readonly Variable[]
): Promise<{ names: string[] }> {
  const eager = noGrad<Variable | readonly Variable[]>(() => f(...leaves, ...operands));
  const wanted = await Promise.all((eager instanceof Variable ? [eager] : eager).map((value) => value.read()));
  const entries = await profile(() => {
    update(leaves, f, ...operands);
  });
  for (const [k, target] of leaves.entries()) {
    const found = await target.read();
    wanted[k]!.forEach((value, index) => {
      expect(Math.abs(found[index]! - value), `${k}, ${index}`).toBeLessThanOrEqual(2.4e-7 * Math.abs(value) + 1e-37);
    });
    expect(found.length).toBe(wanted[k]!.length);
  }
  return { names: entries.map(({ name }) => name) };
}

describe("one dispatch gives what the formula gives", () => {
  const constant = (value: number): Variable => new Variable(value, { requiresGrad: false });
  const cases: [string, Formula, Variable[] | (() => Variable[]), (() => Variable[])?][] = [
    ["a step along a gradient", (w, g) => w.sub(g.mul(0.001)), () => [leaf([7])], () => [leaf([7], 2)]],
    ["momentum", momentum, () => [leaf([5, 3]), leaf([5, 3], 2)], () => [leaf([5, 3], 3)]],
    [
      "Adam",
      adam,
      () => [leaf([33]), new Variable(new Float32Array(33)), new Variable(new Float32Array(33))],
      () => [leaf([33], 4)],
    ],
    ["leaves that change places", (a, b) => [b, a], () => [leaf([6]), leaf([6], 2)]],
    ["a leaf used twice", (w) => w.mul(w).add(w), () => [leaf([9])]],
    ["an operand alone", (_, g) => g, () => [leaf([4])], () => [leaf([4], 2)]],
    [
      "operands that are broadcast",
      (w, row, column, one) => w.add(row.mul(column)).mul(one),
      () => [leaf([3, 5])],
      () => [leaf([5], 2), leaf([3, 1], 3), leaf([1], 4)],
    ],
    ["constants of every kind", (w, c) => w.mul(c).maximum(-Infinity).add(-0), () => [leaf([5])], () => [constant(3)]],
    [
      "leaves of one shape that don't need each other",
      (a, b, g) => [a.sub(g), b.add(g)],
      () => [leaf([6]), leaf([6], 2)],
      () => [leaf([6], 3)],
    ],
    ["a leaf whose numbers take no memory yet", (w) => w.add(1), () => [new Variable(GpuArray.constant(2, [5]))]],
    ["no elements", (w, g) => w.sub(g), () => [leaf([0])], () => [leaf([0])]],
  ];
  test.each(cases)("%s", async (name, f, leaves, operands = () => []) => {
    const targets = typeof leaves === "function" ? leaves() : leaves;
    for (const target of targets) target.data.hold();
    const { names } = await both(targets, f, ...operands());
    expect(names).toEqual(name === "no elements" ? [] : ["update"]);
  });

  test("leaves of other shapes, one dispatch for each", async () => {
    const f: Formula = (w, b, gw, gb) => [w.sub(gw.mul(0.1)), b.sub(gb.mul(0.1))];
    const { names } = await both([leaf([3, 4]), leaf([4], 2)], f, leaf([3, 4], 3), leaf([4], 4));
    expect(names).toEqual(["update", "update"]);
  });

  test("a leaf, its gradient and a Variable from outside, by closure", async () => {
    const w = leaf([6]);
    using loss = sum(w.square().mul(leaf([6], 2)));
    loss.backward();
    const c = leaf([6], 3);
    expect((await both([w], () => w.sub(w.grad!.mul(c)))).names).toEqual(["update"]);
    expect((await both([w], (x) => x.sub(x.grad!.mul(0.1)))).names).toEqual(["update"]);
  });

  test("a function of the user's own", async () => {
    const own = elementwise("fn update_forward(x: f32) -> f32 { return 2.0 * x + 1.0; }");
    expect((await both([leaf([5])], (w) => own(w).mul(0.5))).names).toEqual(["update"]);
    expect((await both([leaf([5])], (w) => fuse((x) => own(x).square())(w))).names).toEqual(["update"]);
  });
});

test("the same functions on other values are another shader", async () => {
  for (const f of [
    (w: Variable, g: Variable): Variable => w.sub(g).mul(g),
    (w: Variable, g: Variable): Variable => g.sub(w).mul(g),
    (w: Variable, g: Variable): Variable => g.sub(w).mul(w),
  ]) {
    expect((await both([leaf([5])], f, leaf([5], 2))).names).toEqual(["update"]);
  }
});

test.skipIf(isWgpu)("WGSL that doesn't compile is what the next read of the leaf rejects with", async () => {
  const broken = elementwise(
    "fn broken_forward(x: f32) -> f32 { return x * (determinant(mat2x2f(1e30, 0.0, 0.0, 1e30))); }",
  );
  const [w, other] = [leaf([3]), leaf([3])];
  w.update((x) => broken(x));
  await expect(w.read()).rejects.toThrow(/cannot be represented/);
  expect((await both([other], (x) => x.add(1))).names).toEqual(["update"]);
});

describe("memory is bound once", () => {
  test("where an operand is the leaf itself, or a Variable over its memory", async () => {
    const w = leaf([6]);
    const twin = new Variable(w.data);
    expect((await both([w], (x, y) => x.mul(0.5).add(y), w)).names).toEqual(["update"]);
    expect((await both([w], (x, y) => x.mul(0.5).add(y), twin)).names).toEqual(["update"]);
    expect((await both([w, leaf([6], 2)], (a, b, y) => [a.add(b), b.sub(y)], twin)).names).toEqual(["update"]);
  });

  test("where one leaf's function reads another leaf only through its memory", async () => {
    const [a, b] = [leaf([4]), leaf([4], 2)];
    const before = [...(await a.read())];
    update([a, b], (x, y, z) => [x.mul(0), z.add(y.mul(0))], new Variable(a.data));
    expect([...(await a.read())].map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect([...(await b.read())]).toEqual(before);
  });

  test("or the formula is computed apart: another shape over the leaf's memory", async () => {
    const w = leaf([2, 2]);
    await both([w], (x, row) => x.add(row.sum(0)), w);
    await both([w], (x, flat) => x.add(flat), new Variable(w.data.reshape([1, 2, 2])).reshape([2, 2]));
    const one = leaf([1]);
    await both([one], (x, y) => x.add(y), one.reshape([]));
  });
});

describe("only one of two new values could stand in one place", () => {
  const f = (x: Variable, y: Variable): Variable[] => [x.add(1), y.add(2)];
  const cases: [string, (a: Variable) => Variable[]][] = [
    ["the same leaf twice", (a) => [a, a]],
    ["the same leaf, among others", (a) => [a, leaf([4]), a]],
    ["two Variables over one array", (a) => [a, new Variable(a.data)]],
    ["a leaf and itself in another shape", (a) => [a, new Variable(a.data.reshape([2, 2]))]],
  ];

  test.each(cases)("%s: refused, and nothing has changed", async (_, leaves) => {
    const a = leaf([4]);
    const before = [...(await a.read())];
    const [given, versions] = [leaves(a), a.data.version];
    expect(() => update(given, (...args) => given.map((_, k) => f(args[k]!, args[k]!)[0]!))).toThrow(ArgumentError);
    expect(() => update(given, () => given.map(() => sum(a)))).toThrow(ArgumentError);
    expect(a.data.version).toBe(versions);
    expect([...(await a.read())]).toEqual(before);
  });

  test("parts of one buffer that don't overlap are two places", async () => {
    const buffer = device.gpuDevice.createBuffer({ size: 512 + 12, usage: 0x80 | 0x4 | 0x8 });
    const [a, b] = [0, 512].map((offset) => new Variable(GpuArray.fromBuffer(buffer, [3], { offset })));
    update([a!, b!], f);
    expect([...(await a!.read()), ...(await b!.read())]).toEqual([1, 1, 1, 2, 2, 2]);
    buffer.destroy();
  });
});

describe("all is read before the first leaf is written, through views, too", () => {
  const cases: [string, (a: Variable, b: Variable) => [Variable, Variable], number[]][] = [
    ["reshaped", (a, b) => [b.reshape([2, 2]), a.reshape([4])], [1, 2, 3, 4]],
    ["transposed", (a, b) => [b.reshape([2, 2]), a.transpose().reshape([4])], [1, 3, 2, 4]],
    ["detached and reshaped", (a, b) => [b.detach().reshape([2, 2]), a.reshape([4]).detach()], [1, 2, 3, 4]],
  ];
  test.each(cases)("two leaves change places, %s", async (_, f, ofA) => {
    const [a, b] = [new Variable([[1, 2], [3, 4]]), new Variable([5, 6, 7, 8])]; // prettier-ignore
    update([a, b], f);
    expect([...(await a.read())]).toEqual([5, 6, 7, 8]);
    expect([...(await b.read())]).toEqual(ofA);
  });

  test.each([
    ["made before", (b: Variable) => b.reshape([2, 2])],
    ["without a graph", (b: Variable) => noGrad(() => b.detach().reshape([2, 2]))],
  ])("a view of another leaf, %s, as an operand or from outside", async (_, view) => {
    for (const isOperand of [true, false]) {
      const [a, b] = [new Variable([[10, 20], [30, 40]]), new Variable([1, 2, 3, 4])]; // prettier-ignore
      const v = view(b);
      if (isOperand) update([b, a], (b, a, v) => [b.mul(100), a.add(v)], v);
      else update([b, a], (b, a) => [b.mul(100), a.add(v)]);
      expect([...(await b.read())]).toEqual([100, 200, 300, 400]);
      expect([...(await a.read())]).toEqual([11, 22, 33, 44]);
    }
  });
});

describe("what no shader can do in place is computed function by function", () => {
  test("a reduction, more arrays or more functions than a shader takes", async () => {
    await both([leaf([6])], (w) => w.sub(w.sum().mul(0.1)));
    const many = Array.from({ length: 20 }, (_, k) => leaf([6], k + 2));
    await both([leaf([6])], (w, ...rest) => rest.reduce((a, b) => a.add(b), w), ...many);
    await both([leaf([6])], (w) => {
      let x = w;
      for (let k = 0; k < 60; k++) x = x.add(0.125);
      return x;
    });
  });

  test("many leaves that don't need each other take several dispatches", async () => {
    const leaves = Array.from({ length: 6 }, (_, k) => leaf([6], k + 1));
    const gradients = Array.from({ length: 6 }, (_, k) => leaf([6], k + 10));
    const f: Formula = (...args) => args.slice(0, 6).map((w, k) => w.sub(args[6 + k]!.mul(0.1)));
    const { names } = await both(leaves, f, ...gradients);
    expect(new Set(names)).toEqual(new Set(["update"]));
  });

  describe("arrays above one binding", () => {
    let limits: { maxStorageBufferBindingSize: number };
    let before: number;
    beforeEach(() => {
      limits = device.limits;
      before = limits.maxStorageBufferBindingSize;
      limits.maxStorageBufferBindingSize = 4096;
    });
    afterEach(() => {
      limits.maxStorageBufferBindingSize = before;
    });
    test("are taken in windows", async () => {
      const { names } = await both([leaf([3001]), leaf([3001], 2)], momentum, leaf([3001], 3));
      expect(names).toEqual(["update", "update", "update"]);
      await both([leaf([2, 1500])], (w, row) => w.sub(row), leaf([1500], 2));
    });
  });
});

describe("steps of an optimizer", () => {
  test("with another rate each compile nothing, allocate nothing and are one dispatch each", async () => {
    await collect();
    const [w, m] = [leaf([1000]), leaf([1000], 2)];
    square(w).backward();
    const step = (rate: number): void => {
      w.update((w, g) => w.sub(g.mul(rate).mul(0.5)), w.grad);
      update([w, m], (w, m, g) => [w.sub(m.mul(rate)), m.mul(0.9).add(g)], w.grad);
    };
    step(0.1);
    const { pipelines, allocatedBytes, liveBytes, dispatches } = stats();
    for (let k = 0; k < 300; k++) step(0.001 + k / 1e6);
    expect(stats()).toMatchObject({ pipelines, allocatedBytes, liveBytes, dispatches: dispatches + 600 });
  });

  test("a graph that still needs the old numbers refuses to go backward", () => {
    const [w, m] = [leaf([4]), leaf([4], 2)];
    const ofW = square(w);
    const ofM = square(m);
    update([w, m], momentum, leaf([4], 3));
    expect(() => ofW.backward()).toThrow(ModifiedError);
    expect(() => ofM.backward()).toThrow(ModifiedError);
    const y = square(w);
    w.update((x) => x.add(1));
    expect(() => y.backward()).toThrow(ModifiedError);
  });

  test("data in the function is given back after each", async () => {
    await collect();
    const w = leaf([1000]);
    const data = numbers(1000, 5);
    const step = (): void => {
      w.update((x, y) => x.add(data).sub(y), data);
    };
    step();
    const { liveBytes } = stats();
    for (let k = 0; k < 20; k++) step();
    expect(stats().liveBytes).toBe(liveBytes);
  });

  test("what the user has stays", async () => {
    const w = leaf([4]);
    const outside = noGrad(() => leaf([4], 2).mul(2));
    w.update((x, y) => x.add(y).add(outside), leaf([4], 3).mul(1));
    expect((await outside.read()).length).toBe(4);
  });
});

test("of the application's own buffers, the elements are written and nothing else", async () => {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  for (const offset of [0, 4, 256]) {
    const size = offset / 4 + 9;
    const buffer = device.gpuDevice.createBuffer({ size: 4 * size, usage });
    device.gpuDevice.queue.writeBuffer(
      buffer,
      0,
      Float32Array.from({ length: size }, (_, k) => k),
    );
    const w = new Variable(GpuArray.fromBuffer(buffer, [5], { offset }));
    w.update((x, g) => x.mul(2).sub(g), leaf([5]).mul(0));
    const wanted = Array.from({ length: size }, (_, k) => (k >= offset / 4 && k < offset / 4 + 5 ? 2 * k : k));
    expect([...(await GpuArray.fromBuffer(buffer, [size]).read())]).toEqual(wanted);
  }
});

test("is refused by type where it can't be, and nothing changes", async () => {
  const w = leaf([3]);
  const before = [...(await w.read())];
  expect(() => square(w).update((x) => x)).toThrow(/can't be updated in place: it was computed/);
  expect(() => w.update((x, g) => x.sub(g), w.grad)).toThrow(/operand 0 is null/);
  expect(() => w.update((x) => x.sum())).toThrow(RangeError);
  expect(() => w.update((x, y) => x.add(y), [[1], [2]])).toThrow(RangeError);
  expect(() => w.update((x, y) => y.add(0 * x.size), 1)).toThrow(RangeError);
  expect(() => w.update((_, y) => y.add(1), 1)).toThrow(RangeError);
  expect(() => w.update((x, y) => x.add(y), [1, 2])).toThrow(RangeError);
  expect(() => w.update(() => 1 as never)).toThrow(TypeError);
  expect(() => w.update((async (x: Variable) => x.read()) as never)).toThrow(TypeError);
  expect(() => {
    update([w, leaf([3])], (x) => [x]);
  }).toThrow(TypeError);
  expect(() => fuse((x) => (w.update((y) => y.add(1)), x))(1)).toThrow(FuseError);
  expect([...(await w.read())]).toEqual(before);
});

test("a loop of backward, update and clearGrad in one task allocates nothing, though it looks at w.grad", async () => {
  const w = new Variable(new Float32Array(2 ** 16).fill(0.5));
  const step = (): void => {
    using loss = square(w).sum();
    loss.backward({ retainGrad: false });
    w.update((x, g) => x.sub(g.mul(0.001)), w.grad);
    w.clearGrad();
  };
  for (let k = 0; k < 3; k++) step();
  const { allocatedBytes } = stats();
  for (let k = 0; k < 50; k++) step();
  expect(stats().allocatedBytes).toBe(allocatedBytes);
  // One that was looked at again stays its holder's, and so does one that is kept.
  for (const held of [() => w.grad, () => w.grad?.keep()]) {
    square(w).sum().backward({ retainGrad: false });
    const gradient = held()!;
    w.update((x, g) => x.sub(g.mul(0)), w.grad);
    w.clearGrad();
    expect((await gradient.read())[0]).toBeGreaterThan(0);
  }
});

describe("leaves of several shapes", () => {
  test.each([
    ["vectors", [3], [5]],
    ["a matrix and a vector", [2, 2], [2]],
    ["a scalar and a vector", [], [4]],
    ["a vector and a scalar", [4], []],
    ["the same numbers in another shape", [2, 2], [4]],
  ] as const)("%s that need each other keep theirs, or nothing changes", async (_, a, b) => {
    const make = (shape: readonly number[]): Variable =>
      new Variable(
        Float32Array.from({ length: shape.reduce((n, m) => n * m, 1) }, (_, k) => k + 1),
        { shape: [...shape] },
      );
    const [w, m] = [make(a), make(b)];
    const before = [[...(await w.read())], [...(await m.read())]];
    expect(() => {
      update([w, m], (x) => [x.mul(2), x.mul(3)]);
    }).toThrow(/can't take the place of/);
    expect(() => {
      update([m, w], (x) => [x.mul(2), x.mul(3)]);
    }).toThrow(/can't take the place of/);
    expect([[...(await w.read())], [...(await m.read())]]).toEqual(before);
    update([w, m], (x, y) => [x.add(sum(y).mul(0)), y.add(sum(x))]);
    const total = before[0]?.reduce((p, q) => p + q, 0) ?? NaN;
    expect([...(await w.read())]).toEqual(before[0]);
    expect([...(await m.read())]).toEqual(before[1]?.map((value) => value + total));
  });
});
