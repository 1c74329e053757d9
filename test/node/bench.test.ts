/** `npm run bench` measures what it says, in the form that other programs read. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Report, SideName } from "../../bench/protocol.js";

const root = join(import.meta.dirname, "../..");
const sides: SideName[] = ["gpugrad", "handwritten", "tfjs", "jaxEager", "jaxJit", "javascript"];

async function bench(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, "bench/run.js"), ...args], { cwd: root });
  return stdout;
}

describe("npm run bench", () => {
  it("prints a table, then with --json each side's time and gpugrad's ratio to it as the last line", async () => {
    const output = await bench("--quick", "--only", "chain", "--rounds", "2", "--json");
    expect(output).toMatch(/^case +n +depth +math +gpugrad/m);
    expect(output).toMatch(/^chain +2\^16 +3 +native +\d/m);
    const report = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Report;
    expect(report.adapter.vendor).not.toBe("");
    expect(report.cases.map(({ name, n, depth, math }) => ({ name, n, depth, math }))).toEqual(
      ["native", "exact"].flatMap((math) => [2 ** 16, 2 ** 20].map((n) => ({ name: "chain", n, depth: 3, math }))),
    );
    for (const { ms, ratio, rounds, notes } of report.cases) {
      expect(Object.keys(ms)).toEqual(sides);
      expect(rounds).toBe(2);
      expect(notes).toEqual({});
      for (const side of sides) {
        expect(ms[side]).toBeGreaterThan(0);
        if (side === "gpugrad") continue;
        // Four digits each: the ratio of the medians, but for rounding.
        const expected = Number(ms.gpugrad) / Number(ms[side]);
        expect(Math.abs(Number(ratio[side]) / expected - 1)).toBeLessThan(1e-3);
      }
    }
  });

  it("measures the same sides in Node, without a browser", async () => {
    const output = await bench("--node", "--quick", "--only", "sum,firstGradient", "--rounds", "1", "--json");
    const report = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Report;
    expect(report.cases.map(({ name }) => name)).toEqual(["sum"]);
    for (const { ms } of report.cases) for (const side of sides) expect(ms[side]).toBeGreaterThan(0);
  });

  it("refuses a case that it doesn't know, with a message and a non-zero exit", async () => {
    await expect(bench("--only", "chian")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no case chian") as string,
    });
  });
});
