/** gpugrad in Node, as a program there has it: installed as a package, beside the package webgpu. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildLibrary } from "./page.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gpugrad-node-"));
const alone = join(folder, "alone");
const beside = join(folder, "beside");

/** What a program writes to the standard output. It has the collector at hand, and must end by itself, without a complaint. */
async function outputOf(
  program: string,
  { at = beside, env = {} }: { at?: string; env?: Record<string, string> } = {},
): Promise<unknown> {
  const file = join(at, "program.mjs");
  writeFileSync(file, program);
  const { stdout } = await run(process.execPath, ["--expose-gc", file], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

beforeAll(() => {
  for (const place of [alone, beside]) {
    mkdirSync(join(place, "node_modules", "gpugrad"), { recursive: true });
    cpSync(join(root, "package.json"), join(place, "node_modules", "gpugrad", "package.json"));
  }
  buildLibrary(join(alone, "node_modules", "gpugrad", "dist"));
  cpSync(join(alone, "node_modules", "gpugrad", "dist"), join(beside, "node_modules", "gpugrad", "dist"), {
    recursive: true,
  });
  symlinkSync(join(root, "node_modules", "webgpu"), join(beside, "node_modules", "webgpu"), "dir");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("gpugrad in Node", () => {
  test("with debug, errors and findNonFinite name the line of the program, not one of the package", async () => {
    const program = `
      import { init } from "gpugrad/node";
      import { elementwise, findNonFinite, log, Variable } from "gpugrad";
      await init({ debug: true });
      const bad = elementwise("fn bad_forward(x: f32) -> f32 { return x * f32(pack2x16float(vec2f(1e6, 1.0))); }", { gradient: false });
      const called = () => bad(new Variable([1]));
      const { message } = await called().read().then(() => ({ message: "" }), (error) => error);
      const infinite = () => log(new Variable([0]));
      const [found] = await findNonFinite(infinite());
      console.log(JSON.stringify([message, found.calledAt]));`;
    const [message, calledAt] = (await outputOf(program)) as string[];
    expect(message).toMatch(/called at called \(.*program\.mjs:6:/);
    expect(calledAt).toMatch(/^infinite \(.*program\.mjs:8:/);
  });

  test("after the loss of an application's own device init asks for its new one, and picks none", async () => {
    const program = `
      import { init } from "gpugrad/node";
      const { gpuDevice } = await init();
      const { create } = await import("webgpu");
      globalThis.entry = create([]);
      const own = await (await entry.requestAdapter()).requestDevice();
      await init({ device: own });
      own.destroy();
      await own.lost;
      const code = await init().then(() => "none", (error) => error.code);
      console.log(JSON.stringify([code, gpuDevice !== own]));
      process.exit(0);`;
    expect(await outputOf(program)).toEqual(["device-lost", true]);
  });

  test("init of gpugrad/node brings WebGPU, and gives the device of gpugrad", async () => {
    const program = `
      import { init } from "gpugrad/node";
      import { exp, square, Variable } from "gpugrad";
      const device = await init({ math: "exact" });
      const x = new Variable([0.5]);
      const y = square(exp(square(x)));
      y.backward();
      const values = [await y.item(), await x.grad.item(), (await init()) === device, device.math];
      console.log(JSON.stringify(values));`;
    expect(await outputOf(program)).toEqual([
      expect.closeTo(1.6487212707, 5),
      expect.closeTo(3.2974425414, 5),
      true,
      "exact",
    ]);
  });

  test("what WebGPU was entered by stays as long as its device, whoever forgets it", async () => {
    const program = `
      import { create } from "webgpu";
      import * as node from "gpugrad/node";
      import { init, square } from "gpugrad";
      const first = await node.init();
      first.gpuDevice.destroy();
      await first.gpuDevice.lost;
      const device = await init({ gpu: create([]) });
      for (let i = 0; i < 20; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
        await square([1, i]).read();
      }
      console.log(JSON.stringify([device !== first, await square(3).item()]));`;
    expect(await outputOf(program)).toEqual([true, 9]);
  });

  test("after a loss, init of either module gives a new device", async () => {
    const program = `
      import * as node from "gpugrad/node";
      import { init, square } from "gpugrad";
      const found = [];
      let device = await node.init({ math: "native" });
      for (const again of [init, node.init, init]) {
        device.gpuDevice.destroy();
        await device.gpuDevice.lost;
        const next = await again();
        found.push(next !== device, next.math, await square(3).item());
        device = next;
      }
      console.log(JSON.stringify(found));`;
    expect(await outputOf(program)).toEqual([true, "native", 9, true, "native", 9, true, "native", 9]);
  });

  test("without the package webgpu, init says to install it, and gpugrad itself names gpugrad/node", async () => {
    const program = `
      import * as node from "gpugrad/node";
      import { init } from "gpugrad";
      const errors = await Promise.all([node.init(), init()].map((promise) => promise.catch((error) => error)));
      console.log(JSON.stringify(errors.map(({ code, message }) => [code, message])));`;
    expect(await outputOf(program, { at: alone })).toEqual([
      ["no-webgpu", expect.stringContaining("npm install webgpu")],
      ["no-webgpu", expect.stringContaining('"gpugrad/node"')],
    ]);
  });

  // Other systems have no Vulkan to name.
  if (process.platform === "linux") {
    test("a driver that is named and isn't there is named in the error", async () => {
      const program = `
        import { init } from "gpugrad/node";
        const { code, message } = await init().catch((error) => error);
        console.log(JSON.stringify([code, message]));`;
      expect(await outputOf(program, { env: { VK_ICD_FILENAMES: "/no/such/driver.json" } })).toEqual([
        "no-adapter",
        expect.stringMatching(/Vulkan|\/no\/such\/driver\.json/),
      ]);
    });
  }

  test("options of the wrong kind are refused as gpugrad's init refuses them", async () => {
    const program = `
      import { init } from "gpugrad/node";
      const errors = [];
      for (const options of [null, 7, { gpu: 7 }, { math: "quick" }]) {
        errors.push((await init(options).catch((error) => error)).code);
      }
      console.log(JSON.stringify(errors));`;
    expect(await outputOf(program)).toEqual(Array.from({ length: 4 }, () => "invalid-argument"));
  });
});
