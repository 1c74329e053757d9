/** What `npm run sweep` is asked for, and the table it writes. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { measured } from "../../sweep/figures.js";
import { plan } from "../../sweep/plan.js";
import { begin, end, machines, replaceBetweenMarks, table } from "../../sweep/report.js";
import { promised, rows } from "../../sweep/table.js";

const reliability = join(import.meta.dirname, "..", "..", "RELIABILITY.md");

describe("the options", () => {
  test("nothing asks for everything", () => {
    expect(plan([])).toEqual({
      help: false,
      node: false,
      print: false,
      only: null,
      of: null,
      stride: 1,
      pairs: 2 ** 24,
    });
  });

  test("names, strides and pairs are taken", () => {
    expect(plan(["--only", "exp, sin backward", "--stride", "127", "--pairs", "1000"])).toEqual({
      help: false,
      node: false,
      print: false,
      only: ["exp", "sin backward"],
      of: null,
      stride: 127,
      pairs: 1000,
    });
    expect(plan(["--quick"])).toMatchObject({ only: null, stride: 4099, pairs: 2 ** 20 });
    expect(plan(["--table"])).toMatchObject({ only: [] });
    expect(plan(["--node", "--print"])).toMatchObject({ node: true, print: true });
    expect(plan(["--of", "exp, sin"])).toMatchObject({ only: null, of: ["exp", "sin"] });
  });

  test.each([["--stride", "0"], ["--stride", "1.5"], ["--pairs", "many"], ["--fast"], ["exp"]])(
    "refuses %s %s",
    (...args) => {
      expect(() => plan(args)).toThrow(/stride|pairs|fast|exp/);
    },
  );
});

describe("the table", () => {
  const figure = {
    date: "2026-01-02",
    adapter: "vendor a",
    browser: "Chrome/1",
    sample: { stride: 127 },
    cost: 1.234,
    tally: {
      operands: 1000,
      normal: 900,
      largest: 1.23456,
      at: "0.5",
      overOne: 9,
      falls: 2,
      firstFall: "0.25",
      broken: 3,
      subnormal: 10,
      subnormalLargest: 0.75,
      flushed: 0,
      flushedOperands: 0,
      deviations: [],
    },
  };

  test("has a line for each row, and says of which there is no figure", () => {
    const text = table(["f", "g"], { f: "2 ULP", g: "1 ULP" }, { f: figure });
    const [, , f, g] = text.split("\n");
    expect(f).toBe(
      "| f | 2 ULP | 1.235 | 0.5 | 1 % | kept, to 0.75 units | 2 | 3 | 1 in 127 of 2³² | 1.2 × | 2026-01-02 |",
    );
    const infinite = { ...figure, tally: { ...figure.tally, largest: Number.MAX_VALUE } };
    expect(table(["f"], { f: "2 ULP" }, { f: infinite })).toContain("| infinite | 0.5 |");
    expect(g).toMatch(/^\| g \| 1 ULP \| not measured \|/);
    expect(machines([figure, figure])).toBe("Measured on vendor a in Chrome/1.");
  });

  test("goes between its marks, and nowhere else", () => {
    expect(replaceBetweenMarks(`before ${begin} old ${end} after`, "new")).toBe(
      `before ${begin}\n\nnew\n\n${end} after`,
    );
    expect(() => replaceBetweenMarks(`${end} ${begin}`, "new")).toThrow(/has no/);
  });

  test("of RELIABILITY.md is that of the figures, in which no promise is broken", async () => {
    const promises = Object.fromEntries(rows.map((row) => [row.name, promised(row)]));
    const names = rows.map(({ name }) => name);
    const figures = Object.values(measured).filter((each) => each !== undefined);
    const text = readFileSync(reliability, "utf8");
    const written = replaceBetweenMarks(text, `${table(names, promises, measured)}\n\n${machines(figures)}`);
    expect(await format(written, { ...(await resolveConfig(reliability)), parser: "markdown" })).toBe(text);
    expect(Object.keys(measured)).toEqual(names);
    expect(figures.filter(({ tally }) => tally.broken > 0)).toEqual([]);
  });
});

test("in Node, a sweep shows what it found, and writes nothing where it is only to print", async () => {
  const root = join(import.meta.dirname, "..", "..");
  const figures = (): string => readFileSync(join(root, "sweep/figures.json"), "utf8");
  const before = figures();
  const args = ["--node", "--print", "--stride", "16777213", "--only", "exp,square backward"];
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, "sweep/run.js"), ...args], { cwd: root });
  expect(stdout).toMatch(/^\| exp +\| 1 ULP \| 0\.8/m);
  expect(stdout).toMatch(/^\| square backward .* 1 in 16777213 of 2³² /m);
  expect(stdout).toContain(`in Node ${process.version}`);
  expect(figures()).toBe(before);
});
