/** An application around the package, as Vite and esbuild bundle it: README's first example, and `using`, in a page. */
import { build as esbuild } from "esbuild";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer";
import { build as vite } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildLibrary, complaintsOf, launchChrome, serve, writePage } from "./page.js";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gpugrad-bundlers-"));
const entry = join(folder, "application.ts");
let browser: Browser;

/** README's first block, and what a page may tell of it. */
function application(): string {
  const [, example = ""] = /^```ts\n([^]*?)^```/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  expect(example).toContain('from "gpugrad"');
  return `${example.replace(/console\.log\((.*)\)/, "Object.assign(globalThis, { gradient: Array.from($1 ?? []) })")}
    import { stats, sum } from "gpugrad";
    const before = stats().liveBytes;
    {
      using held = sum(new Variable(new Float32Array(1000)).square());
      Object.assign(globalThis, { held: stats().liveBytes - before });
    }
    Object.assign(globalThis, { left: stats().liveBytes - before });`;
}

beforeAll(async () => {
  const installed = join(folder, "node_modules/gpugrad");
  mkdirSync(installed, { recursive: true });
  buildLibrary(join(installed, "dist"));
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(entry, application());
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the bundle tells in a page. */
async function run(code: string, name: string): Promise<unknown[]> {
  const site = join(folder, name);
  mkdirSync(site);
  writePage(site, "bundle.js", code);
  const served = await serve(site);
  try {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(served.url);
    await page.waitForFunction("globalThis.left !== undefined", { timeout: 10_000 }).catch(() => undefined);
    expect(complaints).toEqual([]);
    return (await page.evaluate("[globalThis.gradient, globalThis.held, globalThis.left]")) as unknown[];
  } finally {
    await served.close();
  }
}

/** Before a bundle, a browser that has no Symbol.dispose, as Safari before 27.3. */
const without = `const Symbol = new Proxy((name) => globalThis.Symbol(name), {
  get: (_, name) => (name === "dispose" || name === "asyncDispose" ? undefined : Reflect.get(globalThis.Symbol, name)),
});
`;

const bundlers: Record<string, () => Promise<string>> = {
  async Vite() {
    const result = await vite({
      root: folder,
      configFile: false,
      logLevel: "silent",
      build: { write: false, target: "es2022", rolldownOptions: { input: entry } },
    });
    const [bundle] = [result].flat();
    if (bundle === undefined || !("output" in bundle)) throw new Error("nothing was built");
    expect(bundle.output).toHaveLength(1);
    return bundle.output[0].code;
  },
  async esbuild() {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      target: "es2022",
    });
    expect(outputFiles).toHaveLength(1);
    return outputFiles[0]?.text ?? "";
  },
};

test.each(Object.keys(bundlers))("what %s bundles runs, and gives memory back at the end of a block", async (name) => {
  const code = (await bundlers[name]?.()) ?? "";
  expect(code.length).toBeGreaterThan(20_000);
  for (const [k, before] of ["", without].entries()) {
    const [gradient, held, left] = await run(before + code, `${name}-${k}`);
    const expected = [3.2974425, -3.2974425, 0, 29.556225];
    expect(gradient).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
    // The leaf alone, in a buffer of the next size.
    expect(left).toBe(4096);
    expect(held).toBeGreaterThan(4096);
  }
});
