import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  add,
  exp,
  Function,
  GpuArray,
  init,
  leaks,
  max,
  mul,
  noGrad,
  sin,
  square,
  stats,
  sum,
  valueAndGrad,
  Variable,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const n = 1024;
const bytes = 4 * n;
const vector = (name: string): Variable => new Variable(new Float32Array(n).fill(0.5), { name });
const live = (): number => stats().liveBytes;
/** Lets the collector find what earlier tests forgot, so that byte counts are this test's own. */
const collect = async (): Promise<void> => {
  (globalThis as unknown as { gc: () => void }).gc();
  await new Promise((resolve) => setTimeout(resolve, 20));
};

beforeEach(async () => {
  for (let before = Infinity; live() < before;) {
    before = live();
    await collect();
    await collect();
  }
});

describe("dispose", () => {
  test("releases a graph's intermediates and their gradients, never a leaf or its gradient", async () => {
    const x = vector("x");
    const before = live();
    const a = square(x);
    const y = exp(a);
    y.backward();
    expect(live() - before).toBe(2 * bytes + 2 * bytes); // a, y; gradients of a and x; y's is a constant
    y.dispose();
    expect(live() - before).toBe(bytes); // x.grad
    expect(await x.read()).toHaveLength(n);
    expect((await x.grad?.read())?.[0]).toBeCloseTo(Math.exp(0.25), 5);
  });

  test("use after release names the Variable", async () => {
    const y = square(vector("x"));
    y.name = "energy";
    y.dispose();
    await expect(y.read()).rejects.toThrow(/energy \[1024\] from Square was released/);
    expect(() => exp(y)).toThrow(expect.objectContaining({ code: "released" }) as Error);
    y.dispose();
  });

  test("what another graph needs stays until that is disposed too", async () => {
    const x = vector("x");
    const before = live();
    const shared = square(x);
    const y = exp(shared);
    const z = sin(shared);
    y.dispose();
    expect(live() - before).toBe(2 * bytes);
    expect((await shared.read())[0]).toBe(0.25);
    z.backward();
    z.dispose();
    expect(live() - before).toBe(bytes);
    expect((await x.grad?.read())?.[0]).toBeCloseTo(Math.cos(0.25), 5);
  });

  test("a Variable that is disposed while something needs it goes with the last that does", () => {
    const before = live();
    const x = vector("x");
    const a = square(x);
    const y = exp(a);
    a.dispose();
    expect(live() - before).toBe(3 * bytes);
    y.backward();
    y.dispose();
    x.dispose();
    expect(live()).toBe(before);
  });

  test("keep() holds an intermediate, and its own graph", async () => {
    const x = vector("x");
    const a = square(x).keep();
    const y = exp(a);
    y.dispose();
    expect((await a.read())[0]).toBe(0.25);
    a.backward();
    expect((await x.grad?.read())?.[0]).toBe(1);
  });

  test("the outputs of one Function go together", () => {
    class Both extends Function {
      override forward(x: GpuArray) {
        return [square(x), exp(x)];
      }
      override backward(gy: Variable, gz: Variable) {
        return gy
          .mul(this.input)
          .mul(2)
          .add(gz.mul(this.outputs[1] ?? gz));
      }
    }
    const x = vector("x");
    const before = live();
    const f = new Both();
    f.call(x);
    const [y, z] = f.outputs;
    y?.dispose();
    z?.backward();
    z?.dispose();
    expect(() => y?.data).toThrow(expect.objectContaining({ code: "released" }) as Error);
    x.clearGrad();
    expect(live()).toBeLessThanOrEqual(before + 4 * bytes); // temporaries of forward and backward wait for the collector
  });

  test("using disposes at the end of the block", () => {
    const x = vector("x");
    const before = live();
    {
      using y = square(x);
      expect(live() - before).toBe(y.bytes);
    }
    expect(live()).toBe(before);
  });

  test("a gradient with a graph of its own keeps what it needs", async () => {
    const x = vector("x");
    const y = square(square(x));
    y.backward({ createGraph: true });
    y.dispose();
    const first = x.grad;
    x.clearGrad();
    first?.backward();
    expect((await x.grad?.read())?.[0]).toBeCloseTo(12 * 0.25, 5);
  });
});

