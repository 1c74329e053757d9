/** `npm start` as a user runs it, and the check of its numbers. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findBrowser } from "../../scripts/browser.js";
import { findWrong, show } from "../../scripts/start-report.js";

const repository = join(import.meta.dirname, "..", "..");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param onOutput called with everything that stdout has so far, and a way to press Ctrl-C */
function start(
  options: readonly string[],
  onOutput: (stdout: string, interrupt: () => void) => void = () => undefined,
  environment: Record<string, string> = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join("scripts", "start.js"), ...options], {
      cwd: repository,
      env: { ...process.env, ...environment },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      onOutput(stdout, () => child.kill("SIGINT"));
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, stdout, stderr });
    });
  });
}

/** The number after `label` in a line. */
function numberAfter(text: string, label: RegExp): number {
  const match = new RegExp(`${label.source}\\s+(-?[\\d.e-]+)`).exec(text);
  if (match === null) throw new Error(`no ${label.source} in:\n${text}`);
  return Number(match[1]);
}

describe("npm start", () => {
  test("--once prints the seed's numbers, times and errors for 2^24 elements, and ends with status 0", async () => {
    const { status, stdout, stderr } = await start(["--once"]);
    expect(stderr).not.toContain("WRONG");
    expect(stdout).toMatch(/^Adapter: \w+/);
    const b = Math.exp(0.25);
    const expected: [RegExp, number][] = [
      [/\bx {3}data/, 0.5],
      [/\bx {3}data \S+ +grad/, 3.297442541400256],
      [/\ba {3}data/, 0.25],
      [/\ba {3}data \S+ +grad/, 2 * b * b],
      [/\bb {3}data/, b],
      [/\bb {3}data \S+ +grad/, 2 * b],
      [/\by {3}data/, b * b],
      [/\by {3}data \S+ +grad/, 1],
    ];
    for (const [label, value] of expected) {
      expect(Math.abs(numberAfter(stdout, label) / value - 1)).toBeLessThan(3e-7);
    }
    expect(stdout).toContain("16,777,216 elements");
    expect(stdout).toMatch(/forward +[\d.]+ ms +[\d.]+ ms/);
    expect(stdout).toMatch(/backward +[\d.]+ ms +[\d.]+ ms/);
    for (const label of [/\n {2}y {2,}/, /x\.grad {2,}/]) {
      const error = Number(new RegExp(`${label.source}([\\d.e-]+) at x =`).exec(stdout)?.[1]);
      expect(error).toBeGreaterThan(2 ** -24);
      expect(error).toBeLessThan(5e-7);
    }
    expect(stderr).toContain("Comparing with JavaScript");
    expect(stdout).not.toContain("http");
    expect(status).toBe(0);
  });

  test("serves the demo until Ctrl-C, then gives everything back", async () => {
    let served: Promise<Response> | null = null;
    let address = "";
    const { status } = await start(["--size", "1000"], (stdout, interrupt) => {
      const found = /http:\/\/localhost:\d+\//.exec(stdout);
      if (found === null || served !== null) return;
      [address] = found;
      served = fetch(address).finally(interrupt);
    });
    const response = await (served as Promise<Response> | null);
    expect(response?.status).toBe(200);
    expect(await response?.text()).toContain("<h1>Autodiff for WebGPU</h1>");
    expect(status).toBe(0);
    await expect(fetch(address)).rejects.toThrow();
  });

  test.skipIf(process.platform === "win32")(
    "says what to do where Chrome offers no adapter, with status 1",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "gpugrad-start-"));
      try {
        // Chrome as it is without the flag that lets WebGPU run on the processor, and without a GPU.
        const chrome = join(folder, "chrome");
        const script = `#!/bin/sh
for argument do
  shift
  [ "$argument" = --enable-unsafe-webgpu ] || set -- "$@" "$argument"
done
exec "${findBrowser()}" "$@" --disable-gpu
`;
        writeFileSync(chrome, script);
        chmodSync(chrome, 0o755);
        const { status, stdout, stderr } = await start(["--once"], undefined, { PUPPETEER_EXECUTABLE_PATH: chrome });
        expect(stderr).toContain("NoAdapterError");
        expect(stderr).toContain("chrome://gpu");
        expect(stdout).toBe("");
        expect(status).toBe(1);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test("refuses a size that is none", async () => {
    const { status, stderr } = await start(["--once", "--size", "many"]);
    expect(stderr).toContain("--size must be a number of elements, not many");
    expect(status).toBe(1);
  });
});

describe("the check of the numbers", () => {
  const b = Math.exp(0.25);
  const errors = { largest: 2e-7, at: 0.75, shareOfBound: 0.7 };
  const right = {
    seed: {
      x: { data: 0.5, grad: Math.fround(3.297442541400256) },
      a: { data: 0.25, grad: Math.fround(2 * b * b) },
      b: { data: Math.fround(b), grad: Math.fround(2 * b) },
      y: { data: Math.fround(b * b), grad: 1 },
    },
    size: 1000,
    times: { forward: 1, backward: 2, runs: 3 },
    comparison: { elements: 1000, forward: 1, backward: 1, y: errors, gradient: errors },
  };

  test("finds nothing wrong in right numbers", () => {
    expect(findWrong(right)).toEqual([]);
    expect(show(right)).toContain("3.29744");
  });

  test("finds each number of the seed's example that is off by 1e-6", () => {
    for (const name of ["x", "a", "b", "y"] as const) {
      for (const kind of ["data", "grad"] as const) {
        const seed = { ...right.seed, [name]: { ...right.seed[name], [kind]: right.seed[name][kind] * (1 + 1e-6) } };
        expect(findWrong({ ...right, seed })).toEqual([expect.stringContaining(`${name}.${kind}`)]);
      }
    }
  });

  test.each([
    ["an error over the bound", { ...errors, shareOfBound: 1.01 }],
    ["a large error", { ...errors, largest: 2e-6 }],
    ["NaN", { ...errors, shareOfBound: NaN }],
    // What NaN and Infinity become on the way out of the page.
    ["null", { ...errors, shareOfBound: null as unknown as number }],
  ])("finds %s", (_, wrong) => {
    for (const which of ["y", "gradient"] as const) {
      const comparison = { ...right.comparison, [which]: wrong };
      expect(findWrong({ ...right, comparison })).toHaveLength(1);
    }
  });

  test("finds elements that were not compared", () => {
    expect(findWrong({ ...right, size: 1001 })).toEqual(["1000 of 1001 elements were compared"]);
  });
});
