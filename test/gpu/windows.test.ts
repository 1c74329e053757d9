import { beforeAll, describe, expect, test } from "vitest";
import { fuse, init, square, stats, sum, Variable, type Device } from "../../src/index.js";

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

  test("what can't be cut is refused before anything is allocated, with both numbers", () => {
    using x = new Variable(numbers);
    const { allocatedBytes } = stats();
    const limit = device.limits.maxStorageBufferBindingSize;
    expect(() => sum(x)).toThrow(expect.objectContaining({ code: "limit-exceeded", asked: 4 * n, limit }));
    expect(() => x.reshape([1, n]).transpose()).not.toThrow(RangeError); // the same order: no cut needed
    expect(stats().allocatedBytes - allocatedBytes).toBeLessThanOrEqual(2 ** 29);
  });

  function wrongOnes(values: Float32Array, f: (x: number) => number): number {
    let wrong = 0;
    for (let k = 0; k < n; k++) if (values[k] !== f((k % 2048) - 1024)) wrong++;
    return wrong;
  }
});