describe("backward with retainGrad: false", () => {
  test("needs at most three arrays beyond the forward's, however long the chain", async () => {
    const x = vector("x");
    let y = x;
    for (let k = 0; k < 50; k++) y = sin(y);
    await init({ poolBytes: 0 });
    const before = live();
    const allocated = stats().peakBytes;
    expect(allocated).toBeGreaterThanOrEqual(before);
    let most = 0;
    const original = GpuArray.allocate.bind(GpuArray);
    GpuArray.allocate = (device, shape, purpose) => {
      const array = original(device, shape, purpose);
      most = Math.max(most, live() - before);
      return array;
    };
    try {
      y.backward({ retainGrad: false });
    } finally {
      GpuArray.allocate = original;
      await init({ poolBytes: 2 ** 30 });
    }
    expect(most).toBeLessThanOrEqual(3 * bytes);
    expect(live() - before).toBe(bytes);
    y.dispose();
  });
});

describe("in-place updates", () => {
  test("assign replaces a leaf's numbers", async () => {
    const x = new Variable([
      [1, 2],
      [3, 4],
    ]);
    const buffer = x.data.buffer;
    x.assign([
      [5, 6],
      [7, 8],
    ]);
    expect([...(await x.read())]).toEqual([5, 6, 7, 8]);
    x.assign(Float32Array.of(1, 1, 2, 2));
    expect([...(await x.read())]).toEqual([1, 1, 2, 2]);
    x.assign(x.mul(2));
    expect([...(await x.read())]).toEqual([2, 2, 4, 4]);
    expect(x.data.buffer).toBe(buffer);
    expect(() => x.assign([1, 2])).toThrow(RangeError);
    expect(() => square(x).assign(x)).toThrow(/computed/);
  });

  test("a graph that still needs the old value says so", () => {
    const x = vector("x");
    const y = square(x);
    x.assign(new Float32Array(n));
    expect(() => y.backward()).toThrow(expect.objectContaining({ code: "modified" }) as Error);
    expect(x.grad).toBeNull();
    const z = x.add(1);
    x.assign(new Float32Array(n).fill(2));
    z.backward(); // add's backward needs no operand
  });

  test("the view of a leaf has the numbers that the leaf had: its graph goes backward with them", async () => {
    const x = vector("x");
    const y = square(x.reshape([2, n / 2]));
    const before = await x.read();
    x.assign(new Float32Array(n));
    y.backward();
    expect(await x.grad?.read()).toEqual(before.map((value) => 2 * value));
  });

  test("no gradient is another one's memory: changing one changes no other", async () => {
    const [a, b, c] = [vector("a"), vector("b"), vector("c")];
    const start = new Variable(new Float32Array(n).fill(3));
    const y = a.add(b).add(c.reshape([n]));
    y.grad = start;
    y.backward();
    const gradients = [a, b, c].map(({ grad }) => grad ?? y);
    const values = async (): Promise<unknown[]> => {
      const read = await Promise.all([start, ...gradients].map((gradient) => gradient.read()));
      return read.map(([value]) => value);
    };
    expect(await values()).toEqual([3, 3, 3, 3]);
    for (const [k, gradient] of gradients.entries()) {
      gradient.assign(new Float32Array(n).fill(10 + k));
      expect(await values()).toEqual([3, ...[0, 1, 2].map((i) => (i <= k ? 10 + i : 3))]);
    }
    start.assign(new Float32Array(n));
    expect(await values()).toEqual([0, 10, 11, 12]);
  });

  test("descend takes a step along the gradient", async () => {
    const x = new Variable([1, -2]);
    square(x).backward();
    x.descend(0.25);
    expect([...(await x.read())]).toEqual([0.5, -1]);
    expect(() => new Variable(1).descend(0.1)).toThrow(/no gradient/);
  });

  test("10,000 training steps allocate nothing after the first, and a loop of graphs ends with the bytes it began with", async () => {
    const x = vector("x");
    const target = new Variable(new Float32Array(n).fill(2), { requiresGrad: false });
    const step = (): void => {
      using loss = sum(square(x.sub(target)));
      loss.backward({ retainGrad: false });
      x.descend(0.01);
      x.clearGrad();
    };
    step();
    await x.read();
    const { allocatedBytes, liveBytes } = stats();
    for (let k = 0; k < 10_000; k++) {
      step();
      if (k % 500 === 0) await x.read();
    }
    expect(stats().allocatedBytes).toBe(allocatedBytes);
    expect(stats().liveBytes).toBeLessThanOrEqual(liveBytes); // less, where the collector found something meanwhile
    expect((await x.read())[0]).toBeCloseTo(2, 5);
  });
});

