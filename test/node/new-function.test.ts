/** `npm run new-function`: all places of a function are written, formatted, with marks where a person must think. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, resolveConfig } from "prettier";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newFunction, parseArguments } from "../../scripts/new-function.js";

const root = join(import.meta.dirname, "../..");
const places = ["shaders", "src", "sweep", "test/reference", "README.md", "RELIABILITY.md", ".prettierrc.json"];
const mark = ["FILL", "IN"].join(" ");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gpugrad-new-function-"));
  for (const place of places) cpSync(join(root, place), join(folder, place), { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe.each([
  ["cosh", false],
  ["hypot", true],
  ["unheardOf", false],
])("%s, of two operands: %s", (name, isPair) => {
  test("is in every place, and each says what is to fill in", async () => {
    const files = await newFunction(folder, name, isPair);
    for (const file of files) {
      const text = readFileSync(join(folder, file), "utf8");
      const before = file.startsWith("shaders/") ? "" : readFileSync(join(root, file), "utf8");
      expect(text, file).toContain(name);
      expect(text, file).not.toBe(before);
      if (file !== "README.md") expect(text, file).toContain(mark);
      // Prettier knows no WGSL.
      if (file.startsWith("shaders/")) continue;
      const options = { ...(await resolveConfig(join(root, file))), filepath: file };
      expect(await check(text, options), file).toBe(true);
    }
    const rows = readFileSync(join(folder, "sweep/table.ts"), "utf8");
    expect(rows.match(new RegExp(`"${name}",`, "g"))).toHaveLength(isPair ? 2 : 3);
    await expect(newFunction(folder, name, isPair)).rejects.toThrow("there already");
  });
});

test("what is no name, and a count of operands that there isn't, are refused", () => {
  expect(parseArguments(["cosh"])).toEqual({ name: "cosh", isPair: false });
  expect(parseArguments(["hypot", "--operands", "2"])).toEqual({ name: "hypot", isPair: true });
  for (const wrong of [[], ["Cosh"], ["a-b"], ["cosh", "sinh"], ["cosh", "--operands", "3"], ["--what"]]) {
    expect(() => parseArguments(wrong), wrong.join(" ")).toThrow(/usage|--what/);
  }
});
