/** The device is lost at every moment that can be told apart: everything says so, nothing hangs, and work goes on. */
import { describe, expect, test } from "vitest";
import {
  elementwise,
  exp,
  findNonFinite,
  Function,
  fuse,
  grad,
  gradCheck,
  type GpuArray,
  init,
  isGpugradError,
  leaks,
  noGrad,
  prepare,
  profile,
  sin,
  square,
  stats,
  sum,
  tanh,
  Variable,
} from "../../src/index.js";
import { errorOf, inTime, isWgpu, pause, useOwnDevice, expectNoTrouble } from "../trouble.js";

expectNoTrouble();

const lost = expect.objectContaining({ code: "device-lost", reason: "destroyed" }) as Error;

/** Reads reject, operations throw, and init() gives a device that works. */
async function expectLostThenRegained(variables: readonly Variable[]): Promise<void> {
  for (const variable of variables) {
    await expect(inTime(variable.read(), "a read")).rejects.toThrow(lost);
    expect(() => square(variable)).toThrow(lost);
  }
  expect(() => new Variable([1, 2])).toThrow(lost);
  expect(() => new Variable(1)).toThrow(lost);
  expect(() => stats()).toThrow(lost);
  expect(() => leaks()).toThrow(lost);
  expect(noGrad(() => 1)).toBe(1);
  const { gpuDevice } = await inTime(init({ gpu: navigator.gpu }), "init");
  const x = new Variable([1, 2, 3]);
  const y = sum(exp(square(x)));
  y.backward();
  expect(await inTime(y.item(), "a read on the new device")).toBeCloseTo(Math.E + Math.exp(4) + Math.exp(9), 1);
  expect((await x.grad!.read())[0]).toBeCloseTo(2 * Math.E, 4);
  for (const variable of variables) await expect(inTime(variable.read(), "a late read")).rejects.toThrow(lost);
  expect((await init()).gpuDevice).toBe(gpuDevice);
}

