/** Every error that gpugrad makes, and errors that the GPU reports later: what rejects with them, and what doesn't. */
import { describe, expect, test } from "vitest";
import * as gpugrad from "../../src/index.js";
import {
  elementwise,
  exp,
  Function,
  fuse,
  gradCheck,
  GpuArray,
  greater,
  init,
  isGpugradError,
  Kernel,
  noGrad,
  prepare,
  profile,
  square,
  sum,
  Variable,
  type ErrorCode,
} from "../../src/index.js";
import { errorOf, expectNoTrouble, inTime, isWgpu, useOwnDevice } from "../trouble.js";

expectNoTrouble();

class Nothing extends Function {}

interface Case {
  readonly name: keyof typeof gpugrad;
  readonly base: typeof Error;
  readonly provoke: () => unknown;
}

/** One way to each code; the type holds the table to all of them. The first needs a page without `init()`. */
const cases: Record<ErrorCode, Case> = {
  "not-initialized": { name: "NotInitializedError", base: Error, provoke: () => new Variable(1) },
  "no-webgpu": {
    name: "NoWebGPUError",
    base: Error,
    provoke: async () => {
      Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
      try {
        await init();
      } finally {
        Reflect.deleteProperty(navigator, "gpu");
      }
    },
  },
  "no-adapter": {
    name: "NoAdapterError",
    base: Error,
    provoke: () => init({ gpu: { requestAdapter: () => Promise.resolve(null) } as unknown as GPU }),
  },
  "device-lost": {
    name: "DeviceLostError",
    base: Error,
    provoke: async () => {
      const device = await useOwnDevice();
      const x = new Variable(1);
      device.destroy();
      try {
        await x.read();
      } finally {
        await init({ gpu: navigator.gpu });
      }
    },
  },
  "out-of-memory": {
    name: "OutOfMemoryError",
    base: Error,
    provoke: async () => {
      const device = await useOwnDevice();
      device.createBuffer = () => {
        throw new RangeError("no room");
      };
      try {
        new Variable([1, 2, 3]);
      } finally {
        device.destroy();
        await device.lost;
        await init({ gpu: navigator.gpu });
      }
    },
  },
  "limit-exceeded": { name: "LimitError", base: RangeError, provoke: () => exp(square(1).broadcastTo([2 ** 40])) },
  "invalid-argument": { name: "ArgumentError", base: TypeError, provoke: () => square("7" as never) },
  "shape-mismatch": { name: "ShapeError", base: RangeError, provoke: () => new Variable([1, 2]).add([1, 2, 3]) },
  released: {
    name: "ReleasedError",
    base: TypeError,
    provoke: () => {
      const x = new Variable(1);
      x.dispose();
      square(x);
    },
  },
  "other-device": {
    name: "OtherDeviceError",
    base: TypeError,
    provoke: async () => {
      const x = new Variable([1]);
      const device = await useOwnDevice();
      try {
        x.add(new Variable([2]));
      } finally {
        device.destroy();
        await device.lost;
        await init({ gpu: navigator.gpu });
      }
    },
  },
  wgsl: { name: "WgslError", base: Error, provoke: () => elementwise("fn f() {}") },
  "not-implemented": { name: "NotImplementedError", base: Error, provoke: () => new Nothing().call(1) },
  "function-reused": {
    name: "FunctionReusedError",
    base: Error,
    provoke: () => {
      const f = new gpugrad.Square();
      f.call(f.call(1));
    },
  },
  "not-differentiable": { name: "NotDifferentiableError", base: Error, provoke: () => greater(1, 2).backward() },
  "wrong-gradient": {
    name: "GradCheckError",
    base: Error,
    provoke: () => {
      const wrong = elementwise(`
        fn wrong_forward(x: f32) -> f32 { return x * x; }
        fn wrong_backward(x: f32, gy: f32) -> f32 { return gy * x; }`);
      return gradCheck((x) => wrong(x), [3], { order: 1 });
    },
  },
  "undecided-gradient": {
    name: "UndecidedError",
    base: Error,
    provoke: () => gradCheck((x) => x.add(1e6), [3], { order: 1 }),
  },
  "not-fusable": { name: "FuseError", base: Error, provoke: () => fuse((x) => sum(x))([1, 2]) },
  modified: {
    name: "ModifiedError",
    base: Error,
    provoke: () => {
      const x = new Variable([1, 2]);
      const y = square(x);
      x.assign([3, 4]);
      y.backward();
    },
  },
  validation: {
    name: "ValidationError",
    base: Error,
    provoke: async () => {
      const { gpuDevice } = await init();
      const buffer = gpuDevice.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
      const x = GpuArray.fromBuffer(buffer, [2]);
      buffer.destroy();
      await square(x).read();
    },
  },
};

