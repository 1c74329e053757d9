/** What may happen between encodeInto and the application's submit, and what is told where it comes too late or never. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeInto, exp, flush, GpuArray, init, square, stats, sum, Variable } from "../../src/index.js";
import { errorOf, expectNoTrouble, inTime, pause, useOwnDevice } from "../trouble.js";

let gpuDevice: GPUDevice;
const uncaptured: string[] = [];

beforeAll(async () => {
  gpuDevice = await useOwnDevice((message) => uncaptured.push(message));
});

beforeEach(() => {
  uncaptured.splice(0);
});

afterAll(async () => {
  await init({ gpu: navigator.gpu });
});

// Of what nobody reads, the console hears a second later.
expectNoTrouble(/a result is missing, and nobody has read/);

const encoderOf = (): GPUCommandEncoder => gpuDevice.createCommandEncoder();
const submit = (...encoders: GPUCommandEncoder[]): void =>
  gpuDevice.queue.submit(encoders.map((encoder) => encoder.finish()));
const values = async (x: Variable | null): Promise<number[]> => [...((await x?.read()) ?? [])];
const rejection = (x: Variable | undefined): Promise<unknown> => errorOf(() => x?.read());

const told = (message: RegExp): object => ({
  code: "validation",
  message: expect.stringMatching(message) as string,
});
const notYet = told(/had not run by then: submit it before/);
const changed = told(/was changed after encodeInto and before the encoder was submitted/);
const overwritten = told(/was submitted after gpugrad had changed the same array/);

describe("between encodeInto and the submit", () => {
  test("anything else may be computed, read and awaited, and both sides are right", async () => {
    const [x, other] = [new Variable([1, 2]), new Variable([3, 4])];
    const encoder = encoderOf();
    const earlier = square(other).read();
    const z = encodeInto(encoder, () => square(x).add(1));
    const same = other.mul(2);
    flush();
    expect([...(await earlier)]).toEqual([9, 16]);
    expect(await values(same)).toEqual([6, 8]);
    await pause(20);
    other.assign([7, 7]);
    for (let k = 0; k < 20; k++) {
      using more = exp(other.mul(k));
      await more.read();
    }
    // What it reads may be read.
    expect(await values(x.add(1))).toEqual([2, 3]);
    submit(encoder);
    expect([await values(z), await values(other), await values(z.mul(2))]).toEqual([
      [2, 5],
      [7, 7],
      [4, 10],
    ]);
    expect(uncaptured).toEqual([]);
  });

  test("the same encoder may be given several times, with work and reads between", async () => {
    const x = new Variable([1, 2]);
    const other = new Variable([5, 6]);
    const encoder = encoderOf();
    const y = encodeInto(encoder, () => square(x));
    expect(await values(square(other))).toEqual([25, 36]);
    const z = encodeInto(encoder, () => {
      x.update((w) => w.sub(1));
      return y.add(x);
    });
    expect(await values(other.add(1))).toEqual([6, 7]);
    submit(encoder);
    expect([await values(z), await values(x), await values(y)]).toEqual([
      [1, 5],
      [0, 1],
      [1, 4],
    ]);
  });

  test.each([false, true])("two encoders that have nothing to do with each other, reversed: %s", async (isReversed) => {
    const [x, y] = [new Variable([1, 2]), new Variable([3, 4])];
    const [a, b] = [encoderOf(), encoderOf()];
    const p = encodeInto(a, () => square(x.add(1)));
    const q = encodeInto(b, () => square(y.add(1)));
    const unrelated = y.mul(2);
    if (isReversed) submit(b, a);
    else submit(a, b);
    expect([await values(p), await values(q), await values(unrelated)]).toEqual([
      [4, 9],
      [16, 25],
      [6, 8],
    ]);
  });

  test("two encoders of which one needs the other are right in their order, and an error in another one", async () => {
    for (const isReversed of [false, true]) {
      const x = new Variable([1, 2]);
      const [a, b] = [encoderOf(), encoderOf()];
      const y = encodeInto(a, () => square(x));
      const z = encodeInto(b, () => y.add(1));
      if (isReversed) submit(b, a);
      else submit(a, b);
      if (isReversed) expect(await rejection(z)).toMatchObject(notYet);
      else expect(await values(z)).toEqual([2, 5]);
      expect(await values(y)).toEqual([1, 4]);
    }
  });

  test("of steps in place, in another order than theirs, none is taken for right", async () => {
    const x = new Variable([1, 2]);
    const [a, b] = [encoderOf(), encoderOf()];
    encodeInto(a, () => x.update((w) => w.mul(2)));
    encodeInto(b, () => x.update((w) => w.add(1)));
    submit(b, a);
    expect(await rejection(x)).toMatchObject({ code: "validation" });
    x.assign([5, 6]);
    expect(await values(x)).toEqual([5, 6]);
  });
});

describe("too early", () => {
  test("a read of its results rejects, and works after the submit; what was computed from them has no result", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    const z = encodeInto(encoder, () => square(x));
    expect(await rejection(z)).toMatchObject(notYet);
    const after = z.add(1);
    await pause(0);
    submit(encoder);
    expect(await values(z)).toEqual([1, 4]);
    expect(await rejection(after)).toMatchObject(notYet);
    expect(await rejection(after.mul(2))).toMatchObject({ code: "validation" });
    expect(await values(z.add(1))).toEqual([2, 5]);
  });

  test("a change of what it reads makes its results an error, and is right itself", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    const z = encodeInto(encoder, () => square(x));
    x.assign([3, 4]);
    expect(await values(x)).toEqual([3, 4]);
    submit(encoder);
    expect(await rejection(z)).toMatchObject(changed);
    expect(await rejection(z.add(1))).toMatchObject({ code: "validation" });
    expect([await values(x), await values(square(x))]).toEqual([
      [3, 4],
      [9, 16],
    ]);
  });

  test("a change of what it writes is right until it is submitted after all, and an error from then on", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    encodeInto(encoder, () => x.assign(x.mul(10)));
    x.assign([3, 4]);
    expect(await values(x)).toEqual([3, 4]);
    submit(encoder);
    expect(await rejection(x)).toMatchObject(overwritten);
    x.assign([5, 6]);
    expect(await values(x)).toEqual([5, 6]);
  });

  test("a step in place of what it writes has no result", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    encodeInto(encoder, () => x.update((w) => w.mul(2)));
    x.update((w) => w.add(1));
    await pause(0);
    submit(encoder);
    expect(await rejection(x)).toMatchObject({ code: "validation" });
  });

  test("the application's own buffers are told apart by markModified", async () => {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = gpuDevice.createBuffer({ size: 16, usage: STORAGE | COPY_SRC | COPY_DST });
    const x = new Variable(GpuArray.fromBuffer(buffer, [4]));
    const never = encoderOf();
    encodeInto(never, () => x.assign([1, 1, 1, 1]));
    expect(await rejection(x)).toMatchObject(notYet);
    gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4));
    x.data.markModified();
    expect(await values(x.mul(2))).toEqual([2, 4, 6, 8]);
    submit(never);
    expect(await rejection(x)).toMatchObject(overwritten);
  });
});

describe("never", () => {
  test("its results are errors, and everything else works: what it was to change is assigned anew", async () => {
    const [x, w] = [new Variable([1, 2]), new Variable([1, 1])];
    const z = encodeInto(encoderOf(), () => {
      w.update((v) => v.add(1));
      return square(x);
    });
    for (let k = 0; k < 3; k++) {
      expect(await rejection(z)).toMatchObject(notYet);
      expect(await rejection(w)).toMatchObject(notYet);
      expect(await values(x.add(k))).toEqual([1 + k, 2 + k]);
    }
    w.assign([3, 3]);
    expect(await values(w)).toEqual([3, 3]);
    const encoder = encoderOf();
    encodeInto(encoder, () => w.update((v) => v.add(x)));
    submit(encoder);
    expect(await values(w)).toEqual([4, 5]);
  });

  test("so it is with an encoder that WebGPU refuses, of which the application hears", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    const z = encodeInto(encoder, () => square(x));
    encoder.copyBufferToBuffer(x.data.buffer, 1, x.data.buffer, 2, 3);
    submit(encoder);
    expect(await rejection(z)).toMatchObject(notYet);
    expect(await values(x)).toEqual([1, 2]);
    expect(uncaptured.length).toBeGreaterThan(0);
  });

  test("so it is with one that was finished before", async () => {
    const x = new Variable([1, 2]);
    const encoder = encoderOf();
    encoder.finish();
    const z = encodeInto(encoder, () => square(x));
    expect(await rejection(z)).toMatchObject(notYet);
    expect(await values(square(x))).toEqual([1, 4]);
  });
});

describe("memory", () => {
  /** What is in the buffer at this place of the encoder's commands. */
  function snapshot(encoder: GPUCommandEncoder, buffer: GPUBuffer, count: number): () => Promise<number[]> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const copy = gpuDevice.createBuffer({ size: 4 * count, usage });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4 * count);
    return async () => {
      await copy.mapAsync(GPUMapMode.READ);
      return [...new Float32Array(copy.getMappedRange())];
    };
  }

  test.each([0, 2 ** 30])(
    "that its commands use is nobody else's until they have run (pool of %d bytes)",
    async (poolBytes) => {
      await init({ poolBytes });
      const x = new Variable(new Float32Array(64).fill(2));
      const encoder = encoderOf();
      const z = encodeInto(encoder, () => {
        using a = square(x);
        return a.add(1).keep();
      });
      const { buffer } = z.data;
      z.dispose();
      x.dispose();
      const others = Array.from({ length: 20 }, (_, k) => exp(new Variable(new Float32Array(64).fill(k / 10))));
      for (const other of others) await other.read();
      const seen = snapshot(encoder, buffer, 64);
      submit(encoder);
      expect(await seen()).toEqual(Array.from({ length: 64 }, () => 5));
      for (const [k, other] of others.entries()) expect((await other.read())[63]).toBeCloseTo(Math.exp(k / 10), 5);
      expect(uncaptured).toEqual([]);
      await init({ poolBytes: 2 ** 30 });
    },
  );

  test("goes round in a loop of frames that submits nothing else, and in one that never waits", async () => {
    const n = 2 ** 18;
    const x = new Variable(new Float32Array(n).fill(1));
    const frame = (): void => {
      const encoder = encoderOf();
      encodeInto(encoder, () => {
        using loss = sum(square(x).mul(exp(x)));
        loss.backward({ retainGrad: false });
        x.descend(0.001).clearGrad();
      });
      submit(encoder);
    };
    for (const isWaiting of [true, false]) {
      const before = stats().allocatedBytes;
      for (let k = 0; k < 60; k++) {
        frame();
        if (isWaiting) await pause(2);
      }
      expect((stats().allocatedBytes - before) / (4 * n)).toBeLessThan(100);
    }
    const [first = NaN] = await x.read();
    let expected = 1;
    for (let k = 0; k < 120; k++) expected -= 0.001 * Math.exp(expected) * (2 * expected + expected ** 2);
    expect(first).toBeCloseTo(expected, 4);
    expect(uncaptured).toEqual([]);
  });

  test("that an earlier encoder uses, too, is told where that is submitted later", async () => {
    const n = 2 ** 24;
    const [x, y] = [1, 2].map((value) => new Variable(new Float32Array(n).fill(value), { requiresGrad: false }));
    if (x === undefined || y === undefined) throw new Error("none");
    const [a, b] = [encoderOf(), encoderOf()];
    const first = encodeInto(a, () => {
      using big = exp(square(x));
      return sum(big).keep();
    });
    const second = encodeInto(b, () => square(y).keep());
    submit(b, a);
    expect(await rejection(second)).toMatchObject(told(/submit encoders in the order of encodeInto/));
    expect((await first.item()) / n).toBeCloseTo(Math.E, 4);
    for (const each of [x, y, first, second]) each.dispose();
  });
});

