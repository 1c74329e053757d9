/** The demo as it is built, in a real page, from a folder of a server with a strict Content-Security-Policy. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chromeFlags } from "../../scripts/browser.js";
import { promised, rows } from "../../sweep/table.js";
import { launchChrome, serve, type StaticSite } from "./page.js";

const repository = join(import.meta.dirname, "..", "..");
const folder = "/some/folder/";

let built: string;
let site: StaticSite;
let address: string;
let browser: Browser;
let withoutWebGPU: Browser;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "gpugrad-demo-"));
  const configFile = join(repository, "demo", "vite.config.ts");
  await build({ configFile, logLevel: "error", build: { outDir: built } });
  site = await serve(built, folder);
  address = site.url;
  browser = await launchChrome();
  withoutWebGPU = await launchChrome(chromeFlags.filter((flag) => flag !== "--enable-unsafe-webgpu"));
});

afterAll(async () => {
  await Promise.all([browser.close(), withoutWebGPU.close()]);
  await site.close();
  rmSync(built, { recursive: true });
});

/** Each page's mistakes: errors in the console, exceptions, requests that fail or leave the site's folder. */
const mistakes: string[] = [];
const pages: Page[] = [];

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  mistakes.splice(0);
});

describe("the built demo", () => {
  test("shows data and gradients that are right, its times and its errors", async () => {
    const page = await open(browser);
    await measured(page, 2 ** 20);

    await expectNodes(page, 0.5);
    for (const name of ["forward", "backward"]) {
      expect(await text(page, `#${name}-gpugrad`)).toMatch(/^[\d.,]+ ms$/);
      expect(await text(page, `#${name}-loop`)).toMatch(/^[\d.,]+ ms$/);
      expect(await text(page, `#${name}-ratio`)).toMatch(/^[\d.]+× (faster|slower)$/);
    }
    for (const name of ["y", "gradient"]) {
      const error = small(await text(page, `#${name}-error`));
      // A million results that are rounded several times can't all be exact, nor can they all be within half a step.
      expect(error).toBeGreaterThan(2 ** -24);
      expect(error).toBeLessThan(5e-7);
      expect(parseFloat(await text(page, `#${name}-share`))).toBeLessThanOrEqual(100);
      expect(Math.abs(number(await text(page, `#${name}-at`)))).toBeLessThanOrEqual(1);
    }
    expect(await text(page, "#verdict")).toBe("All 1,048,576 values and all 1,048,576 gradients are within the bound.");
    expect(await page.$eval("#results", (results) => results.ariaBusy)).toBe("false");

    await mkdir(join(repository, "test", "output"), { recursive: true });
    await page.screenshot({ path: join(repository, "test", "output", "demo.png"), fullPage: true });
    expect(mistakes).toEqual([]);
  });

  test("plots y and dy/dx where they are", async () => {
    const page = await open(browser);
    await measured(page, 2 ** 20);
    const plots = [
      ["#plot-y", (x: number) => Math.exp(2 * x * x), 0.05],
      ["#plot-gradient", (x: number) => 4 * x * Math.exp(2 * x * x), 0.3],
    ] as const;
    for (const [plot, exact, tolerance] of plots) {
      const points = await plotted(page, plot);
      expect(points).toHaveLength(512);
      for (const [x, y] of points) expect(Math.abs(y - exact(x))).toBeLessThan(tolerance);
    }
    expect(number(await text(page, "#plot-y .number"))).toBeCloseTo(Math.exp(0.5), 6);
    expect(mistakes).toEqual([]);
  });

  test("shows the numbers at the x that the visitor chooses", async () => {
    const page = await open(browser);
    await measured(page, 2 ** 20);
    await page.focus("#probe");
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.querySelector("#probe-value")?.textContent === "−1");
    await expectNodes(page, -1);

    // The left quarter of the plot of y is x = -0.5 or so; whatever x the page then says is the one that counts.
    const box = await page.$eval("#plot-y svg", (plot) => {
      plot.scrollIntoView({ block: "center" });
      return plot.getBoundingClientRect().toJSON() as DOMRect;
    });
    await page.mouse.click(box.x + 44 + (box.width - 58) / 4, box.y + 60);
    await page.waitForFunction(() => document.querySelector("#probe-value")?.textContent !== "−1");
    const x = number(await text(page, "#probe-value"));
    expect(Math.abs(x + 0.5)).toBeLessThan(0.02);
    await expectNodes(page, x);
    expect(mistakes).toEqual([]);
  });

  test("shows the WGSL of the function that is clicked, or chosen by keyboard", async () => {
    const page = await open(browser);
    const source = (name: string): string =>
      readFileSync(join(repository, "shaders", `${name}.wgsl`), "utf8").trimEnd();
    expect(await text(page, "#code pre")).toBe(source("square"));
    await page.click("[data-function='1']");
    expect(await text(page, "#code pre")).toBe(source("exp"));
    expect(await text(page, "#code")).toContain("exp_forward(x4.x)");
    expect(await text(page, "#code")).toContain("fn math_exp(x: f32) -> f32 {");
    expect(await page.$$eval("[aria-pressed='true']", (nodes) => nodes.map((node) => node.textContent))).toEqual([
      "Exp",
    ]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await text(page, "#code pre")).toBe(source("square"));
    expect(await page.$eval("[data-function='2']", (node) => node.getAttribute("aria-pressed"))).toBe("true");
    expect(mistakes).toEqual([]);
  });

  test("measures the size that the slider chooses, up to the most that the device allows", async () => {
    const page = await open(browser);
    const most = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      if (adapter === null) throw new Error("no adapter");
      return Math.min(adapter.limits.maxBufferSize, adapter.limits.maxStorageBufferBindingSize);
    });
    await page.waitForSelector("#size:not([disabled])");
    const max = Number(await page.$eval("#size", (size) => size.getAttribute("max")));
    expect(4 * 2 ** max).toBeLessThanOrEqual(most);
    expect(4 * 2 ** (max + 1)).toBeGreaterThan(most);

    // While the first run is under way: it is given up for this one.
    await choose(page, 18);
    await measured(page, 2 ** 18);
    expect(await text(page, "#size-value")).toBe("2¹⁸ = 262,144, 7 MiB on the GPU");
    await expectNodes(page, 0.5);
    await page.focus("#size");
    await page.keyboard.press("Home");
    await measured(page, 2 ** 8);
    await expectNodes(page, 0.5);
    await choose(page, 21);
    await measured(page, 2 ** 21);
    await expectNodes(page, 0.5);
    expect(mistakes).toEqual([]);
  });

  test("says so where results are wrong", async () => {
    const page = await open(browser, () => {
      type Create = (this: GPUDevice, descriptor: GPUShaderModuleDescriptor) => GPUShaderModule;
      const createShaderModule: Create = Reflect.get(GPUDevice.prototype, "createShaderModule");
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        const code = descriptor.code.replace(
          "return math_doubled_product(gy, x);",
          "return math_doubled_product(gy, x) * 1.000002;",
        );
        return createShaderModule.call(this, { ...descriptor, code });
      };
    });
    await page.waitForFunction(() => document.querySelector("#verdict")?.textContent !== "");
    expect(await text(page, "#verdict")).toContain("Some results are further off");
    expect(parseFloat(await text(page, "#y-share"))).toBeLessThanOrEqual(100);
    expect(parseFloat(await text(page, "#gradient-share"))).toBeGreaterThan(100);
  });

  test("shows what went wrong where memory runs out, and works at the next size", async () => {
    const page = await open(browser, () => {
      type Create = (this: GPUDevice, descriptor: GPUBufferDescriptor) => GPUBuffer;
      const createBuffer: Create = Reflect.get(GPUDevice.prototype, "createBuffer");
      GPUDevice.prototype.createBuffer = function (descriptor) {
        // No device has that much: the GPU reports an error as it does where its memory is full.
        return createBuffer.call(this, descriptor.size > 2 ** 23 ? { ...descriptor, size: 2 ** 50 } : descriptor);
      };
    });
    await measured(page, 2 ** 20);
    await choose(page, 22);
    await page.waitForSelector("#problem:not([hidden])");
    expect(await text(page, "#problem")).toContain("4,194,304 elements didn’t work");
    expect(await text(page, "#problem")).toContain("smaller size");
    // Nothing of the run before is left to be taken for this one's.
    expect(await text(page, "#verdict")).toBe("");
    expect(await text(page, "#forward-gpugrad")).toBe("–");
    expect(await text(page, "[data-variable='y']")).toBe("–");
    await choose(page, 19);
    await measured(page, 2 ** 19);
    expect(await page.$("#problem[hidden]")).not.toBeNull();
    await expectNodes(page, 0.5);
    // After a second, gpugrad says on the console which results on the way are missing.
    const others = mistakes.filter((mistake) => !mistake.startsWith("console: gpugrad: a result is missing"));
    expect(others).toEqual([]);
  });

  test("fits a narrow screen", async () => {
    const page = await open(browser, undefined, 320);
    await measured(page, 2 ** 20);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await expectNodes(page, 0.5);
    expect(mistakes).toEqual([]);
  });
});

