/** Async tasks that take turns, and share Variables, give the results that each gives alone. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  elementwise,
  exp,
  fuse,
  grad,
  init,
  mean,
  noGrad,
  profile,
  sin,
  square,
  sum,
  tanh,
  type ProfileEntry,
  Variable,
} from "../../src/index.js";
import { expectNoTrouble, pause } from "../trouble.js";

beforeAll(async () => {
  await init();
});

expectNoTrouble();

const n = 1000;
const numbers = (seed: number): Float32Array => Float32Array.from({ length: n }, (_, k) => Math.sin(seed + k));

/** What all tasks use and none changes. */
interface Shared {
  readonly x: Variable;
  readonly w: Variable;
}

const share = (): Shared => ({ x: new Variable(numbers(1)), w: new Variable(numbers(2), { requiresGrad: false }) });

/** Gives way to the others, in one of the ways that a program does. */
type Turn = () => Promise<unknown>;

const swish = elementwise(`
  fn swish_forward(x: f32) -> f32 { return x / (1.0 + exp(-x)); }
  fn swish_backward(x: f32, gy: f32) -> f32 {
    let s = 1.0 / (1.0 + exp(-x));
    return gy * s * (1.0 + x * (1.0 - s));
  }`);
const fused = fuse((a, b) => exp(sin(a).mul(b)));

/** Each leaves the shared Variables as they are; what it gives depends on nothing else. */
const tasks: Record<string, (shared: Shared, turn: Turn) => Promise<Float32Array[]>> = {
  async trains({ x, w }, turn) {
    const own = new Variable(numbers(3));
    for (let step = 0; step < 10; step++) {
      const loss = mean(square(tanh(own.mul(w)).sub(x.detach())));
      await turn();
      loss.backward({ retainGrad: false });
      await turn();
      own.descend(0.3);
      own.clearGrad();
      loss.dispose();
      await turn();
    }
    return [await own.read()];
  },
  async reads({ x, w }, turn) {
    const results: Float32Array[] = [];
    for (let k = 1; k <= 10; k++) {
      const y = x.mul(k).add(w);
      await turn();
      results.push(await square(y).read());
      y.dispose();
    }
    return results;
  },
  async differentiates({ x, w }, turn) {
    const results: Float32Array[] = [];
    for (let k = 1; k <= 5; k++) {
      const slope = grad((a) => exp(sin(a).mul(w)).mul(k))(x);
      await turn();
      const second = grad((a) => grad((b) => b.mul(b).mul(b))(a))(x);
      await turn();
      results.push(...(await Promise.all([slope.read(), second.read()])));
    }
    return results;
  },
  async "builds graphs without gradients"({ x }, turn) {
    const y = noGrad(() => swish(x));
    await turn();
    const z = noGrad(() => sum(y.reshape([10, 100]), 0));
    await turn();
    return Promise.all([y.read(), z.read()]);
  },
  async fuses({ x, w }, turn) {
    const results: Float32Array[] = [];
    for (let k = 0; k < 5; k++) {
      const own = new Variable(numbers(k));
      const y = fused(own, w.mul(x.detach()));
      await turn();
      y.backward();
      await turn();
      results.push(await own.grad!.read());
      y.dispose();
    }
    return results;
  },
  async "overwrites what was read"({ w }, turn) {
    const own = new Variable(numbers(5));
    const results: Float32Array[] = [];
    for (let k = 0; k < 8; k++) {
      const reading = own.mul(w).read();
      own.assign(numbers(k));
      await turn();
      results.push(await reading);
    }
    return results;
  },
  async forgets({ x }, turn) {
    for (let k = 0; k < 10; k++) {
      swish(x.mul(k));
      await turn();
    }
    return [await swish(x).read()];
  },
};

const turns: Record<string, (random: () => number) => Promise<unknown>> = {
  microtasks: () => Promise.resolve(),
  timers: () => pause(0),
  "reads of its own": () => new Variable([1, 2]).mul(2).read(),
  "all of these, at random": (random) => {
    const choice = random();
    if (choice < 0.4) return Promise.resolve();
    return choice < 0.7 ? pause(0) : square(choice).item();
  },
};

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("tasks that take turns by", () => {
  test.each(Object.entries(turns))("%s give the bits that they give alone", async (_name, turn) => {
    const alone = new Map<string, Float32Array[]>();
    for (const [name, task] of Object.entries(tasks)) {
      alone.set(name, await task(share(), () => Promise.resolve()));
    }
    for (let seed = 1; seed <= 3; seed++) {
      const random = randomFrom(seed);
      const shared = share();
      const before = [await shared.x.read(), await shared.w.read()];
      // Each task twice, side by side, over the same Variables.
      const names = Object.keys(tasks).flatMap((name) => [name, name]);
      const together = await Promise.all(names.map((name) => tasks[name]!(shared, () => turn(random))));
      names.forEach((name, k) => expect(together[k], name).toEqual(alone.get(name)));
      expect([await shared.x.read(), await shared.w.read()]).toEqual(before);
    }
  });

  test("profiles of several tasks, side by side and one in another, end with nothing of theirs left", async () => {
    const x = new Variable(numbers(1));
    const sync = (): Promise<ProfileEntry[]> => profile(() => void exp(x));
    const slow = (): Promise<ProfileEntry[]> =>
      profile(async () => {
        square(x);
        await pause(5);
        sin(x);
      });
    const nested = profile(async () => {
      const inner = await sync();
      expect(inner.map(({ name }) => name)).toEqual(["exp"]);
      tanh(x);
    });
    const [a, b, c, d] = await Promise.all([slow(), sync(), nested, slow()]);
    expect(b.map(({ name }) => name)).toEqual(["exp"]);
    for (const entries of [a, d])
      expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(["square", "sin"]));
    expect(c.map(({ name }) => name)).toEqual(expect.arrayContaining(["exp", "tanh"]));
    const { features } = (await init()).gpuDevice;
    for (const { gpuTime } of [...a, ...b, ...c, ...d]) {
      if (features.has("timestamp-query")) expect(gpuTime).toBeGreaterThanOrEqual(0);
    }
    expect((await square(x).read())[0]).toBe(Math.fround(numbers(1)[0]! ** 2));
  });

  test("a leaf that several tasks send gradients to has the sum of all, whatever their order", async () => {
    const x = new Variable([1, 2, 3]);
    const task = async (k: number): Promise<void> => {
      const y = sum(square(x).mul(k));
      await pause(k % 3);
      y.backward({ retainGrad: false });
      y.dispose();
    };
    await Promise.all(Array.from({ length: 20 }, (_, k) => task(k)));
    // Σ k · 2x, in whole numbers: exact in any order.
    expect([...(await x.grad!.read())]).toEqual([380, 760, 1140]);
  });
});
