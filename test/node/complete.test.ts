/**
 * What every element-wise function has beside its WGSL: a promise of accuracy that was measured, edges, tests, a method, its
 * place in the documents. CONTRIBUTING.md says how `npm run new-function` writes all of it; what is missing fails here, by name.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as gpugrad from "../../src/index.js";
import { measured } from "../../sweep/figures.js";
import { rows, type Row } from "../../sweep/table.js";
import { edges } from "../reference/edges.js";
import { elementwiseFunctions } from "../reference/elementwise-functions.js";
import { binaryOperations, comparisons, unaryOperations } from "../reference/operations.js";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const readme = read("README.md");
const reliability = read("RELIABILITY.md");
const operations = { ...unaryOperations, ...binaryOperations, ...comparisons };

/** Whose accuracy is nothing to measure, and what holds it instead. */
const withoutRow: Readonly<Record<string, string>> = {
  where: "a choice of three operands, compared to the bit in functions.test.ts",
};
const passedOn = "the gradient that arrives, its negative, half of it or nothing: to the bit in both-ways.test.ts";
const withoutGradientRow: Readonly<Record<string, string>> = {
  neg: passedOn,
  sign: passedOn,
  add: passedOn,
  sub: passedOn,
  mul: "one product with the gradient that arrives: to the bit in both-ways.test.ts",
  maximum: passedOn,
  minimum: passedOn,
  where: passedOn,
};
const withoutSecondRow = ["abs", "relu"];

const names = [...elementwiseFunctions.keys()];
const hasGradient = (name: string): boolean =>
  elementwiseFunctions.get(name)?.wgsl.includes(`fn ${name}_backward(`) === true;

/** The rows of RELIABILITY.md's table of accuracy that the function needs. */
function rowsNeeded(name: string): string[] {
  const own = name in withoutRow ? [] : [name];
  if (!hasGradient(name) || name in withoutGradientRow) return own;
  const operands = rows.find((row) => row.name === name)?.operands === 2 ? [" a", " b"] : [""];
  const ways = ["backward", "createGraph", "derived"].flatMap((way) =>
    operands.map((operand) => `${name} ${way}${operand}`),
  );
  const second = operands.length === 1 && !withoutSecondRow.includes(name) ? [`${name} second`] : [];
  return [...own, ...ways, ...second];
}

/** A line of a table in README.md, by what stands in its first column. */
const functionsInReadme = new Set(
  [...readme.matchAll(/^\|[^|]*\|(.*)\|$/gm)].flatMap(([, cell = ""]) =>
    Array.from(cell.matchAll(/`(\w+)`/g), ([, name = ""]) => name),
  ),
);

describe.each(names)("%s", (name) => {
  test("has rows in sweep/table.ts: its accuracy, and that of its gradients by each way", () => {
    const there = rows.map((row) => row.name);
    expect(rowsNeeded(name).filter((row) => !there.includes(row))).toEqual([]);
  });

  test("promises no more than 2 ULP, of gradients 4, of second derivatives 8; 4.5 where the driver's operation is asked for", () => {
    const most = ({ gradient, driver }: Row): number =>
      gradient === null ? (driver === true ? 4.5 : 2) : gradient.order === 1 ? 4 : 8;
    expect(rows.filter((row) => row.of === name && row.accuracy.ulp > most(row))).toEqual([]);
  });

  test(`was measured, by npm run sweep -- --of ${name} --quick`, () => {
    expect(rowsNeeded(name).filter((row) => measured[row] === undefined)).toEqual([]);
  });

  test("has edges in test/reference/edges.ts", () => {
    expect(Object.keys(edges)).toContain(name);
    const { operands = [], results = [], gradients = null } = edges[name] ?? {};
    expect(operands.flat().some(Number.isNaN)).toBe(true);
    expect(operands.map((list) => list.length)).toEqual(operands.map(() => results.length));
    if (operands.length === 1) expect(gradients).toHaveLength(results.length);
  });

  test("is compared with float64 and with differences: a row in test/reference/operations.ts", () => {
    if (name !== "where") expect(Object.keys(operations)).toContain(name);
  });

  test("is a method of Variables", () => {
    expect(name in gpugrad.Variable.prototype).toBe(true);
  });

  test("says in RELIABILITY.md what happens at the ends of the range", () => {
    const ends = [...reliability.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = ""]) => cell);
    if (rowsNeeded(name).length > 1) expect(ends.some((cell) => cell.includes(`\`${name}\``))).toBe(true);
  });
});

test("every function is in README.md's table", () => {
  const isFunction = (value: unknown): boolean =>
    typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value));
  const all = Object.entries(gpugrad).flatMap(([name, value]) => (isFunction(value) ? [name] : []));
  expect(all.length).toBeGreaterThan(names.length);
  expect(all.filter((name) => !functionsInReadme.has(name))).toEqual([]);
});

test("nothing that npm run new-function wrote is left to fill in", () => {
  const mark = ["FILL", "IN"].join(" ");
  const folders = ["src", "shaders", "sweep", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  const files = ["README.md", "RELIABILITY.md", ...folders].filter((file) => /\.(ts|wgsl|md)$/.test(file));
  expect(files.length).toBeGreaterThan(200);
  const left = files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, k) => (line.includes(mark) ? [`${file}:${k + 1}: ${line.trim()}`] : [])),
  );
  expect(left).toEqual([]);
});
