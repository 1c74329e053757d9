/** What was computed on the way to a result goes with it, and stays what the user may still read. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  exp,
  Function,
  fuse,
  grad,
  GpuArray,
  init,
  mul,
  noGrad,
  sin,
  square,
  stats,
  sum,
  Variable,
} from "../../src/index.js";
import { collect, pause } from "../trouble.js";
import { filled, firstOf } from "../reference/numbers.js";

const n = 2 ** 18;
const bytes = 4 * n;
const vector = (value = 0.5, requiresGrad = true): Variable => filled(n, value, requiresGrad);
const held = (): number => stats().liveBytes + stats().pooledBytes;

beforeAll(async () => {
  await init();
});

beforeEach(async () => {
  await collect();
  await init({ poolBytes: 0 });
  await init({ poolBytes: 2 ** 30 });
});

describe("dispose() frees what was computed on the way", () => {
  const w = (): Variable => vector();
  const c = (): Variable => vector(0.25, false);
  const cases: [string, (w: Variable, c: Variable) => Variable][] = [
    ["under noGrad", (w) => noGrad(() => square(exp(square(w))))],
    ["where no input needs a gradient", (_, c) => square(exp(square(c)))],
    ["in a loss with a part that needs none", (w, c) => sum(square(w.sub(c.mul(2).add(1))))],
    ["behind a detach inside a loss", (w) => sum(w.mul(exp(w).detach()))],
    ["behind two of them", (w) => sum(w.mul(exp(sin(exp(w).detach())).detach()))],
    ["in grad of grad", (_, c) => grad(grad((x) => x.mul(x).mul(x)))(c)],
    ["in grad of grad by a leaf", (w) => grad(grad((x) => x.mul(x).mul(x)))(w)],
    [
      "in reductions, views and broadcasts",
      (_, c) =>
        c
          .mul(2)
          .reshape([2, n / 2])
          .transpose()
          .sum(0)
          .add(c.sum())
          .neg(),
    ],
    ["in a fused function", (_, c) => fuse((x: Variable) => square(exp(x)))(c.add(1)).mul(2)],
    ["in a Function made of others", (w) => sum(new Cube().call(w))],
  ];

  class Cube extends Function {
    override forward(x: GpuArray) {
      return square(x).mul(x);
    }
    override backward(gy: Variable) {
      return square(this.input).mul(3).mul(gy);
    }
  }

  test.each(cases)("%s: 50 steps in one task", async (_, step) => {
    const [leaf, constant] = [w(), c()];
    const live = stats().liveBytes;
    let first = 0;
    let most = 0;
    for (let k = 0; k < 50; k++) {
      const y = step(leaf, constant);
      if (y.requiresGrad) y.backward({ retainGrad: false });
      leaf.clearGrad();
      y.dispose();
      expect(stats().liveBytes).toBeLessThanOrEqual(live);
      if (k === 0) first = held();
      most = Math.max(most, held() - first);
    }
    expect(most).toBe(0);
    await leaf.read();
  });

  const between: [string, () => void][] = [
    ["awaits", () => undefined],
    ["awaits and the collector", (globalThis as unknown as { gc: () => void }).gc],
  ];
  describe.each(between)("20 steps with %s between", (_, collectSome) => {
    test.each(cases)("%s", async (_, step) => {
      const [leaf, constant] = [w(), c()];
      const before = stats().liveBytes;
      for (let k = 0; k < 20; k++) {
        const y = step(leaf, constant);
        const witness = new WeakRef({});
        await pause(0);
        collectSome();
        if (y.requiresGrad) y.backward({ retainGrad: false });
        leaf.clearGrad();
        y.dispose();
        const isMore = (): boolean => stats().liveBytes - before > bytes;
        // What the collector has found in between is not dispose's to give back: it comes in a task of its own.
        const ranCollector = witness.deref() === undefined;
        for (let times = 0; times < 10 && ranCollector && isMore(); times++) await collect();
        expect(isMore(), `step ${k}`).toBe(false);
      }
    });
  });
});

describe("nothing goes that may still be read", () => {
  test("an intermediate that is held outside of noGrad, inside of it, in an array", async () => {
    const x = vector();
    const list: Variable[] = [];
    let inside: Variable | null = null;
    const y = noGrad(() => {
      inside = exp(x);
      list.push(square(inside));
      return sin(list[0] ?? x);
    });
    const a = noGrad(() => exp(x));
    const b = noGrad(() => square(a));
    y.dispose();
    b.dispose();
    expect(await firstOf(list[0] ?? y)).toBeCloseTo(Math.exp(1), 5);
    expect(await firstOf(inside as unknown as Variable)).toBeCloseTo(Math.exp(0.5), 5);
    x.assign(new Float32Array(n));
    expect(await firstOf(a)).toBeCloseTo(Math.exp(0.5), 5);
  });

  test("what has to be computed again from a leaf that changed is refused", async () => {
    const x = vector();
    const a = exp(x);
    const y = square(a);
    const c = vector(2, false);
    const d = c.mul(2);
    d.add(1).dispose();
    expect(await firstOf(d)).toBe(4);
    const e = c.mul(3);
    e.add(1).dispose();
    c.assign(new Float32Array(n));
    await expect(e.read()).rejects.toThrow(
      /can't be computed again since Variable \[262144\] was changed in place; keep\(\)/,
    );
    y.dispose();
    expect(await firstOf(a)).toBeCloseTo(Math.exp(0.5), 5);
  });

  test("used by two results", async () => {
    const c = vector(2, false);
    const d = c.mul(2);
    const [y, z] = [d.add(1), d.add(2)];
    y.dispose();
    c.assign(new Float32Array(n));
    expect(await firstOf(d)).toBe(4);
    expect(await firstOf(z)).toBe(6);
  });

  test("used, or read, after the task that made it", async () => {
    const c = vector(2, false);
    const [d, e] = [c.mul(2), c.mul(3)];
    await e.read();
    await pause(0);
    const y = d.add(e);
    y.dispose();
    c.assign(new Float32Array(n));
    expect([await firstOf(d), await firstOf(e)]).toEqual([4, 6]);
  });

  test("a loss whose detached copy was disposed still goes backward", async () => {
    const x = vector();
    const loss = sum(square(x));
    loss.detach().dispose();
    noGrad(() => mul(loss, 2)).dispose();
    loss.backward();
    expect(await firstOf(x.grad ?? loss)).toBe(1);
  });

  test("a chain of 1,000 results without a graph holds no history", async () => {
    const live = stats().liveBytes;
    let x = vector(0.5, false);
    for (let k = 0; k < 1000; k++) {
      x = sin(x);
      if (k % 50 === 49) await collect();
    }
    await collect();
    expect((stats().liveBytes - live) / bytes).toBeLessThan(60);
  });
});

describe("what the user gave stays the user's", () => {
  const array = (value: number): GpuArray => GpuArray.from(new Float32Array(n).fill(value));

  test("a gradient to start from", async () => {
    const s = array(3);
    const y = square(vector());
    y.grad = s;
    y.backward();
    y.dispose();
    expect((await s.read())[0]).toBe(3);
  });

  test("the array of two Variables", async () => {
    const s = array(3);
    const [a, b] = [new Variable(s), new Variable(s)];
    a.dispose();
    expect(await firstOf(b)).toBe(3);
    b.dispose();
    expect((await s.read())[0]).toBe(3);
  });

  test("operands and assigned values", async () => {
    const s = array(3);
    const x = vector();
    mul(x, s).dispose();
    noGrad(() => mul(x, s)).dispose();
    x.assign(s).dispose();
    expect((await s.read())[0]).toBe(3);
  });

  test("what a Function gives and keeps: saved, given twice, given by two calls", async () => {
    const table = array(7);
    class Saving extends Function {
      saved: GpuArray | null = null;
      override forward(x: GpuArray) {
        this.saved = square(x).data;
        return [this.saved, this.saved, table];
      }
      override backward() {
        return table;
      }
    }
    const x = vector();
    const f = new Saving();
    f.call(x);
    const [y, z, t] = f.outputs;
    y?.backward();
    y?.dispose();
    z?.dispose();
    t?.dispose();
    x.clearGrad();
    expect((await f.saved?.read())?.[0]).toBe(0.25);
    const g = noGrad(() => new Saving().call(x));
    g.dispose();
    expect((await table.read())[0]).toBe(7);
  });
});