describe("its page of accuracy", () => {
  test("measures every function and gradient on this GPU, and all is as promised", async () => {
    const page = await openAccuracy(browser);
    expect(await text(page, "#verdict")).toBe("Everything is as promised on this GPU and browser.");
    const lines = await page.$$eval("#rows tr", (all) =>
      all.map((line) => [...line.children].map((c) => c.textContent)),
    );
    expect(lines.map(([name]) => name)).toEqual(rows.map(({ name }) => name));
    for (const [name, promise, here, ours] of lines) {
      const row = rows.find((each) => each.name === name);
      expect(promise, name).toBe(row === undefined ? "" : promised(row));
      for (const figure of [here, ours]) expect(figure, name).toMatch(/^(exact|\d+\.\d{3} ULP)$/);
      if (row !== undefined && here !== "exact") {
        expect(parseFloat(here ?? ""), name).toBeLessThanOrEqual(row.accuracy.ulp);
      }
    }
    await page.screenshot({ path: join(repository, "test", "output", "accuracy.png"), fullPage: true });
    expect(mistakes).toEqual([]);
  });

  test("copies a report that says on what it was measured", async () => {
    const page = await openAccuracy(browser);
    // A page without a window has no clipboard that could be read.
    await page.evaluate(() => {
      navigator.clipboard.writeText = (written) => {
        document.body.dataset["copied"] = written;
        return Promise.resolve();
      };
    });
    await page.click("#copy");
    await page.waitForSelector("[data-copied]");
    expect(await text(page, "#copied")).toBe("Copied.");
    const copied = await page.$eval("body", (body) => body.dataset["copied"]);
    expect(copied).toBe(await text(page, "#report"));
    expect(copied).toMatch(/^gpugrad accuracy report\ndate: 20\d\d-.*\nadapter: vendor "\w+"/);
    expect(copied).toContain("software: yes");
    for (const { name } of rows) expect(copied).toContain(`\n${name} `);
    expect(mistakes).toEqual([]);
  });

  test("says what to do where there is no adapter", async () => {
    const page = await openAccuracy(withoutWebGPU);
    expect(await text(page, "#problem")).toContain("--enable-unsafe-webgpu");
    expect(await page.$eval("#copy", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
  });
});

describe("without WebGPU", () => {
  test("the page says what to do where there is no adapter", async () => {
    const page = await open(withoutWebGPU);
    await page.waitForSelector("#problem:not([hidden])");
    expect(await text(page, "#problem")).toContain("This page needs WebGPU");
    expect(await text(page, "#problem")).toContain("--enable-unsafe-webgpu");
    await expectReadable(page);
  });

  test("the page says what to do where the browser has no navigator.gpu", async () => {
    const page = await open(browser, () => {
      Reflect.deleteProperty(Navigator.prototype, "gpu");
    });
    await page.waitForSelector("#problem:not([hidden])");
    expect(await text(page, "#problem")).toContain("Use a current Chrome, Edge, Safari or Firefox");
    await expectReadable(page);
  });

  /** The rest of the page: no numbers, but the functions' WGSL. */
  async function expectReadable(page: Page): Promise<void> {
    expect(await page.$("#results[hidden]")).not.toBeNull();
    expect(await page.$$eval("[data-variable]", (numbers) => numbers.map((n) => n.textContent))).toEqual(
      Array<string>(8).fill("–"),
    );
    await page.click("[data-function='1']");
    expect(await text(page, "#code pre")).toContain("fn exp_forward");
    expect(mistakes).toEqual([]);
  }
});

/** @param before what runs in the page before its own scripts */
async function open(where: Browser, before?: () => void, width = 1280, file = ""): Promise<Page> {
  const page = await where.newPage();
  pages.push(page);
  page.on("console", (message) => {
    if (message.type() === "error") mistakes.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => mistakes.push(`exception: ${String(error)}`));
  page.on("requestfailed", (request) => mistakes.push(`request failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() !== 200) mistakes.push(`${response.status()}: ${response.url()}`);
    if (!response.url().startsWith(address)) mistakes.push(`outside of the folder: ${response.url()}`);
  });
  if (before !== undefined) await page.evaluateOnNewDocument(before);
  await page.setViewport({ width, height: 900 });
  await page.goto(address + file);
  return page;
}

/** The page of accuracy, when it has measured everything or said why it can't. */
async function openAccuracy(where: Browser): Promise<Page> {
  const page = await open(where, undefined, 1280, "accuracy.html");
  await page.waitForFunction(
    () => {
      const isDone = document.querySelector("#verdict")?.textContent !== "";
      return isDone || document.querySelector("#problem:not([hidden])") !== null;
    },
    { timeout: 120_000 },
  );
  return page;
}

/** Waits until the page has measured this many elements. */
async function measured(page: Page, elements: number): Promise<void> {
  const count = elements.toLocaleString("en-US");
  await page.waitForFunction(
    (start) => {
      const busy = document.querySelector("#results")?.ariaBusy;
      return busy === "false" && document.querySelector("#verdict")?.textContent.startsWith(start);
    },
    { timeout: 120_000 },
    `All ${count} values`,
  );
}

/** Moves the slider to 2^power elements. */
async function choose(page: Page, power: number): Promise<void> {
  await page.$eval(
    "#size",
    (size, value) => {
      (size as HTMLInputElement).value = value;
      size.dispatchEvent(new Event("input"));
      size.dispatchEvent(new Event("change"));
    },
    String(power),
  );
}

/** Compares data and grad of every Variable with float64. */
async function expectNodes(page: Page, x: number): Promise<void> {
  const b = Math.exp(x * x);
  const expected = {
    x: { data: x, grad: 4 * x * b * b },
    a: { data: x * x, grad: 2 * b * b },
    b: { data: b, grad: 2 * b },
    y: { data: b * b, grad: 1 },
  };
  for (const [name, { data, grad }] of Object.entries(expected)) {
    const shown = async (kind: string): Promise<number> =>
      number(await text(page, `[data-variable='${name}'][data-kind='${kind}']`));
    // Five roundings at most, and exp's own error: see demo/reference.ts.
    expect(Math.abs((await shown("data")) / data - 1)).toBeLessThan(5e-7);
    expect(Math.abs((await shown("grad")) / grad - 1)).toBeLessThan(5e-7);
  }
}

/** The points of a plot's curve, from pixels back to numbers by the labels of its axes. */
async function plotted(page: Page, plot: string): Promise<[number, number][]> {
  const { path, labels } = await page.$eval(plot, (host) => ({
    path: host.querySelector(".curve")?.getAttribute("d") ?? "",
    labels: [...host.querySelectorAll(".label")].map((label) => ({
      axis: label.getAttribute("text-anchor") === "middle" ? "x" : "y",
      x: Number(label.getAttribute("x")),
      // Labels of the y axis stand with their middle, not their base, at the value.
      y: Number(label.getAttribute("y")) - 4,
      text: label.textContent,
    })),
  }));
  const inverse = (axis: "x" | "y"): ((pixel: number) => number) => {
    const [first, ...others] = labels.filter((label) => label.axis === axis);
    const last = others.pop();
    if (first === undefined || last === undefined) throw new Error(`${plot} has no labels along ${axis}`);
    const perPixel = (number(last.text) - number(first.text)) / (last[axis] - first[axis]);
    return (pixel) => number(first.text) + (pixel - first[axis]) * perPixel;
  };
  const [toX, toY] = [inverse("x"), inverse("y")];
  return [...path.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [toX(Number(x)), toY(Number(y))]);
}

function text(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent);
}

function number(shown: string): number {
  return Number(shown.replace("−", "-"));
}

/** 2.1e-7 for 2.1 × 10⁻⁷. */
function small(shown: string): number {
  const [digits = "", power = ""] = shown.split(" × 10");
  const exponent = Array.from(power, (digit) => (digit === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(digit))).join("");
  return Number(`${digits}e${exponent}`);
}