describe("every error", () => {
  test.each(Object.entries(cases))("%s", async (code, { name, base, provoke }) => {
    if (!["not-initialized", "no-webgpu", "no-adapter"].includes(code)) await init();
    const error = await errorOf(provoke);
    expect(error).toBeInstanceOf(gpugrad[name]);
    expect(error).toBeInstanceOf(base);
    expect(error).toBeInstanceOf(Error);
    expect(isGpugradError(error)).toBe(true);
    expect(error).toMatchObject({ code, name });
    expect((error as Error).message).not.toBe("");
    expect(String(error)).toBe(`${name}: ${(error as Error).message}`);
  });

  test("is told from others, of another copy of the library too", () => {
    expect(isGpugradError(new TypeError("mine"))).toBe(false);
    expect(isGpugradError({ code: "wgsl", [Symbol.for("gpugrad.error")]: true })).toBe(false);
    expect(isGpugradError(null)).toBe(false);
    const theirs = Object.defineProperty(new Error("theirs"), Symbol.for("gpugrad.error"), { value: true });
    expect(isGpugradError(theirs)).toBe(true);
  });

  test("has what a program needs to go on: limits, bytes, lines, reasons", async () => {
    await init();
    expect(await errorOf(() => exp(square(1).broadcastTo([2 ** 40])))).toMatchObject({ asked: 2 ** 42 });
    expect(await errorOf(cases["out-of-memory"].provoke)).toMatchObject({ asked: 16 });
    expect(await errorOf(cases["device-lost"].provoke)).toMatchObject({ reason: "destroyed" });
    expect(await errorOf(() => elementwise("\n\nfn f_forward(x: i32) -> f32 {}"))).toMatchObject({ line: 3 });
  });
});

