/** What the documents of the package show and link: README's picture is what gpugrad computes, and what they link comes along. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { picture } from "../../scripts/picture/run.js";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

test("the picture is what npm run picture draws", async () => {
  const number = /-?\d+(?:\.\d+)?/g;
  const [drawn, committed] = [await picture(), read("docs/orbits.svg")];
  expect(drawn.replace(number, "#")).toBe(committed.replace(number, "#"));
  const numbers = (text: string): number[] => Array.from(text.match(number) ?? [], Number);
  const expected = numbers(committed);
  expect(expected.length).toBeGreaterThan(1000);
  // Numbers are rounded to 0.1, which another driver's last digit can tip over.
  const off = numbers(drawn).filter((x, k) => !(Math.abs(x - (expected[k] ?? NaN)) < 0.15));
  expect(off).toEqual([]);
});

const { files } = JSON.parse(read("package.json")) as { files: string[] };
const documents = ["README.md", ...files.filter((file) => file.endsWith(".md"))];

// That a link leads to a file and a heading is checked by scripts/links.js.
test.each(documents)("what %s links is in the package", (document) => {
  const targets = Array.from(read(document).matchAll(/\]\(([^)\s#]+)/g), ([, target = ""]) => target);
  const own = targets.filter((target) => !/^https?:/.test(target));
  expect(own.filter((target) => ![...files, "README.md", "LICENSE"].includes(target))).toEqual([]);
  if (document === "README.md") expect(own.length).toBeGreaterThan(5);
});
