/** The GPU process crashes, as a driver may: pages learn of it, and go on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildLibrary, launchChrome, serve, writePage, type StaticSite } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "gpugrad-lost-"));
let browser: Browser;
let site: StaticSite;

/** Trains until its device is lost, and once more after that; `state` is what it reached. */
const script = `
import { init, isGpugradError, square, sum, Variable } from "./dist/gpugrad.min.js";
const state = { steps: 0, losses: 0, codes: [], reasons: [], w: null, unhandled: 0 };
globalThis.state = state;
addEventListener("unhandledrejection", () => state.unhandled++);
let saved = Float32Array.of(5, -3);
while (!globalThis.done) {
  try {
    await init();
    const w = new Variable(saved);
    while (!globalThis.done) {
      const loss = sum(square(w.sub([1, 2])));
      loss.backward();
      w.descend(0.05);
      w.clearGrad();
      loss.dispose();
      saved = await w.read();
      state.w = [...saved];
      state.steps++;
    }
  } catch (error) {
    state.losses++;
    state.codes.push(isGpugradError(error) ? error.code : String(error));
    state.reasons.push(String(error.reason));
    // The browser needs a moment to start its GPU process again.
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (state.losses > 100) break;
  }
}
state.ended = true;
`;

interface State {
  steps: number;
  losses: number;
  codes: string[];
  reasons: string[];
  w: number[];
  unhandled: number;
  ended?: boolean;
}

beforeAll(async () => {
  buildLibrary(join(folder, "dist"));
  writePage(folder, "script.js", script);
  site = await serve(folder);
  browser = await launchChrome();
});

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

test("in the middle of training: the device-lost error, a new device, and the same result", async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(site.url);
  const read = (): Promise<State> => page.evaluate(() => Reflect.get(globalThis, "state") as State);
  const until = (condition: string): Promise<unknown> =>
    page.waitForFunction(condition, { timeout: 60_000, polling: 100 });
  // What chrome://gpucrash does, which puppeteer can't open: net::ERR_ABORTED.
  const session = await browser.target().createCDPSession();
  await until("globalThis.state?.steps > 5");
  await session.send("Browser.crashGpuProcess");
  await until("globalThis.state.losses === 1");
  const { steps } = await read();
  await until(`globalThis.state.steps > ${steps + 300}`);
  const { codes, reasons, w } = await read();
  expect(codes).toEqual(["device-lost"]);
  expect(reasons).toEqual(["unknown"]);
  expect(w[0]).toBeCloseTo(1, 5);
  expect(w[1]).toBeCloseTo(2, 5);

  // Chrome gives no adapter after a second crash so soon: an error that says so, at every init(), and nothing hangs.
  await session.send("Browser.crashGpuProcess");
  await until("globalThis.state.losses > 4 || globalThis.state.steps > 2000");
  await page.evaluate(() => Reflect.set(globalThis, "done", true));
  await until("globalThis.state.ended");
  const after = await read();
  expect(after.codes.slice(0, 2)).toEqual(["device-lost", "device-lost"]);
  expect(after.codes.slice(2).filter((code) => code !== "no-adapter")).toEqual([]);
  expect(after.unhandled).toBe(0);
  expect(complaints).toEqual([]);
});
