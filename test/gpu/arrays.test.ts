import { beforeAll, describe, expect, test } from "vitest";
import { exp, GpuArray, init, square, stats, Variable, type Device } from "../../src/index.js";

let device: Device;

beforeAll(async () => {
  device = await init();
});

describe("sizes", () => {
  test.each([0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1023, 4099, 100_003])("%i elements", async (n) => {
    const numbers = Float32Array.from({ length: n }, (_, k) => (k % 1000) - 500);
    const x = new Variable(numbers);
    const y = square(x);
    y.backward();
    expect(await y.read()).toEqual(numbers.map((value) => value * value));
    expect(await x.grad?.read()).toEqual(numbers.map((value) => 2 * value));
  });

  test("2^26 elements, which are more workgroups than one dimension has", async () => {
    const n = 2 ** 26;
    expect(n / 256).toBeGreaterThan(device.limits.maxComputeWorkgroupsPerDimension);
    const numbers = new Float32Array(n);
    for (let k = 0; k < n; k++) numbers[k] = k % 4096;
    using x = new Variable(numbers);
    using y = square(x);
    const result = await y.read();
    let wrong = 0;
    for (let k = 0; k < n; k++) if (result[k] !== (k % 4096) ** 2) wrong++;
    expect(wrong).toBe(0);
  });

  test("more than the device allows is a RangeError with both numbers, and nothing is allocated", () => {
    const limit = device.maxArrayBytes;
    const { allocatedBytes } = stats();
    const x = new Variable([1], { shape: [1, 1] });
    const tooMany = limit / 4 + 1;
    const act = (): unknown => x.broadcastTo([tooMany, 1]);
    expect(act).toThrow(RangeError);
    expect(act).toThrow(expect.objectContaining({ code: "limit-exceeded", asked: tooMany * 4, limit }) as Error);
    expect(stats().allocatedBytes - allocatedBytes).toBeLessThanOrEqual(16);
  });
});

describe("the application's own buffers", () => {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

  test("a buffer is wrapped without a copy, and never destroyed or reused", async () => {
    const buffer = device.gpuDevice.createBuffer({ size: 32, usage });
    device.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4, 5));
    const live = stats().liveBytes;
    const x = new Variable(GpuArray.fromBuffer(buffer, [5]));
    expect(stats().liveBytes).toBe(live);
    expect([...(await square(x).read())]).toEqual([1, 4, 9, 16, 25]);
    x.dispose();
    device.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(7));
    const again = new Variable(GpuArray.fromBuffer(buffer, [1]));
    expect(await again.item()).toBe(7);
    buffer.destroy();
  });

  test("a buffer that is too small, of the wrong usage, or none at all is refused", () => {
    const small = device.gpuDevice.createBuffer({ size: 12, usage });
    expect(() => GpuArray.fromBuffer(small, [3])).toThrow(RangeError);
    const uniform = device.gpuDevice.createBuffer({ size: 64, usage: GPUBufferUsage.UNIFORM });
    expect(() => GpuArray.fromBuffer(uniform, [3])).toThrow(/STORAGE/);
    expect(() => GpuArray.fromBuffer({} as GPUBuffer, [3])).toThrow(TypeError);
  });

  test("a result's buffer can be used by the application's next submit", async () => {
    const y = exp(new Variable([0, 1]));
    const staging = device.gpuDevice.createBuffer({
      size: 8,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const { buffer } = y.data;
    const encoder = device.gpuDevice.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 8);
    device.gpuDevice.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect(new Float32Array(staging.getMappedRange())[1]).toBeCloseTo(Math.E, 6);
  });
});

describe("the pool", () => {
  test("a released buffer that recorded commands still read is not overwritten by an upload", async () => {
    await device.gpuDevice.queue.onSubmittedWorkDone();
    const x = new Variable(new Float32Array(3000).fill(1));
    const y = square(x);
    x.dispose(); // y's dispatch is recorded, not submitted
    y.dispose();
    const x2 = new Variable(new Float32Array(3000).fill(5));
    const y2 = square(x2);
    x2.dispose();
    const x3 = new Variable(new Float32Array(3000).fill(7));
    expect((await y2.read())[2999]).toBe(25);
    expect((await x3.read())[0]).toBe(7);
  });

  test("a pool without room destroys buffers only behind the commands that use them", async () => {
    await init({ poolBytes: 0 });
    const x = new Variable(new Float32Array(3000).fill(3));
    const y = square(x);
    const z = square(y);
    y.dispose();
    x.dispose();
    expect((await z.read())[0]).toBe(81);
    expect(stats().pooledBytes).toBe(0);
    await init({ poolBytes: 2 ** 30 });
  });
});
