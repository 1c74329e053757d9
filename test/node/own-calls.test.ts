/** RELIABILITY.md's table of what own WGSL may call: all that has a rule of differentiation, with the errors measured. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mathFunction } from "../../src/wgsl/check/outside.js";
import { functions } from "../../src/wgsl/derive/rules.js";
import { measured } from "../../sweep/figures.js";
import { promised, rowOf } from "../../sweep/table.js";

const root = join(import.meta.dirname, "../..");
const section = /### What own WGSL may call\n([^]*?)\n##/.exec(readFileSync(join(root, "RELIABILITY.md"), "utf8"))?.[1];
const table = [...(section ?? "").matchAll(/^\| (`math_.*?) +\|[^|]*\| (.*?) +\|$/gm)].flatMap(
  ([, names = "", error = ""]) =>
    Array.from(names.matchAll(/`(math_\w+)\(/g), ([, name = ""]): [string, string] => [name, error]),
);

/** What derived gradients are made of, and nobody needs to call. */
const inner = ["math_opaque", "math_angle_gradient", "math_divisor_gradient", "math_pow_gradient"];

test("it has every function that has a rule, and no other", () => {
  const withRule = Object.keys(functions).filter((name) => name.startsWith("math_") && !inner.includes(name));
  expect(table.map(([name]) => name).sort()).toEqual(withRule.sort());
  expect(table.filter(([name]) => mathFunction(name) === null)).toEqual([]);
});

/** The row of the sweep that measures it; a slope is the gradient where that of the result is 1. */
const rowNameOf = (name: string): string => name.replace(/^math_/, "").replace(/_slope$/, " backward");

test.each(table.filter(([, error]) => /\d\.\d/.test(error)))(
  "%s is off by %s ULP at most, as measured",
  (name, error) => {
    expect(measured[rowNameOf(name)]?.tally.largest.toFixed(3)).toBe(error);
  },
);

test("elementwise's doc comment promises of each what the table of accuracy does", () => {
  const comment = readFileSync(join(root, "src/functions/own.ts"), "utf8");
  for (const [, most, names] of comment.matchAll(/^ \* - (?:slopes, )?within (\d) ULP: (.*)$/gm)) {
    for (const [, name = ""] of (names ?? "").matchAll(/`(math_\w+)/g)) {
      expect(promised(rowOf(rowNameOf(name))), name).toBe(`${most} ULP`);
    }
  }
  expect(table.filter(([name, error]) => error !== "the driver's" && !comment.includes(`\`${name}`))).toEqual([]);
});
