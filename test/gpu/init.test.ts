import { describe, expect, test } from "vitest";
import { init, square, stats, Variable } from "../../src/index.js";

const coded = (code: string): unknown => expect.objectContaining({ code });

async function ownDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no adapter");
  return adapter.requestDevice();
}

describe("init", () => {
  test("before it, an operation says to await it", () => {
    expect(() => square(1)).toThrow(/await init\(\)/);
    expect(() => new Variable([1])).toThrow(coded("not-initialized"));
    expect(() => stats()).toThrow(coded("not-initialized"));
  });

  test("no WebGPU, a null adapter and a lost device are three errors that say what to do", async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(init({ gpu: none })).rejects.toThrow(coded("no-adapter"));
    await expect(init({ gpu: none })).rejects.toThrow(/--enable-unsafe-webgpu/);
    const device = await ownDevice();
    device.destroy();
    await device.lost;
    await expect(init({ device })).rejects.toThrow(coded("device-lost"));
    Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
    try {
      await expect(init()).rejects.toThrow(coded("no-webgpu"));
      await expect(init()).rejects.toThrow(/Use a current Chrome/);
    } finally {
      Reflect.deleteProperty(navigator, "gpu");
    }
  });

  test("takes the adapter's own limits", async () => {
    const device = await init();
    const adapter = await navigator.gpu.requestAdapter();
    expect(device.limits.maxBufferSize).toBe(adapter?.limits.maxBufferSize);
    expect(device.limits.maxStorageBufferBindingSize).toBe(adapter?.limits.maxStorageBufferBindingSize);
    expect(device.gpuDevice.features.has("timestamp-query")).toBe(adapter?.features.has("timestamp-query"));
  });

  test("twice, or at the same time, gives the same device", async () => {
    const [a, b, c] = await Promise.all([init(), init(), init()]);
    expect(a).toBe(b);
    expect(b).toBe(c);
    expect(await init()).toBe(a);
  });

  test("takes the application's device, and doesn't destroy it", async () => {
    const own = await ownDevice();
    const device = await init({ device: own });
    expect(device.gpuDevice).toBe(own);
    expect(await square(3).item()).toBe(9);
    own.destroy();
  });

  test("after a loss, everything says so, and init() gives a new device", async () => {
    const own = await ownDevice();
    await init({ device: own });
    const x = new Variable([1, 2]);
    const pending = square(x).read();
    own.destroy();
    await expect(pending).rejects.toThrow(coded("device-lost"));
    await expect(x.read()).rejects.toThrow(coded("device-lost"));
    expect(() => square(x)).toThrow(coded("device-lost"));
    expect(() => new Variable(1)).toThrow(/await init\(\) for a new device/);
    const device = await init();
    expect(device.gpuDevice).not.toBe(own);
    expect([...(await square([1, 2]).read())]).toEqual([1, 4]);
    await expect(x.read()).rejects.toThrow(coded("device-lost"));
  });

  test.each<[string, unknown]>([
    ["a string", "fast"],
    ["null", null],
    ["a device that is none", { device: {} }],
    ["a gpu that is none", { gpu: 7 }],
    ["math of a third kind", { math: "quick" }],
    ["a negative pool", { poolBytes: -1 }],
  ])("refuses %s, and stays usable", async (_what, options) => {
    await expect(init(options as never)).rejects.toThrow(TypeError);
    expect(await square(2).item()).toBe(4);
  });
});
