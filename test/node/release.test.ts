/** How a version is made and published, as far as that can be tried without doing it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nextVersion, released, sectionOf } from "../../scripts/release.js";

const root = join(import.meta.dirname, "../..");

function release(...args: string[]): { output: string; status: number | null } {
  const env = { ...process.env, GITHUB_REF_NAME: "v99.0.0" };
  const { stdout, stderr, status } = spawnSync(process.execPath, ["scripts/release.js", ...args], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return { output: stdout + stderr, status };
}

test("the next version is a step on, or a later one", () => {
  expect(["patch", "minor", "major", "1.10.0", "1.2.3"].map((step) => nextVersion("1.2.3", step))).toEqual([
    "1.2.4",
    "1.3.0",
    "2.0.0",
    "1.10.0",
    "1.2.3",
  ]);
  for (const step of ["1.2.2", "1.2", "next", "v2.0.0"]) expect(() => nextVersion("1.2.3", step)).toThrow(step);
});

test("what is unreleased gets the version and the date, and makes room for the next", () => {
  const before = "# Changelog\n\n## Unreleased\n\n### Added\n\n- One.\n\n## 0.1.0 - 2026-01-01\n\n- Zero.\n";
  const after = released(before, "0.2.0", "2026-02-03");
  expect(after).toBe(
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-03\n\n### Added\n\n- One.\n\n## 0.1.0 - 2026-01-01\n\n- Zero.\n",
  );
  expect(sectionOf(after, "0.2.0")).toContain("- One.");
  expect(() => released(after, "0.3.0", "2026-03-04")).toThrow("nothing under Unreleased");
});

test("a dry run says what would be published, and changes nothing", () => {
  const files = ["package.json", "package-lock.json", "CHANGELOG.md"];
  const before = files.map((file) => readFileSync(join(root, file), "utf8"));
  const tags = (): string => execFileSync("git", ["tag"], { cwd: root, encoding: "utf8" });
  const tagsBefore = tags();
  const { output, status } = release("major", "--dry-run");
  expect(status, output).toBe(0);
  expect(output).toMatch(/^\d+\.\d+\.\d+ → \d+\.0\.0\n/);
  expect(output).toContain("COMPATIBILITY.md");
  expect(files.map((file) => readFileSync(join(root, file), "utf8"))).toEqual(before);
  expect(tags()).toBe(tagsBefore);
});

test("nothing is published whose tag is another version's, and a step that is none is told with the usage", () => {
  expect(release("--publish")).toMatchObject({ status: 1, output: expect.stringContaining("v99.0.0") as string });
  expect(release()).toMatchObject({ status: 1, output: expect.stringContaining("npm run release") as string });
  expect(release("0.0.1")).toMatchObject({ status: 1, output: expect.stringContaining("0.0.1") as string });
});

test("what the workflows run is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  const folder = join(root, ".github/workflows");
  const workflows = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  const lines = workflows.flatMap((text) => [...text.matchAll(/- run: (.*)/g)].map(([, line = ""]) => line));
  expect(lines).toContain("bash .ci/run");
  for (const line of lines) {
    const script = /^npm run (\S+)/.exec(line)?.[1];
    if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    for (const [file] of line.matchAll(/\S+\/\S+/g)) expect(existsSync(join(root, file)), file).toBe(true);
  }
});