test("a loop of 100,000 small graphs with dispose ends with the bytes it began with", async () => {
  const x = vector("x");
  const once = (): void => {
    const y = square(x);
    y.backward();
    x.clearGrad();
    y.dispose();
  };
  once();
  const { liveBytes, allocatedBytes } = stats();
  for (let k = 0; k < 100_000; k++) {
    once();
    if (k % 5000 === 0) await x.data.device.finished();
  }
  expect(stats()).toMatchObject({ liveBytes, allocatedBytes });
});

test("grad and valueAndGrad leave nothing but what they give, and what was kept", async () => {
  const data = new Variable(new Float32Array(n).fill(0.5), { requiresGrad: false });
  let held: Variable | null = null;
  const f = (x: Variable): Variable => {
    const a = sin(x);
    held = exp(x).keep();
    return square(a).mul(2);
  };
  const before = live();
  const [y, dy] = valueAndGrad(f)(data);
  expect(live() - before).toBe(3 * bytes); // y, dy and held
  expect([(await y.read())[0], (await dy.read())[0]].map((v) => v?.toFixed(5))).toEqual(["0.45970", "1.68294"]);
  expect((await (held as unknown as Variable).read())[0]).toBeCloseTo(Math.exp(0.5), 5);
  const w = new Variable(new Float32Array(n).fill(1));
  const [same] = valueAndGrad(() => w)(data);
  expect(same).not.toBe(w);
  same.dispose();
  expect(await w.read()).toHaveLength(n);
});

describe("what nobody disposed", () => {
  test("comes back when the collector finds it", async () => {
    await collect();
    const before = live();
    (() => {
      for (let k = 0; k < 50; k++) square(vector("forgotten"));
    })();
    expect(live()).toBeGreaterThan(before);
    for (let tries = 0; tries < 20 && live() > before; tries++) await collect();
    expect(live()).toBeLessThanOrEqual(before);
  });

  test("leaks() names it, with the Function that made it", () => {
    const before = leaks().length;
    const x = vector("weights");
    const y = noGrad(() => exp(x));
    const z = square(x);
    const added = leaks().slice(before);
    expect(added.map(({ name, creator }) => [name, creator])).toEqual([
      ["weights", null],
      [null, null],
      [null, "Square"],
    ]);
    expect(added.every((leak) => leak.bytes === bytes)).toBe(true);
    for (const variable of [z, y, x]) variable.dispose();
    expect(leaks()).toHaveLength(before);
  });
});

test("a gradient that two inputs share stays where only one of them needs it", async () => {
  class Both extends Function {
    override forward(a: GpuArray, b: GpuArray) {
      return add(new Variable(a), new Variable(b));
    }
    override backward(gy: Variable) {
      const twice = mul(gy, 1);
      return [twice, twice];
    }
  }
  for (const f of [add, (a: Variable, b: Variable) => new Both().call(a, b)]) {
    for (const needs of [true, false]) {
      const a = new Variable([2, 3], { requiresGrad: needs });
      const b = new Variable([4, 5], { requiresGrad: !needs });
      const y = f(a.mul(a), b.mul(b));
      y.grad = [10, 100];
      y.backward({ createGraph: true });
      const [x, slope] = needs ? [a, [40, 600]] : [b, [80, 1000]];
      expect([...(await x.grad!.read())]).toEqual(slope);
      expect([...(await y.grad!.read())]).toEqual([10, 100]);
    }
  }
});

test("a backward that reads its own output doesn't give it away: it can be read without computing it again", async () => {
  const x = new Variable([1, 5, 3]);
  for (const f of [max, (v: Variable) => exp(v).sum()]) {
    const y = f(square(x));
    y.backward({ retainGrad: false });
    const { dispatches } = stats();
    await y.read();
    expect(stats().dispatches).toBe(dispatches);
    y.dispose();
  }
});
