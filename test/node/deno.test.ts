/**
 * gpugrad in Deno, whose WebGPU is wgpu and whose compiler of WGSL is naga: the built package, and a part of the tests that run
 * in Chrome, with their results. `npm run test:deno` takes all of them, which takes long on a processor; `npm run naga` compiles
 * the shaders of all.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deno, denoEnvironment } from "../../scripts/deno.js";
import { buildLibrary } from "./page.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gpugrad-deno-"));
let env: NodeJS.ProcessEnv;

/** What a program writes to the standard output, as JSON. */
async function outputOf(program: string): Promise<unknown> {
  writeFileSync(join(folder, "program.mjs"), program);
  const options = { env, cwd: folder };
  const { stdout } = await run(process.execPath, [deno, "run", "-A", "program.mjs"], options);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  env = await denoEnvironment();
  const installed = join(folder, "node_modules/gpugrad");
  mkdirSync(installed, { recursive: true });
  buildLibrary(join(installed, "dist"));
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": { "gpugrad": "*" } }');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the built package", () => {
  test("gives values and gradients: of built-in functions, own ones, stencils, fused ones", async () => {
    const program = `
      import { elementwise, Exp, fuse, grad, init, Square, stencil, Variable } from "gpugrad";
      await init();
      const results = [];
      {
        const x = new Variable(0.5);
        new Square().call(new Exp().call(new Square().call(x))).backward();
        results.push(await x.grad.item());
      }
      {
        const softened = elementwise("fn softened_forward(x: f32) -> f32 { return x / (1.0 + exp(-x)); }");
        const x = new Variable([-1, 0, 2]);
        softened(x).backward();
        results.push(...(await x.grad.read()));
      }
      {
        const heat = stencil(
          "fn heat_forward(u: field, dt: f32) -> f32 { return u(0) + dt * (u(1) + u(-1) - 2.0 * u(0)); }",
          { dimensions: 1, boundary: "clamp" },
        );
        results.push(...(await heat([0, 8, 0], 0.25).read()));
      }
      {
        const wave = fuse((x) => x.mul(3).sin().exp());
        results.push(await grad(grad((x) => wave(x)))(0.5).item());
      }
      console.log(JSON.stringify(results));`;
    const expected = [3.2974425414, 0.0723295, 0.5, 1.0907843, 2, 4, 2, -24.2200903];
    expect(await outputOf(program)).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
  });

  test("computes in a GPUBuffer that Deno's program has made", async () => {
    const program = `
      import { GpuArray, init, square, Variable } from "gpugrad";
      const { gpuDevice } = await init();
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = gpuDevice.createBuffer({ size: 32, usage });
      gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
      const x = new Variable(GpuArray.fromBuffer(buffer, [3], { offset: 4 }));
      const y = square(x);
      y.backward();
      const results = [...(await y.read()), ...(await x.grad.read())];
      x.assign([7, 7, 7]);
      console.log(JSON.stringify([...results, ...(await GpuArray.fromBuffer(buffer, [6]).read())]));`;
    expect(await outputOf(program)).toEqual([4, 9, 16, 4, 6, 8, 1, 7, 7, 7, 5, 6]);
  });

  test("takes the application's device, gives memory back, and tells of a loss and of a mistake", async () => {
    const program = `
      import { elementwise, init, Kernel, square, stats, sum, Variable } from "gpugrad";
      const adapter = await navigator.gpu.requestAdapter();
      const own = await adapter.requestDevice();
      const device = await init({ device: own });
      const results = [device.gpuDevice === own, typeof device.isSoftware];
      const x = new Variable([1, 2, 3]);
      const before = stats().liveBytes;
      const loss = sum(square(x));
      results.push(await loss.item());
      loss.dispose();
      results.push(stats().liveBytes === before);
      const wgsl = \`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main() { y[0] = missing(1.0); }\`;
      const [y] = new Kernel({ name: "mine", wgsl, bindings: ["output"] }).run({ inputs: [], outputs: [[1]], invocations: 1 });
      results.push(await y.read().catch(({ code, line, message }) => [code, line, message]));
      own.destroy();
      try { results.push(await square(3).item()) } catch ({ code }) { results.push(code) }
      const next = await init({ gpu: navigator.gpu });
      results.push(next !== device, await square(3).item());
      console.log(JSON.stringify(results));`;
    const message: unknown = expect.stringMatching(
      /^mine .*line 2, column \d+: no definition in scope for identifier: .missing.\n/,
    );
    expect(await outputOf(program)).toEqual([true, "boolean", 14, true, ["wgsl", 2, message], "device-lost", true, 9]);
  });
});

test("the examples of the documentation, functions at their edges, failures and losses have the results that they have in Chrome", () => {
  const files = [
    "test/examples.test.ts",
    "test/functions/numerics.test.ts",
    "test/functions/edges.test.ts",
    "test/functions/published.test.ts",
    "test/elementwise/own-functions.test.ts",
    "test/gpu/encode-into.test.ts",
    "test/gpu/failures.test.ts",
    "test/gpu/device-lost.test.ts",
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, ["scripts/deno.js", ...files], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(new RegExp(`Test Files +${files.length} passed`));
});
