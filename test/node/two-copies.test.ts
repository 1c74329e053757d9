/** The library twice on one page, as two bundles bring it: neither harms the other, and mixing them is an error. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildLibrary, complaintsOf, launchChrome, serve, writePage, type StaticSite } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "gpugrad-copies-"));
let browser: Browser;
let site: StaticSite;

const script = `
import * as a from "./a/gpugrad.min.js";
import * as b from "./b/gpugrad.min.js";

/** Trains a little, giving way to the other copy between all steps. */
async function train({ elementwise, exp, init, mean, square, Variable }, options) {
  await init(options);
  const cube = elementwise(\`
    fn cube_forward(x: f32) -> f32 { return x * x * x; }
    fn cube_backward(x: f32, gy: f32) -> f32 { return gy * 3.0 * x * x; }\`);
  const x = new Variable(Float32Array.from({ length: 1000 }, (_, k) => Math.sin(k)));
  for (let step = 0; step < 20; step++) {
    const loss = mean(square(cube(exp(x)).sub(1)));
    await null;
    loss.backward({ retainGrad: false });
    if (step % 5 === 0) await loss.read();
    x.descend(10);
    x.clearGrad();
    loss.dispose();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return [...(await x.read())];
}

async function outcome(f) {
  try {
    await f();
    return "no error";
  } catch (error) {
    return [error.code, error.message, a.isGpugradError(error), b.isGpugradError(error)];
  }
}

async function mix() {
  const x = new a.Variable([1, 2]);
  const kernel = new b.Kernel({ name: "kernel", wgsl: "", bindings: ["input"] });
  class Mixed extends b.Function {
    forward() {
      return a.square(x);
    }
  }
  const y = new b.Variable([3, 4]);
  const before = JSON.stringify([b.stats(), b.leaks().length]);
  const outcomes = {
    operand: await outcome(() => b.square(x)),
    "second operand": await outcome(() => y.add(x)),
    data: await outcome(() => new b.Variable(x.data)),
    assign: await outcome(() => y.assign(x)),
    grad: await outcome(() => (y.grad = x)),
    input: await outcome(() => kernel.run({ inputs: [x], outputs: [], invocations: 1 })),
    result: await outcome(() => new Mixed().call(1)),
    toDot: await outcome(() => b.toDot(a.square(x))),
    "grad of": await outcome(() => b.grad(() => a.square(x))(1)),
    "prepare's device": await outcome(() => kernel.prepare(x)),
  };
  return { outcomes, unchanged: before === JSON.stringify([b.stats(), b.leaks().length]) };
}

const unhandled = [];
addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
const alone = await train(a);
const together = await Promise.all([train(a), train(b)]);
const mixed = await mix();
// Both on one device of the application's.
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const shared = await Promise.all([train(a, { device }), train(b, { device })]);
device.destroy();
await device.lost;
const lost = [await outcome(() => a.square(1)), await outcome(() => b.square(1))].map(([code]) => code);
await Promise.all([a, b].map(({ init }) => init({ gpu: navigator.gpu })));
const regained = [await a.square(3).item(), await b.square(3).item()];
globalThis.found = { alone, together, mixed, shared, lost, regained, unhandled };
`;

type Outcome = "no error" | [code: string, message: string, knownToA: boolean, knownToB: boolean];

interface Found {
  alone: number[];
  together: number[][];
  mixed: { outcomes: Record<string, Outcome>; unchanged: boolean };
  shared: number[][];
  lost: string[];
  regained: number[];
  unhandled: string[];
}

beforeAll(async () => {
  buildLibrary(join(folder, "a"));
  cpSync(join(folder, "a"), join(folder, "b"), { recursive: true });
  writePage(folder, "script.js", script);
  site = await serve(folder);
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

test("two copies don't harm each other; what one made is an error to the other, that says so", async () => {
  const page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.goto(site.url);
  await page.waitForFunction("globalThis.found !== undefined", { timeout: 60_000, polling: 100 }).catch(() => {
    throw new Error(`the page has no result; it says: ${complaints.join("\n")}`);
  });
  const found = await page.evaluate(() => Reflect.get(globalThis, "found") as Found);
  for (const result of [...found.together, ...found.shared]) expect(result).toEqual(found.alone);
  expect(Object.keys(found.mixed.outcomes)).toHaveLength(10);
  for (const [what, outcome] of Object.entries(found.mixed.outcomes)) {
    expect(outcome, what).toEqual([
      "invalid-argument",
      expect.stringMatching(/another copy of gpugrad: this page loads the library twice/),
      true,
      true,
    ]);
  }
  expect(found.mixed.unchanged).toBe(true);
  expect(found.lost).toEqual(["device-lost", "device-lost"]);
  expect(found.regained).toEqual([9, 9]);
  expect(found.unhandled).toEqual([]);
  expect(complaints).toEqual([]);
});
