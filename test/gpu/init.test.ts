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
      await expect(init()).rejects.toThrow(/Use a current Chrome|In Deno, start it|In Node, import/);
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
    // It is the application's, which may have made another one: gpugrad picks none in its place without being asked.
    await expect(init()).rejects.toThrow(coded("device-lost"));
    await expect(init({ powerPreference: "low-power" })).rejects.toThrow(/init\({ device }\)/);
    const another = await ownDevice();
    expect((await init({ device: another })).gpuDevice).toBe(another);
    another.destroy();
    await another.lost;
    const device = await init({ gpu: navigator.gpu });
    expect([own, another]).not.toContain(device.gpuDevice);
    expect([...(await square([1, 2]).read())]).toEqual([1, 4]);
    await expect(x.read()).rejects.toThrow(coded("device-lost"));
  });

  test("after a loss, the next device is picked as the one before, by the options that were given", async () => {
    const asked: (GPURequestAdapterOptions | undefined)[] = [];
    const gpu = {
      requestAdapter: (options?: GPURequestAdapterOptions) => {
        asked.push(options);
        return navigator.gpu.requestAdapter();
      },
    } as unknown as GPU;
    const lose = async (): Promise<void> => {
      const { gpuDevice } = await init();
      gpuDevice.destroy();
      await gpuDevice.lost;
    };
    await lose();
    await init({ gpu, powerPreference: "low-power", math: "native", poolBytes: 12345 });
    await lose();
    // A failure is not how the next one is picked.
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(init({ gpu: none })).rejects.toThrow(coded("no-adapter"));
    const next = await init();
    expect(asked).toEqual([{ powerPreference: "low-power" }, { powerPreference: "low-power" }]);
    expect(next.math).toBe("native");
    expect(next.pool.cap).toBe(12345);
    await lose();
    const other = await init({ gpu: navigator.gpu, math: "exact" });
    expect(asked.length).toBe(2);
    expect(other.math).toBe("exact");
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