describe("a device that is lost", () => {
  test("while nothing happens", async () => {
    const device = await useOwnDevice();
    const x = new Variable([1, 2]);
    const y = square(x);
    await y.read();
    device.destroy();
    await device.lost;
    await expectLostThenRegained([x, y]);
  });

  test("and used in the same task, before WebGPU tells of the loss", async () => {
    const device = await useOwnDevice();
    const x = new Variable([1, 2]);
    device.destroy();
    const y = exp(square(new Variable([3, 4]).add(x)).mul(2));
    sum(y).backward();
    const reads: Promise<unknown>[] = [x.read(), y.read(), sum(y).item(), x.grad!.read()];
    for (const read of reads) await expect(inTime(read, "a read")).rejects.toThrow(lost);
    await expectLostThenRegained([x, y]);
  });

  test("between recording and flush", async () => {
    const device = await useOwnDevice();
    const x = new Variable(new Float32Array(100_000).fill(0.5));
    const y = exp(square(x));
    device.destroy();
    await pause(0);
    await expectLostThenRegained([x, y]);
  });

  test("in the middle of a backward pass, from inside of a Function's backward", async () => {
    const device = await useOwnDevice();
    class Destroying extends Function {
      override forward(x: GpuArray) {
        return square(x);
      }
      override backward(gy: Variable) {
        device.destroy();
        return gy.mul(2).mul(this.input);
      }
    }
    const x = new Variable([1, 2]);
    const y = exp(new Destroying().call(exp(x)));
    y.backward();
    await expect(inTime(x.grad!.read(), "the gradient's read")).rejects.toThrow(lost);
    await expectLostThenRegained([x, y]);
  });

  test("in the middle of a backward pass that finds out: the error, and no gradient changed", async () => {
    const device = await useOwnDevice();
    const x = new Variable([1, 2]);
    const y = exp(square(x));
    y.backward();
    const before = x.grad;
    const z = exp(square(x));
    device.destroy();
    await device.lost;
    expect(() => z.backward()).toThrow(lost);
    expect(() => z.backward({ createGraph: true })).toThrow(lost);
    expect(() => grad((a) => square(a))(x)).toThrow(lost);
    expect(x.grad).toBe(before);
    z.dispose();
    y.dispose();
    x.clearGrad();
    await expectLostThenRegained([x]);
  });

  test("with a hundred reads waiting", async () => {
    const device = await useOwnDevice();
    const x = new Variable(new Float32Array(2 ** 16).fill(0.5));
    const reads = Array.from({ length: 100 }, (_, k) => exp(x.mul(k)).read());
    device.destroy();
    const outcomes = await inTime(Promise.allSettled(reads), "the reads");
    expect(
      outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as { code: string }).code : "")),
    ).toEqual(new Array(100).fill("device-lost"));
    await expectLostThenRegained([x]);
  });

  test("while reads of the values of a long computation arrive", async () => {
    const device = await useOwnDevice();
    const x = new Variable(new Float32Array(2 ** 20).fill(0.5));
    const reads: Promise<Float32Array>[] = [];
    for (let k = 0; k < 20; k++) {
      reads.push(sin(x.mul(k)).read());
      await Promise.resolve();
    }
    void reads[3]!.then(
      () => device.destroy(),
      () => undefined,
    );
    const outcomes = await inTime(Promise.allSettled(reads), "the reads", 60_000);
    for (const [k, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") expect(outcome.value[7]).toBeCloseTo(Math.sin(0.5 * k), 5);
      else expect(outcome.reason).toMatchObject({ code: "device-lost", reason: "destroyed" });
    }
    await expectLostThenRegained([x]);
  });

  test("with reads, prepare and profile waiting for what the implementation never answers", async () => {
    const device = await useOwnDevice();
    const x = new Variable([1, 2, 3]);
    await square(x).read();
    const never = new Promise<never>(() => undefined);
    const own = Object.getOwnPropertyDescriptor(GPUBuffer.prototype, "mapAsync")!;
    GPUBuffer.prototype.mapAsync = () => never;
    device.createComputePipelineAsync = () => never;
    device.queue.onSubmittedWorkDone = () => never;
    try {
      const waiting: Promise<unknown>[] = [
        x.read(),
        exp(x).read(),
        prepare(elementwise("fn hanging_forward(x: f32) -> f32 { return x + 2.5; }")),
        profile(() => sin(x)),
        gradCheck((a) => square(a), [x]),
        (await init()).finished(),
      ];
      await pause(50);
      device.destroy();
      for (const promise of waiting) await expect(inTime(promise, "a promise")).rejects.toThrow(lost);
    } finally {
      Object.defineProperty(GPUBuffer.prototype, "mapAsync", own);
    }
    await expectLostThenRegained([x]);
  });

  test("during init, whichever way, ends in an error or a working device", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const initializing = init({ device });
    device.destroy();
    await expect(inTime(initializing, "init")).rejects.toThrow(lost);
    // A browser whose new device is lost at once.
    const dying = {
      requestAdapter: async () => {
        const real = await navigator.gpu.requestAdapter();
        const requestDevice = real!.requestDevice.bind(real);
        real!.requestDevice = async (descriptor) => {
          const made = await requestDevice(descriptor);
          made.destroy();
          return made;
        };
        return real;
      },
    } as unknown as GPU;
    const current = await useOwnDevice();
    current.destroy();
    await current.lost;
    await expect(inTime(init({ gpu: dying }), "init")).rejects.toThrow(lost);
    const [a, b] = await inTime(Promise.all([init({ gpu: navigator.gpu }), init()]), "init");
    expect(a).toBe(b);
    expect(await square(3).item()).toBe(9);
  });

  test.skipIf(isWgpu)("an adapter that was asked too often, or refuses, is an error that says so", async () => {
    const current = await useOwnDevice();
    current.destroy();
    await current.lost;
    const spent = await navigator.gpu.requestAdapter();
    await spent!.requestDevice();
    const same = { requestAdapter: () => Promise.resolve(spent) } as unknown as GPU;
    const error = await errorOf(() => init({ gpu: same }));
    expect(error).toMatchObject({ code: "no-adapter" });
    const refusing = { requestAdapter: () => Promise.reject(new Error("blocked by the user")) } as unknown as GPU;
    expect(String(await errorOf(() => init({ gpu: refusing })))).toMatch(/blocked by the user/);
    await init({ gpu: navigator.gpu });
  });

  test("during prepare, profile, gradCheck and findNonFinite", async () => {
    const starts: (() => Promise<unknown>)[] = [
      () =>
        prepare(
          elementwise("fn fresh_forward(x: f32) -> f32 { return x + 1.5; }"),
          fuse((x) => exp(sin(x))),
        ),
      () => profile(() => exp(square(new Variable([1, 2]))).backward()),
      () => gradCheck((x) => exp(square(x)), [new Variable([0.1, 0.2])]),
      () => findNonFinite(exp(square(new Variable([1, 2]))), { gradients: true }),
    ];
    for (const start of starts) {
      const device = await useOwnDevice();
      const working = start();
      device.destroy();
      await expect(inTime(working, String(start))).rejects.toThrow(lost);
      await device.lost;
      await expect(inTime(Promise.resolve().then(start), String(start))).rejects.toThrow(lost);
      await expectLostThenRegained([]);
    }
  });

  test("leaves functions that were compiled on it usable on the next", async () => {
    const own = elementwise(`
      fn own_forward(x: f32) -> f32 { return 3.0 * x; }
      fn own_backward(gy: f32) -> f32 { return 3.0 * gy; }`);
    const fused = fuse((x) => exp(own(x)));
    for (let k = 0; k < 3; k++) {
      const device = await useOwnDevice();
      const x = new Variable([0, 1]);
      const y = fused(x);
      y.backward();
      expect((await x.grad!.read())[1]! / (3 * Math.exp(3))).toBeCloseTo(1, 5);
      device.destroy();
      await device.lost;
    }
    await expectLostThenRegained([]);
  });
});

