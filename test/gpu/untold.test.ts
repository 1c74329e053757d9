/** Whom a mistake in WGSL reaches: who reads, with the line of that call; where nobody does, the console, once. */
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  elementwise,
  encodeInto,
  exp,
  init,
  Kernel,
  prepare,
  square,
  stencil,
  sum,
  Variable,
  type WgslError,
} from "../../src/index.js";
import { errorOf, isWgpu, pause } from "../trouble.js";

const { error } = console;
let told: unknown[][] = [];

beforeAll(async () => {
  await init();
});

beforeEach(() => {
  told = [];
  console.error = (...parts: unknown[]) => told.push(parts);
});

afterEach(() => {
  console.error = error;
});

/** Until the console would have heard. */
const late = 1500;

/** A mistake that only the compiler finds. */
const determinant = "determinant(mat2x2f(1e30, 0.0, 0.0, 1e30))";

function wrong(name: string): (x: Variable | number[]) => Variable {
  return elementwise(`fn ${name}_forward(x: f32) -> f32 { return x + ${determinant}; }`, { gradient: false });
}

function wrongKernel(): Variable {
  const kernel = new Kernel({ name: "kernel", wgsl: "fn", bindings: ["input", "output"] });
  const x = new Variable([1, 2]);
  const [y] = kernel.run({ inputs: [x], outputs: [x.shape], invocations: x.size });
  if (y === undefined) throw new Error("no output");
  return new Variable(y);
}

test.skipIf(isWgpu)("where nobody reads, the console hears of it once, with the typed error", async () => {
  const f = wrong("unread");
  const x = new Variable([1, 2, 3]);
  f(x);
  f(exp(f(x)));
  await square(x).read();
  await pause(late);
  f(x);
  await pause(late);
  expect(told.length).toBe(1);
  const [sentence, reason] = told[0] ?? [];
  expect(sentence).toMatch(/nobody has read/);
  expect(reason).toMatchObject({ name: "WgslError", code: "wgsl", line: 1 });
  expect(String(reason)).toMatch(/unread_forward|unread/);
  // Who reads after all gets it all the same.
  expect(await errorOf(() => f(x).read())).toMatchObject({ code: "wgsl" });
});

test("so it is with a Kernel and a stencil", async () => {
  wrongKernel();
  stencil(`fn cells_forward(u: field) -> f32 { return u(1) + ${determinant}; }`, { dimensions: 1, boundary: "zero" })([
    1, 2, 3,
  ]);
  await pause(late);
  const reasons = told.map(([, reason]) => String(reason));
  expect(reasons.some((reason) => reason.includes("kernel"))).toBe(true);
  if (!isWgpu) expect(reasons.some((reason) => reason.includes("cells"))).toBe(true);
});

/** Its binding is smaller than what it has. */
function refused(name: string): Variable {
  const kernel = new Kernel({
    name,
    wgsl: `@group(0) @binding(0) var<storage, read_write> y: array<vec4f, 100>;
      @compute @workgroup_size(1) fn main() { y[0].x = 1.0; }`,
    bindings: ["output"],
  });
  const [y] = kernel.run({ inputs: [], outputs: [[1]], invocations: 1 });
  if (y === undefined) throw new Error("no output");
  return new Variable(y);
}

test("so it is with what WebGPU refuses: once for all frames of a loop, and not where somebody reads", async () => {
  for (let frame = 0; frame < 3; frame++) refused("frames").mul(2);
  const [read, through] = [refused("read"), refused("through")];
  const from = exp(through);
  expect(await errorOf(() => read.read())).toMatchObject({ code: "validation" });
  expect(await errorOf(() => from.read())).toMatchObject({ code: "validation" });
  await pause(late);
  expect(told.length).toBe(1);
  expect(told[0]?.[0]).toMatch(/a result is missing, and nobody has read/);
  expect(told[0]?.[1]).toMatchObject({ code: "validation" });
  expect(String(told[0]?.[1])).toMatch(/frames .*has no result/);
});

test("so it is with what is computed from an encoder's results before that is submitted", async () => {
  const { gpuDevice } = await init();
  const x = new Variable([1, 2]);
  const encoder = gpuDevice.createCommandEncoder();
  const z = encodeInto(encoder, () => square(x));
  z.mul(2);
  await pause(late);
  gpuDevice.queue.submit([encoder.finish()]);
  expect(told.length).toBe(1);
  expect(String(told[0]?.[1])).toMatch(/encodeInto had not run by then/);
});

test.skipIf(isWgpu)("who reads, now or soon, or what was computed from it, or prepares, gets it alone", async () => {
  await errorOf(() => wrong("now")([1, 2]).read());
  const y = wrong("soon")([1, 2]);
  const from = sum(exp(wrong("through")([1, 2])));
  const prepared = wrong("prepared");
  prepared([1]);
  await pause(300);
  await errorOf(() => y.read());
  await errorOf(() => from.item());
  await errorOf(() => prepare(prepared as unknown as Kernel));
  await errorOf(() => wrongKernel().read());
  await pause(late);
  expect(told).toEqual([]);
});

test.skipIf(isWgpu)("a rejected read shows where it was called, and has the reason as its cause", async () => {
  const y = wrong("shown")([1, 2]);
  async function whereItIsRead(): Promise<unknown> {
    return y.read();
  }
  async function elsewhere(): Promise<unknown> {
    await pause(0);
    return y.item();
  }
  const first = (await errorOf(whereItIsRead)) as WgslError;
  const second = (await errorOf(elsewhere)) as WgslError;
  expect(first.stack).toContain("whereItIsRead");
  expect(first.stack).toContain("untold.test");
  expect(second.stack).toContain("elsewhere");
  expect(second.stack).not.toContain("whereItIsRead");
  expect(first.stack).toContain(first.message);
  expect(first).toMatchObject({ name: "WgslError", code: "wgsl", line: 1 });
  expect(first.cause).toMatchObject({ code: "wgsl" });
});
