/** A device with nothing beyond what WebGPU guarantees: no optional feature, no limit above the default, no name. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  elementwise,
  fuse,
  grad,
  init,
  profile,
  square,
  stencil,
  sum,
  Variable,
  type Device,
} from "../../src/index.js";
import { expectClose } from "../reference/numbers.js";

/** The limits of WebGPU's specification that gpugrad asks for, where an adapter has no more. */
const least = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 8 };

const asked: GPUDeviceDescriptor[] = [];
let device: Device;

/** An adapter without features, and without `info`, as one of an older browser. */
const gpu = {
  async requestAdapter() {
    const adapter = await navigator.gpu.requestAdapter();
    return {
      features: new Set(),
      limits: least,
      requestDevice: async (descriptor: GPUDeviceDescriptor) => {
        asked.push(descriptor);
        const made = await adapter!.requestDevice(descriptor);
        Object.defineProperty(made, "adapterInfo", { value: undefined });
        return made;
      },
    };
  },
} as unknown as GPU;

beforeAll(async () => {
  device = await init({ gpu });
});

describe("a device without optional features", () => {
  test("is asked for none, nor for more than its limits", () => {
    expect(asked).toEqual([{ requiredLimits: least, requiredFeatures: [] }]);
    expect(device.gpuDevice.features.has("timestamp-query")).toBe(false);
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(device.isSoftware).toBe(false);
    expect(device.adapterInfo.vendor).toBe("");
  });

  test("computes values and gradients of both maths, of own functions, stencils and reductions", async () => {
    const norm = elementwise("fn norm_forward(x: f32, s: f32) -> f32 { return length(vec2f(x, math_exp(s))); }");
    const heat = stencil(
      "fn heat_forward(u: field, k: f32) -> f32 { return u(0) + k * (u(1) + u(-1) - 2.0 * u(0)); }",
      { dimensions: 1, boundary: "wrap" },
    );
    for (const math of ["exact", "native"] as const) {
      await init({ math });
      const x = new Variable([3, 0.5, 2]);
      sum(norm(x, 0).mul(heat(x, 0.25)).tanh()).backward();
      expectClose(await x.grad!.read(), gradientOf([3, 0.5, 2]), 1e-3);
    }
    await init({ math: "exact" });
  });

  test("binds what its limit allows: a function of many arrays is cut", async () => {
    const parts = Array.from({ length: 12 }, (_, k) => new Variable([k, k + 1]));
    const product = fuse((...all: Variable[]) => all.reduce((one, other) => one.mul(0.5).add(other.sin())));
    const y = product(...parts);
    y.backward();
    expectClose(await parts[11]!.grad!.read(), [Math.cos(11), Math.cos(12)], 1e-6);
    expectClose(await parts[0]!.grad!.read(), [2 ** -11, 2 ** -11], 1e-6);
  });

  test("profiles without times, and takes derivatives of any order", async () => {
    const entries = await profile(() => square([1, 2, 3]));
    expect(entries).toEqual([{ name: "square", direction: "forward", gpuTime: null, bytes: 24 }]);
    expect(await grad(grad((x) => x.pow(3)))(2).item()).toBeCloseTo(12, 5);
  });

  test("as the application's own, that tells nothing of its adapter, is taken too", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const own = await adapter!.requestDevice();
    Object.defineProperty(own, "adapterInfo", { value: undefined });
    const taken = await init({ device: own });
    expect([taken.isSoftware, taken.adapterInfo.description]).toEqual([false, ""]);
    expect(await square(3).item()).toBe(9);
  });
});

/** In float64, by central differences. */
function gradientOf(at: readonly number[]): number[] {
  const f = (x: readonly number[]): number =>
    x.reduce((total, value, k) => {
      const [before, after] = [x.at(k - 1) ?? 0, x[(k + 1) % x.length] ?? 0];
      return total + Math.tanh(Math.hypot(value, 1) * (value + 0.25 * (after + before - 2 * value)));
    }, 0);
  const moved = (k: number, h: number): number => f(at.map((value, j) => (j === k ? value + h : value)));
  return at.map((_, k) => (moved(k, 1e-4) - moved(k, -1e-4)) / 2e-4);
}
