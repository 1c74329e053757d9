import { beforeAll, expect, test } from "vitest";
import { encodeInto, exp, init, Kernel, prepare, profile, square, stats, sum, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

test("a profile names each dispatch, its direction, its time on the GPU and its bytes", async () => {
  const n = 2 ** 20;
  const x = new Variable(new Float32Array(n).fill(0.5));
  const entries = await profile(() => {
    const y = square(exp(x));
    y.backward();
  });
  expect(entries.map(({ name, direction }) => `${name} ${String(direction)}`)).toEqual([
    "exp forward",
    "square forward",
    "square backward",
    "exp backward",
  ]);
  // From ones, which is a constant: the first backward reads one array less.
  expect(entries.map(({ bytes }) => bytes / 4 / n)).toEqual([2, 2, 2, 3]);
  expect(entries.every(({ gpuTime }) => gpuTime !== null && gpuTime >= 0)).toBe(true);
  expect(entries.reduce((total, { gpuTime }) => total + (gpuTime ?? 0), 0)).toBeGreaterThan(0);
});

test("takes async functions, and more dispatches than one set of queries has", async () => {
  const x = new Variable([1, 2, 3]);
  const entries = await profile(async () => {
    let y = x;
    for (let k = 0; k < 2100; k++) y = square(y.mul(0).add(1));
    await y.read();
  });
  expect(entries).toHaveLength(6300);
  expect(await profile(() => sum([1, 2]))).toMatchObject([{ name: "sum", direction: null }]);
});

test("a Kernel's name is given whole, with spaces or a word that means a direction elsewhere", async () => {
  const kernel = (name: string): Kernel =>
    new Kernel({
      name,
      wgsl: `
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x < arrayLength(&y)) { y[id.x] = 1.0; } }`,
      bindings: ["output"],
    });
  const names = ["three point stencil", "step_forward", "1 2"];
  const entries = await profile(() => {
    for (const name of names) kernel(name).run({ inputs: [], outputs: [[3]], invocations: 3 });
  });
  expect(entries.map(({ name, direction }) => ({ name, direction }))).toEqual(
    names.map((name) => ({ name, direction: null })),
  );
});

test("an error in the profiled function comes through, and the next call is not measured", async () => {
  await expect(profile(() => square("x" as never))).rejects.toThrow(TypeError);
  expect(await square(3).item()).toBe(9);
});

test("prepare compiles ahead, so that calls compile nothing", async () => {
  await prepare([square, exp]);
  const { pipelines } = stats();
  square(exp(new Variable([1, 2, 3]))).backward();
  expect(stats().pipelines).toBe(pipelines);
  await expect(prepare(7 as never)).rejects.toThrow(/prepare takes/);
});

test("what goes into an application's encoder has no time, and the application's commands work", async () => {
  const { gpuDevice } = await init();
  const x = new Variable([1, 2, 3]);
  const encoder = gpuDevice.createCommandEncoder();
  let y = x;
  const entries = await profile(() => {
    const before = square(x);
    y = encodeInto(encoder, () => x.mul(2));
    return before.mul(3);
  });
  expect(entries.map(({ name, gpuTime }) => `${name} ${gpuTime === null ? "none" : "timed"}`)).toEqual([
    "square timed",
    "mul none",
    "mul timed",
  ]);
  gpuDevice.pushErrorScope("validation");
  gpuDevice.queue.submit([encoder.finish()]);
  expect(await gpuDevice.popErrorScope()).toBeNull();
  expect([...(await y.read())]).toEqual([2, 4, 6]);
});