const storage = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;`;
const body = "{ if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; } }";
const main = `fn main(@builtin(global_invocation_id) id: vec3u) ${body}`;

describe("a mistake in WGSL", () => {
  const bad = elementwise(`
    fn bad_forward(x: f32) -> f32 {
      return x + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30));
    }
    fn bad_backward(gy: f32) -> f32 { return gy; }`);

  test.skipIf(isWgpu)(
    "rejects reads of what it wrote and of what was computed from that, now and later, and of nothing else",
    async () => {
      await init();
      const x = new Variable([1, 2, 3]);
      const before = square(x);
      const wrong = bad(x);
      const from = exp(wrong);
      const after = exp(before);
      const expected = expect.objectContaining({ code: "wgsl", line: 3 }) as Error;
      await expect(from.read()).rejects.toThrow(expected);
      await expect(wrong.read()).rejects.toThrow(expected);
      expect([...(await before.read())]).toEqual([1, 4, 9]);
      expect((await after.read())[0]).toBeCloseTo(Math.E, 5);
      const later = wrong.add(before);
      const healthy = before.add(1);
      await expect(later.read()).rejects.toThrow(expected);
      await expect(sum(later).item()).rejects.toThrow(expected);
      expect([...(await healthy.read())]).toEqual([2, 5, 10]);
      x.backward();
      expect([...((await x.grad?.read()) ?? [])]).toEqual([1, 1, 1]);
    },
  );

  test.skipIf(isWgpu)("names the function, the shape and the bytes of the result it took, and the line", async () => {
    await init();
    const error = await errorOf(() => bad(new Variable([[1, 2, 3]])).read());
    expect(String(error)).toMatch(/bad_forward \[1, 3\] \(12 bytes\)/);
    expect(String(error)).toMatch(
      /line 3, column \d+: [^]+\n +return x \+ determinant\(mat2x2f\(1e30, 0\.0, 0\.0, 1e30\)\);$/,
    );
  });

  test("in a Kernel that is a Function's backward rejects the gradients' reads; the values stay", async () => {
    await init();
    const wrong = new Kernel({ name: "halfBackward", wgsl: "fn", bindings: ["input", "output"] });
    class Half extends Function {
      override forward(x: GpuArray) {
        return new Variable(x).mul(0.5);
      }
      override backward(gy: Variable) {
        return wrong.run({ inputs: [gy], outputs: [gy.shape], invocations: gy.size });
      }
    }
    const x = new Variable([2, 4]);
    const other = new Variable([1, 1]);
    const y = new Half().call(square(x)).mul(other);
    y.backward();
    expect([...(await y.read())]).toEqual([2, 8]);
    await expect(x.grad!.read()).rejects.toThrow(/halfBackward \[2\] \(8 bytes\)/);
    expect([...(await other.grad!.read())]).toEqual([2, 8]);
  });

  test.skipIf(isWgpu)("in one part of a fused function names the part", async () => {
    await init();
    const f = fuse((x) => exp(bad(square(x))));
    await expect(f([1]).read()).rejects.toThrow(/x \+ determinant/);
    await expect(prepare(f)).rejects.toThrow(expect.objectContaining({ code: "wgsl" }) as Error);
    expect(await square(3).item()).toBe(9);
  });

  test.skipIf(isWgpu)("rejects prepare, before the first run and after it", async () => {
    await init();
    await expect(prepare(square, bad)).rejects.toThrow(expect.objectContaining({ code: "wgsl", line: 3 }) as Error);
    await expect(bad.prepare()).rejects.toThrow(/line 3/);
    const wrong = bad([1]);
    await expect(wrong.read()).rejects.toThrow(/line 3/);
    await expect(bad.prepare()).rejects.toThrow(/line 3/);
  });

  test.each<[string, string]>([
    ["a workgroup that is too large", `${storage} @compute @workgroup_size(4096) ${main}`],
    [
      "a binding of the wrong kind",
      `${storage.replace("storage, read>", "uniform>").replace("array<f32>", "vec4f")}
      @compute @workgroup_size(64) ${main.replaceAll("x[id.x]", "x.x")}`,
    ],
    [
      "a binding that is not listed",
      `${storage} @group(0) @binding(2) var<storage, read_write> z: array<f32>;
      @compute @workgroup_size(64) ${main.replace("{ if", "{ z[0] = 1.0; if")}`,
    ],
    ["no entry point", `${storage} ${main}`],
    ["an entry point of another name", `${storage} @compute @workgroup_size(64) ${main.replace("main", "start")}`],
    ["an entry point of another stage", `${storage} @fragment fn main() {}`],
    ["text that is no WGSL", "Once upon a time"],
    ["nothing", ""],
    [
      "recursion",
      `${storage} fn f(x: f32) -> f32 { return f(x); } @compute @workgroup_size(64) ${main.replace("2.0 *", "f(2.0) *")}`,
    ],
    ["a missing return", `${storage} fn f(x: f32) -> f32 { } @compute @workgroup_size(64) ${main}`],
  ])("in a Kernel: %s", async (_what, wgsl) => {
    const { gpuDevice } = await init();
    const uncaptured: string[] = [];
    const listen = (event: GPUUncapturedErrorEvent): number => uncaptured.push(event.error.message);
    gpuDevice.addEventListener("uncapturederror", listen);
    const x = new Variable([1, 2, 3]);
    const options = { name: "wrongKernel", wgsl, bindings: ["input", "output"] } as const;
    await expect(inTime(new Kernel(options).prepare(), "prepare")).rejects.toThrow(
      expect.objectContaining({ code: "wgsl" }) as Error,
    );
    const kernel = new Kernel(options);
    const before = square(x);
    const [y] = kernel.run({ inputs: [x], outputs: [[3]], invocations: 3 });
    const after = exp(x);
    const error = await errorOf(() => y!.read());
    expect(error).toMatchObject({ code: "wgsl" });
    expect(String(error)).toMatch(/wrongKernel \[3\] \(12 bytes\)/);
    await expect(inTime(kernel.prepare(), "prepare")).rejects.toThrow(
      expect.objectContaining({ code: "wgsl" }) as Error,
    );
    expect([...(await before.read())]).toEqual([1, 4, 9]);
    expect(await after.read()).toHaveLength(3);
    gpuDevice.removeEventListener("uncapturederror", listen);
    expect(uncaptured).toEqual([]);
  });
});

describe("what WebGPU refuses when it runs", () => {
  const scale = (): Kernel =>
    new Kernel({
      name: "scale",
      wgsl: `${storage} @group(0) @binding(2) var<uniform> factors: array<vec4f, 4>;
        @compute @workgroup_size(64) ${main.replace("2.0", "factors[3].w")}`,
      bindings: ["input", "output", "uniform"],
    });

  test("a uniform block that is too short is a ValidationError of what that run wrote, and of nothing else", async () => {
    await init();
    const kernel = scale();
    const x = new Variable([1, 2, 3]);
    const run = (numbers: number): GpuArray =>
      kernel.run({
        inputs: [x],
        outputs: [[3]],
        uniforms: [new Float32Array(numbers).fill(2)],
        invocations: 3,
      })[0]!;
    expect([...(await run(16).read())]).toEqual([2, 4, 6]);
    const before = square(x);
    const wrong = run(4);
    const after = exp(before);
    const error = await errorOf(() => wrong.read());
    expect(error).toMatchObject({ code: "validation" });
    expect(String(error)).toMatch(/scale \[3\] \(12 bytes\)/);
    expect([...(await before.read())]).toEqual([1, 4, 9]);
    expect(await after.read()).toHaveLength(3);
    expect([...(await run(16).read())]).toEqual([2, 4, 6]);
  });

  test("an output that is among the inputs, or twice an output, is an ArgumentError at once", async () => {
    await init();
    const kernel = new Kernel({
      name: "twice",
      wgsl: `${storage} @compute @workgroup_size(64) ${main}`,
      bindings: ["input", "output"],
    });
    const x = new Variable([1, 2, 3]);
    const view = x.data.reshape([3, 1]);
    for (const outputs of [[x], [view]]) {
      expect(() => kernel.runInto({ inputs: [x], outputs, invocations: 3 })).toThrow(
        expect.objectContaining({ code: "invalid-argument" }) as Error,
      );
    }
    expect([...(await x.read())]).toEqual([1, 2, 3]);
  });

  test("a Variable that descends along itself takes a step", async () => {
    await init();
    const x = new Variable([1, 2, 4]);
    x.grad = x;
    x.descend(0.5);
    expect([...(await x.read())]).toEqual([0.5, 1, 2]);
  });

  test("more bindings than the device has are a LimitError at once", async () => {
    const device = await init();
    const count = device.limits.maxStorageBuffersPerShaderStage + 1;
    const kernel = new Kernel({ name: "wide", wgsl: "", bindings: new Array<"output">(count).fill("output") });
    const provoke = (): unknown =>
      kernel.run({ inputs: [], outputs: new Array<number[]>(count).fill([1]), invocations: 1 });
    expect(await errorOf(provoke)).toMatchObject({ code: "limit-exceeded", asked: count, limit: count - 1 });
    expect(await errorOf(() => kernel.prepare())).toMatchObject({ code: "limit-exceeded" });
  });

  test("an application's buffer that it destroyed, or that can't be copied, is told by the read", async () => {
    const { gpuDevice } = await init();
    const { STORAGE, COPY_SRC } = GPUBufferUsage;
    const destroyed = gpuDevice.createBuffer({ size: 16, usage: STORAGE | COPY_SRC });
    const x = GpuArray.fromBuffer(destroyed, [2]);
    destroyed.destroy();
    await expect(x.read()).rejects.toThrow(expect.objectContaining({ code: "validation" }) as Error);
    const bare = gpuDevice.createBuffer({ size: 16, usage: STORAGE });
    const y = new Variable(GpuArray.fromBuffer(bare, [2]));
    await expect(y.read()).rejects.toThrow(expect.objectContaining({ code: "invalid-argument" }) as Error);
    expect([...(await square(y).read())]).toEqual([0, 0]);
    y.assign([1, 2]);
    expect([...(await square(y).read())]).toEqual([1, 4]);
  });

  test.skipIf(isWgpu)("an application's device gets none of gpugrad's errors as uncaptured ones", async () => {
    const uncaptured: string[] = [];
    const device = await useOwnDevice((message) => uncaptured.push(message));
    const bad = elementwise("fn bad_forward(x: f32) -> f32 { return x + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30)); }");
    await expect(bad([1]).read()).rejects.toThrow(expect.objectContaining({ code: "wgsl" }) as Error);
    await expect(prepare(bad)).rejects.toThrow(expect.objectContaining({ code: "wgsl" }) as Error);
    await expect(profile(() => bad([1]))).resolves.toHaveLength(1);
    const count = device.limits.maxStorageBuffersPerShaderStage + 1;
    const wide = new Kernel({ name: "wide", wgsl: "", bindings: new Array<"output">(count).fill("output") });
    await expect(wide.prepare()).rejects.toThrow(expect.objectContaining({ code: "limit-exceeded" }) as Error);
    const theirs = (await useOwnDevice()).createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
    await init({ device });
    await expect(square(GpuArray.fromBuffer(theirs, [2])).read()).rejects.toThrow(
      expect.objectContaining({ code: "validation" }) as Error,
    );
    expect(await square(3).item()).toBe(9);
    expect(uncaptured).toEqual([]);
    device.destroy();
    await device.lost;
    await init({ gpu: navigator.gpu });
  });
});

test("what a user's own function throws comes through as it is, and leaves everything as it was", async () => {
  await init();
  const mine = new Error("mine");
  class Throwing extends Function {
    override forward(x: GpuArray): GpuArray {
      return square(x).data;
    }
    override backward(): never {
      throw mine;
    }
  }
  const x = new Variable([1, 2]);
  const y = new Throwing().call(x);
  expect(() => y.backward()).toThrow(mine);
  expect(x.grad).toBeNull();
  expect(() =>
    noGrad(() => {
      throw mine;
    }),
  ).toThrow(mine);
  expect(square(x).creator).not.toBeNull();
  await expect(
    profile(() => {
      throw mine;
    }),
  ).rejects.toThrow(mine);
});