test("random programs whose encoders are submitted late are right, or errors, and never wrong", async () => {
  interface Step {
    op: string;
    into: boolean;
    k: number;
    late: number;
  }
  const step = fc.record({
    op: fc.constantFrom("square", "mul", "assign", "update", "sum", "dispose", "upload"),
    into: fc.boolean(),
    k: fc.nat(20),
    late: fc.nat(4),
  });
  let [right, refused] = [0, 0];
  const run = async (steps: readonly Step[], isLate: boolean): Promise<(readonly number[] | null)[]> => {
    const w = new Variable(Float32Array.from({ length: 300 }, (_, k) => Math.sin(k)));
    const kept: Variable[] = [w.mul(1).keep()];
    const pick = (k: number): Variable => kept[k % kept.length] ?? w;
    const actions: Record<string, (k: number) => unknown> = {
      square: (k) => kept.push(square(pick(k)).mul(0.5).keep()),
      mul: (k) =>
        kept.push(
          pick(k)
            .mul(pick(k + 1))
            .keep(),
        ),
      assign: (k) => w.assign(pick(k).mul(0.25)),
      update: (k) => w.update((v) => v.mul(0.5).add(k / 100)),
      sum: (k) => kept.push(pick(k).add(sum(w).mul(0.001)).keep()),
      dispose: (k) => (kept.length > 1 ? kept.splice(k % kept.length, 1)[0]?.dispose() : null),
      upload: (k) => kept.push(new Variable(Float32Array.from({ length: 300 }, (_, i) => (i * k) / 1000))),
    };
    const waiting: { encoder: GPUCommandEncoder; at: number }[] = [];
    const submitUntil = (now: number): void => {
      for (const one of waiting.filter(({ at }) => at <= now)) {
        waiting.splice(waiting.indexOf(one), 1);
        submit(one.encoder);
      }
    };
    for (const [now, { op, into, k, late }] of steps.entries()) {
      submitUntil(now);
      if (into && isLate) {
        const encoder = encoderOf();
        encodeInto(encoder, () => {
          actions[op]?.(k);
        });
        waiting.push({ encoder, at: now + late });
      } else actions[op]?.(k);
      if (k % 5 === 0) await pause(0);
    }
    submitUntil(Infinity);
    const all = [w, ...kept];
    const numbers = await Promise.all(
      all.map(async (each) => {
        try {
          return [...(await each.read())];
        } catch (error) {
          expect(error).toMatchObject({ code: "validation" });
          return null;
        }
      }),
    );
    for (const each of all) each.dispose();
    return numbers;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const [plain, mixed] = [await run(steps, false), await run(steps, true)];
      expect(mixed.length).toBe(plain.length);
      for (const [k, numbers] of mixed.entries()) {
        if (numbers === null) refused++;
        else {
          right++;
          expect(numbers.findIndex((value, i) => !Object.is(value, plain[k]?.[i]))).toBe(-1);
        }
      }
    }),
    { numRuns: 60, seed: 5 },
  );
  expect(right).toBeGreaterThan(refused);
  expect(refused).toBeGreaterThan(0);
  expect(uncaptured).toEqual([]);
});

test("where the device is lost meanwhile, every read tells that, and nothing hangs", async () => {
  const doomed = await useOwnDevice();
  const x = new Variable([1, 2]);
  const encoder = doomed.createCommandEncoder();
  const z = encodeInto(encoder, () => square(x));
  const early = z.read();
  const unrelated = x.mul(2).read();
  doomed.destroy();
  const expected = { code: "device-lost" };
  expect(await errorOf(() => inTime(unrelated, "the unrelated"))).toMatchObject(expected);
  expect(await errorOf(() => inTime(early, "the early"))).toHaveProperty("code");
  expect(await rejection(z)).toMatchObject(expected);
  doomed.queue.submit([encoder.finish()]);
  expect(await rejection(z)).toMatchObject(expected);
  await init({ device: gpuDevice });
});
