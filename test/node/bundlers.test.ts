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

/**
 * README's first block, and what a page may tell of it: also of gradients that are added, and of second derivatives, for which
 * what was imported must have brought what it needs.
 *
 * @param from without methods where it is `gpugrad/core`
 */
function application(from: string): string {
  const [, example = ""] = /^```ts\n([^]*?)^```/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  expect(example).toContain('from "gpugrad"');
  const squared = from === "gpugrad" ? "new Variable(numbers).square()" : "square(new Variable(numbers))";
  return `${example.replace(/console\.log\((.*)\)/, "const gradient = Array.from($1 ?? [])")}
    import { grad, stats, sum } from "gpugrad";
    square(x).backward();
    const added = Array.from((await x.grad?.read()) ?? []);
    const curvature = await grad(grad((x) => exp(square(x))))(0.5).item();
    const numbers = new Float32Array(1000);
    const before = stats().liveBytes;
    let during;
    {
      using held = sum(${squared});
      during = stats().liveBytes - before;
    }
    const left = stats().liveBytes - before;
    Object.assign(globalThis, { told: { gradient, added, curvature, during, left, methods: "mul" in x } });`.replaceAll(
    'from "gpugrad"',
    `from "${from}"`,
  );
}

beforeAll(async () => {
  const installed = join(folder, "node_modules/gpugrad");
  mkdirSync(installed, { recursive: true });
  buildLibrary(join(installed, "dist"));
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the bundle tells in a page. */
async function run(code: string, name: string): Promise<Record<string, unknown>> {
  const site = join(folder, name);
  mkdirSync(site);
  writePage(site, "bundle.js", code);
  const served = await serve(site);
  try {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(served.url);
    await page.waitForFunction("globalThis.told !== undefined", { timeout: 10_000 }).catch(() => undefined);
    expect(complaints).toEqual([]);
    return (await page.evaluate("globalThis.told")) as Record<string, unknown>;
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

const cases = Object.keys(bundlers).flatMap((name) => ["gpugrad", "gpugrad/core"].map((from) => ({ name, from })));

test.each(cases)(
  "what $name bundles of $from runs, and gives memory back at the end of a block",
  async ({ name, from }) => {
    writeFileSync(entry, application(from));
    const code = (await bundlers[name]?.()) ?? "";
    expect(code.length).toBeGreaterThan(20_000);
    for (const [k, before] of ["", without].entries()) {
      const told = await run(before + code, `${name}-${from.replace("/", "-")}-${k}`);
      const close = (values: number[]): number[] => values.map((value) => expect.closeTo(value, 5) as number);
      expect(told).toMatchObject({
        gradient: close([3.2974425, -3.2974425, 0, 29.556225]),
        added: close([4.2974425, -4.2974425, 0, 31.556225]),
        curvature: expect.closeTo(3.8520762, 5) as number,
        // The leaf alone, in a buffer of the next size.
        left: 4096,
        methods: from === "gpugrad",
      });
      expect(told["during"]).toBeGreaterThan(4096);
    }
  },
);