/** Learns y = tanh(w x + b); what it needs to go on is read after every step. */
async function train(steps: number, loseAt: readonly number[]): Promise<{ w: number[]; b: number[]; losses: number }> {
  const inputs = Float32Array.from({ length: 256 }, (_, k) => Math.sin(k));
  const targets = inputs.map((x) => Math.tanh(1.5 * x - 0.3));
  let device = await useOwnDevice();
  let saved: { w: Float32Array; b: Float32Array } = { w: Float32Array.of(0.1), b: Float32Array.of(0) };
  let losses = 0;
  let step = 0;
  const remaining = new Set(loseAt);
  while (step < steps) {
    try {
      const x = new Variable(inputs, { requiresGrad: false });
      const y = new Variable(targets, { requiresGrad: false });
      const w = new Variable(saved.w);
      const b = new Variable(saved.b);
      while (step < steps) {
        const loss = sum(square(tanh(w.mul(x).add(b)).sub(y)));
        if (remaining.delete(step)) device.destroy();
        loss.backward({ retainGrad: false });
        w.descend(0.002);
        b.descend(0.002);
        for (const variable of [w, b]) variable.clearGrad();
        loss.dispose();
        const [savedW, savedB] = await inTime(Promise.all([w.read(), b.read()]), "the reads");
        saved = { w: savedW, b: savedB };
        step++;
      }
    } catch (error) {
      if (!isGpugradError(error) || error.code !== "device-lost") throw error;
      losses++;
      device = await useOwnDevice();
    }
  }
  device.destroy();
  await device.lost;
  return { w: [...saved.w], b: [...saved.b], losses };
}

test("a training run that loses its device twice, and goes on from what it read, ends with the same bits", async () => {
  const undisturbed = await train(40, []);
  const disturbed = await train(40, [7, 23]);
  expect(disturbed.losses).toBe(2);
  expect(disturbed.w).toEqual(undisturbed.w);
  expect(disturbed.b).toEqual(undisturbed.b);
  expect(undisturbed.w[0]).not.toBeCloseTo(0.1, 1);
  await init({ gpu: navigator.gpu });
});
