/** What somebody holds keeps the numbers that it had, when its memory was given back meanwhile or its leaf changed. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  elementwise,
  exp,
  flush,
  fuse,
  GpuArray,
  init,
  mean,
  noGrad,
  reshape,
  softplus,
  square,
  stats,
  sum,
  transpose,
  Variable,
} from "../../src/index.js";
import { filled, firstOf } from "../reference/numbers.js";
import { collect } from "../trouble.js";

const n = 2 ** 16;
const vector = (value = 0.5, requiresGrad = true): Variable => filled(n, value, requiresGrad);

let device: GPUDevice;

beforeAll(async () => {
  device = (await init()).gpuDevice;
});

beforeEach(collect);

describe("what noGrad gave is somebody's, when what was computed from it is disposed and its leaf", () => {
  class Holder {
    readonly a: Variable;
    constructor(a: Variable) {
      this.a = a;
    }
  }
  const holders: [string, (w: Variable) => Variable][] = [
    ["itself", (w) => noGrad(() => exp(w))],
    ["in a list", (w) => noGrad(() => [square(w), exp(w)])[1]!],
    ["in a Map", (w) => noGrad(() => new Map([["a", exp(w)]])).get("a")!],
    ["in a Set of objects", (w) => [...noGrad(() => new Set([{ a: exp(w) }]))][0]!.a],
    ["in an instance of a class", (w) => noGrad(() => new Holder(exp(w))).a],
  ];
  const changes: [string, (w: Variable) => void][] = [
    [
      "is assigned to",
      (w) => {
        w.assign(new Float32Array(n));
      },
    ],
    [
      "descends",
      (w) => {
        w.data.descend(GpuArray.constant(1, [n]), 1);
      },
    ],
    [
      "is updated",
      (w) => {
        w.update((w) => w.mul(0));
      },
    ],
    [
      "gets other numbers by its array",
      (w) => {
        w.data.copyFrom(GpuArray.constant(0, [n]));
      },
    ],
    [
      "is disposed",
      (w) => {
        w.dispose();
      },
    ],
  ];
  for (const [where, make] of holders) {
    test.each(changes)(`${where}: the leaf %s`, async (_, change) => {
      const w = vector();
      const held = make(w);
      square(held).dispose();
      change(w);
      expect(await firstOf(held)).toBeCloseTo(Math.exp(0.5), 5);
      expect(await firstOf(square(held))).toBeCloseTo(Math.E, 5);
    });
  }

  const buffer = (value: number): GPUBuffer => {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const made = device.createBuffer({ size: 4 * n, usage: STORAGE | COPY_SRC | COPY_DST });
    device.queue.writeBuffer(made, 0, new Float32Array(n).fill(value));
    return made;
  };
  const gradientOfSum = (): GpuArray => {
    const x = vector();
    sum(x).mul(0.5).backward();
    return x.grad!.data;
  };
  const sources: [string, () => Variable][] = [
    ["one number repeated", () => new Variable(GpuArray.constant(0.5, [n]))],
    ["one element repeated", () => new Variable(gradientOfSum())],
    ["a copy of another leaf", () => vector().detach()],
    ["a view of another leaf", () => reshape(vector(), [n, 1]).detach().reshape([n]).detach()],
    ["an application's buffer", () => new Variable(GpuArray.fromBuffer(buffer(0.5), [n]))],
  ];
  for (const [what, make] of sources) {
    test.each(changes.slice(0, 4))(`computed from ${what}: the leaf %s`, async (_, change) => {
      const w = make();
      const held = noGrad(() => exp(w));
      square(held).dispose();
      change(w);
      expect(await firstOf(held)).toBeCloseTo(Math.exp(0.5), 5);
    });
  }

  test("computed from a copy of another leaf, which changes", async () => {
    const v = vector();
    const held = noGrad(() => exp(v.detach()));
    square(held).dispose();
    v.assign(new Float32Array(n));
    expect(await firstOf(held)).toBeCloseTo(Math.exp(0.5), 5);
  });

  test("computed from an application's buffer, which the application changes", async () => {
    const own = buffer(0.5);
    const w = new Variable(GpuArray.fromBuffer(own, [n]));
    const held = noGrad(() => exp(w));
    square(held).dispose();
    flush();
    device.queue.writeBuffer(own, 0, new Float32Array(n).fill(2));
    w.data.markModified();
    expect(await firstOf(held)).toBeCloseTo(Math.exp(0.5), 5);
    expect(await firstOf(exp(w))).toBeCloseTo(Math.exp(2), 4);
  });
});

test("what is computed again has the math of the first time", async () => {
  const x = new Variable(Float32Array.from({ length: 64 }, (_, k) => -85 - k / 64));
  const own = elementwise("fn own_forward(x: f32) -> f32 { return exp(x) + exp(x); }");
  const fused = fuse((x: Variable) => exp(x).mul(2));
  const make = (): Variable[] => [exp(x), softplus(x), own(x), fused(x)];
  const results = make();
  for (const y of results) sum(y).dispose();
  const read = (variables: Variable[]): Promise<Float32Array[]> => Promise.all(variables.map((y) => y.read()));
  const exact = await read(make());
  try {
    await init({ math: "native" });
    expect(await read(make())).not.toEqual(exact);
    expect(await read(results)).toEqual(exact);
  } finally {
    await init({ math: "exact" });
  }
});

test.each([
  ["sum", (x: Variable) => sum(x)],
  ["sum along an axis", (x: Variable) => sum(x, 0)],
  ["mean", (x: Variable) => mean(x, 1)],
  ["transpose", (x: Variable) => transpose(x)],
  ["broadcastTo", (x: Variable) => x.broadcastTo([3, 2, 2])],
  ["sumTo", (x: Variable) => x.sumTo([2])],
  ["reshape", (x: Variable) => x.reshape([4])],
  ["a fused sum", (x: Variable) => fuse((a: Variable) => a.add(1))(x)],
] as [string, (x: Variable) => Variable][])(
  "%s goes backward after its operand was changed: it doesn't read it",
  async (_, f) => {
    const w = new Variable([
      [1, 2],
      [3, 4],
    ]);
    const before = await (() => {
      const x = new Variable([
        [1, 2],
        [3, 4],
      ]);
      sum(square(f(x).detach()).mul(f(x))).backward();
      return x.grad!.read();
    })();
    const y = f(w);
    const loss = sum(square(y.detach()).mul(y));
    w.assign([
      [9, 9],
      [9, 9],
    ]);
    loss.backward();
    expect(await w.grad!.read()).toEqual(before);
  },
);

describe("a metric that is disposed takes nothing from a graph that is still there", () => {
  const metrics: [string, (y: Variable) => Variable][] = [
    ["a mean under noGrad", (y) => noGrad(() => mean(y))],
    ["a detached copy", (y) => y.detach()],
    ["a comparison", (y) => y.greater(1)],
    ["a product under noGrad", (y) => noGrad(() => y.mul(2))],
  ];
  test.each(metrics)("not the gradient to start from: %s", async (_, metric) => {
    const w = new Variable([1, 2]);
    const y = w.mul(3);
    y.grad = [2, 5];
    metric(y).dispose();
    y.backward();
    expect([...(await w.grad!.read())]).toEqual([6, 15]);
  });

  test.each(metrics)("not the gradients on the way, until the result is disposed: %s", async (_, metric) => {
    const w = new Variable([1, 2]);
    const a = square(w);
    const loss = sum(a.mul(3));
    loss.backward();
    metric(loss).dispose();
    expect([...(await a.grad!.read())]).toEqual([3, 3]);
    expect(await loss.grad!.item()).toBe(1);
  });

  test("a gradient to start from, of a graph that another result had, too", async () => {
    const w = new Variable([1, 2]);
    const a = square(w);
    a.grad = [2, 5];
    sum(a).dispose();
    a.backward();
    expect([...(await w.grad!.read())]).toEqual([4, 20]);
  });

  test("and steps with one leave nothing", () => {
    const w = vector();
    const step = (): void => {
      const loss = sum(square(w).mul(3));
      loss.backward();
      noGrad(() => loss.mul(2)).dispose();
      loss.dispose();
      w.clearGrad();
    };
    step();
    const live = stats().liveBytes;
    for (let k = 0; k < 20; k++) step();
    expect(stats().liveBytes - live).toBeLessThanOrEqual(4 * n);
  });
});

test("what noGrad gave stays, however far its leaf is", async () => {
  for (const isBefore of [false, true]) {
    const w = new Variable([1]);
    const y = square(w).mul(0.5).add(0);
    const h = noGrad(() => y.mul(4));
    if (isBefore) w.assign([3]);
    h.mul(3).dispose();
    w.assign([5]);
    expect(await h.item()).toBe(2);
  }
});

describe("update with a reduction takes nothing of what was there before", () => {
  const held: [string, (w: Variable) => Variable][] = [
    ["a detached copy", (w) => w.detach()],
    ["a result", (w) => square(w)],
    ["a result without a graph", (w) => noGrad(() => square(w))],
  ];
  test.each(held)("%s, given or captured", async (_, make) => {
    for (const isCaptured of [false, true]) {
      const w = new Variable([1, 2]);
      const d = make(w);
      const before = [...(await make(new Variable([1, 2])).read())];
      if (isCaptured) w.update((w) => w.sub(d.sum()));
      else w.update((w, g) => w.sub(g.sum()), d);
      w.assign([9, 9]);
      expect([...(await d.read())]).toEqual(before);
    }
  });
});

describe("a gradient that was disposed is none", () => {
  test("a leaf as root starts from ones", async () => {
    const x = new Variable([1, 2]);
    x.square().backward();
    x.grad?.dispose();
    x.backward();
    expect([...((await x.grad?.read()) ?? [])]).toEqual([1, 1]);
  });

  test("and so does a result", async () => {
    const x = new Variable([1, 2]);
    const y = x.square();
    y.backward();
    y.grad?.dispose();
    y.backward();
    expect([...((await x.grad?.read()) ?? [])]).toEqual([4, 8]);
    expect([...((await y.grad?.read()) ?? [])]).toEqual([1, 1]);
  });

  test("also where it was set", async () => {
    const y = new Variable([1, 2]).square();
    y.grad = [3, 3];
    y.grad?.dispose();
    y.backward();
    expect([...((await y.grad?.read()) ?? [])]).toEqual([1, 1]);
  });
});
