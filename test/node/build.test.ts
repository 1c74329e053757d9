/** The package as a user gets it: the built file, not the sources. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildLibrary, complaintsOf, launchChrome, serve, writePage, type StaticSite } from "./page.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gpugrad-build-"));
const dist = join(folder, "node_modules/gpugrad/dist");
let browser: Browser;
let site: StaticSite;

const seed = `
import { Exp, init, Square, Variable } from "./dist/gpugrad.min.js";
await init();
const [A, B, C] = [new Square(), new Exp(), new Square()];
const x = new Variable(0.5);
const y = C.call(B.call(A.call(x)));
y.grad = 1;
y.backward();
globalThis.gradient = await x.grad.item();
globalThis.creators = y.creator === C && C.input.creator === B && B.input.creator === A && A.input === x;
`;

beforeAll(async () => {
  buildLibrary(dist, "--declarations");
  cpSync(join(root, "package.json"), join(folder, "node_modules/gpugrad/package.json"));
  const page = join(folder, "page");
  mkdirSync(page);
  cpSync(dist, join(page, "dist"), { recursive: true });
  writePage(page, "seed.js", seed);
  site = await serve(page);
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

describe("the built library", () => {
  test("repeats the seed's example in a page without Vite, under a strict Content-Security-Policy", async () => {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(site.url);
    await page.waitForFunction("globalThis.gradient !== undefined");
    const [gradient, creators] = await page.evaluate(
      () => [Reflect.get(globalThis, "gradient"), Reflect.get(globalThis, "creators")] as [number, boolean],
    );
    expect(Math.abs(gradient / 3.297442541400256 - 1)).toBeLessThan(3e-7);
    expect(creators).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("is one ES module that imports nothing, and files to be read, as they are written", () => {
    const code = readFileSync(join(dist, "gpugrad.min.js"), "utf8");
    expect(/(?:^|[;}])import\s*["'{(*]|\beval\(|new Function\(/.exec(code)?.[0]).toBeUndefined();
    const graph = readFileSync(join(dist, "graph.js"), "utf8");
    expect(graph).not.toMatch(/\bimport\(|\beval\(|new Function\(/);
    expect(graph).toMatch(/\/\*\* Reverse-mode|Reverse-mode differentiation: what a pass starts from/);
    expect(graph).toMatch(/^export \{.*\bVariable\b/m);
  });

  test("has one class Variable, with methods as soon as the main entry is loaded", () => {
    writeFileSync(
      join(folder, "entries.js"),
      `const core = await import("gpugrad/core");
       const before = [..."mul,update,sum".split(",")].map((name) => name in core.Variable.prototype);
       const main = await import("gpugrad");
       const after = [..."mul,update,sum".split(",")].map((name) => name in core.Variable.prototype);
       const names = Object.keys(main).filter((name) => main[name] !== core[name]);
       console.log(JSON.stringify([before, after, names, Object.keys(core).length === Object.keys(main).length]));`,
    );
    const printed = execFileSync(process.execPath, [join(folder, "entries.js")], { encoding: "utf8" });
    expect(JSON.parse(printed)).toEqual([[false, false, false], [true, true, true], [], true]);
  });

  test("its declarations check in a strict project, and hide what is internal", () => {
    const consumer = `
import { Exp, elementwise, Function, grad, init, square, Variable, type GpuArray, type Operand } from "gpugrad";
await init();
const x: Variable = new Variable([[1, 2]], { name: "x" });
const y: Variable = square(x).mul(2).sum(0, { keepDims: true });
const swish = elementwise<[x: Operand]>("fn swish_forward(x: f32) -> f32 { return x; }");
class Cube extends Function {
  override forward(a: GpuArray) { return square(a).mul(a); }
  override backward(gy: Variable) { return square(this.input).mul(3).mul(gy); }
}
const numbers: Float32Array = await new Cube().call(swish(y)).read();
const slope: Variable = grad((a) => a.mul(a))(3);
export { numbers, slope, Exp };
// @ts-expect-error: internal
x.receiveGrad(x);
// @ts-expect-error: one operand
square(1, 2);
`;
    writeFileSync(join(folder, "consumer.ts"), consumer);
    for (const [module, resolution] of [
      ["NodeNext", "NodeNext"],
      ["ESNext", "Bundler"],
    ] as const) {
      const options = { strict: true, noEmit: true, target: "ES2022", lib: ["ES2022", "ESNext.Disposable", "DOM"] };
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: { ...options, module, moduleResolution: resolution, types: [] },
          files: ["consumer.ts"],
        }),
      );
      const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
      expect(stdout).toBe("");
    }
  });

  test("in a runtime without WebGPU, init says so, and an operation before it says to await it", () => {
    writeFileSync(
      join(folder, "without.js"),
      `import { init, square } from "gpugrad";
       const codes = [];
       try { square(1) } catch (error) { codes.push(error.code, error.name) }
       await init().catch((error) => codes.push(error.code, error.message.includes("npm package webgpu")));
       console.log(JSON.stringify(codes));`,
    );
    const printed = execFileSync(process.execPath, [join(folder, "without.js")], { encoding: "utf8" });
    expect(JSON.parse(printed)).toEqual(["not-initialized", "NotInitializedError", "no-webgpu", true]);
  });

  test("what npm would publish is the built library and its documents", () => {
    const printed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
    });
    const [{ files }] = JSON.parse(printed) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["README.md", "LICENSE", "package.json", "RELIABILITY.md", "CHANGELOG.md"]),
    );
    expect(paths.filter((path) => /^(src|shaders|test|demo|bench|scripts)\//.test(path))).toEqual([]);
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies?: object };
    expect(dependencies).toBeUndefined();
  });
});
