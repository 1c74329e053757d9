/** gpugrad beside an application's own WebGPU: the pages of `examples/`, built and run in Chrome. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer";
import { compile } from "svelte/compiler";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Example } from "../../examples/page.js";
import { complaintsOf, launchChrome, serve, type StaticSite } from "./page.js";

type Global = typeof globalThis & {
  example: Example;
  typed: { read(): Promise<number[]>; setWeights(values: number[]): void };
};

let folder: string;
let site: StaticSite;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gpugrad-applications-"));
  const configFile = join(import.meta.dirname, "..", "..", "examples", "vite.config.ts");
  await build({ configFile, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  site = await serve(folder);
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

/** The page, when its example is there; what it complains of fails the test. */
async function withExample(name: string, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage();
  const complaints = complaintsOf(page);
  try {
    await page.goto(`${site.url}${name}/index.html?still`);
    await page.waitForFunction("'example' in globalThis", { timeout: 60_000 }).catch((error: unknown) => {
      throw new Error(`${name} shows no example: ${String(error)}; ${complaints.join("; ")}`);
    });
    await use(page);
    // TypeGPU tries whether code may be made of text, which the server's policy forbids, and goes on without.
    expect(complaints.filter((each) => !each.includes("'script-src' was not explicitly set"))).toEqual([]);
  } finally {
    await page.close();
  }
}

interface Seen {
  readonly numbers: number[];
  /** The places that are lit, from -1 to 1. */
  readonly lit: { readonly x: number; readonly y: number }[];
}

/** After so many frames: the numbers that gpugrad moves, and what is drawn of them. */
function after(page: Page, frames: number): Promise<Seen> {
  return page.evaluate(async (frames) => {
    const { example } = globalThis as Global;
    for (let k = 0; k < frames; k++) {
      example.frame();
      if (k % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const pixels = (await example.pixels?.()) ?? [];
    const size = Math.sqrt(pixels.length / 4);
    const lit: { x: number; y: number }[] = [];
    for (let k = 0; k < size * size; k++) {
      const [x, y] = [k % size, Math.floor(k / size)];
      if ((pixels[4 * k] ?? 0) > 100) lit.push({ x: (2 * x + 1) / size - 1, y: 1 - (2 * y + 1) / size });
    }
    return { numbers: [...(await example.moved.read())], lit };
  }, frames);
}

/** Pairs, or groups of four. */
function grouped(numbers: readonly number[], size: number): number[][] {
  return Array.from({ length: numbers.length / size }, (_, k) => numbers.slice(size * k, size * (k + 1)));
}

describe("beside an application's own WebGPU", () => {
  test("plain WebGPU: points are drawn from gpugrad's buffer, where its numbers say", async () => {
    await withExample("webgpu", async (page) => {
      const first = await after(page, 1);
      const last = await after(page, 200);
      for (const { numbers, lit } of [first, last]) {
        // Each lit pixel is a point's, at most two pixels of 256 away.
        const points = grouped(numbers, 2);
        expect(lit.length).toBeGreaterThan(100);
        for (const { x, y } of lit.slice(0, 200)) {
          const nearest = Math.min(...points.map(([a = NaN, b = NaN]) => Math.hypot(a / 1.28 - x, b / 1.28 - y)));
          expect(nearest).toBeLessThan(0.03);
        }
      }
      const radii = grouped(last.numbers, 2).map(([x = NaN, y = NaN]) => Math.hypot(x, y));
      const near = radii.filter((radius) => Math.abs(radius - 1) < 0.02).length;
      expect(near / radii.length).toBeGreaterThan(0.95);
    });
  });

  test("three.js: positions that gpugrad moves are drawn from three's own buffer", async () => {
    await withExample("three", async (page) => {
      const first = await after(page, 1);
      const last = await after(page, 100);
      const far = ({ lit }: Seen): number => Math.max(...lit.map(({ x, y }) => Math.hypot(x, y)));
      // A unit sphere at a distance of 4, through a camera of 40 degrees.
      const rim = Math.tan(Math.asin(1 / 4)) / Math.tan((20 * Math.PI) / 180);
      expect(far(first)).toBeLessThan(0.6 * rim);
      expect(far(last)).toBeGreaterThan(0.95 * rim);
      expect(far(last)).toBeLessThan(1.05 * rim);
      for (const [x = NaN, y = NaN, z = NaN] of grouped(last.numbers, 4)) {
        expect(Math.hypot(x, y, z)).toBeCloseTo(1, 3);
      }
    });
  });

  test("TypeGPU: its typed buffers and gpugrad's arrays are the same numbers, whoever writes", async () => {
    await withExample("typegpu", async (page) => {
      const { numbers } = await after(page, 40);
      numbers.forEach((height, k) => {
        expect(height).toBeCloseTo(-(k + 1), 5);
      });
      const typed = await page.evaluate(() => (globalThis as Global).typed.read());
      expect([...typed]).toEqual(numbers);
      await page.evaluate(() => {
        (globalThis as Global).typed.setWeights([4, 3, 2, 1]);
      });
      const again = await after(page, 40);
      again.numbers.forEach((height, k) => {
        expect(height).toBeCloseTo(k - 4, 5);
      });
    });
  });
});

test("the components in React and Svelte compile; React's types are checked with all others", async () => {
  const examples = join(import.meta.dirname, "..", "..", "examples");
  const svelte = readFileSync(join(examples, "svelte", "Descent.svelte"), "utf8");
  expect(compile(svelte, { generate: "client", filename: "Descent.svelte" }).warnings).toEqual([]);
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      lib: { entry: join(examples, "react", "Descent.tsx"), formats: ["es"] },
      rolldownOptions: { external: ["gpugrad", /^react/] },
    },
  });
  expect(JSON.stringify(result)).toContain("jsx");
});
