/** The package as it is packed, for who writes TypeScript: its declarations under the versions and resolutions in use. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gpugrad-types-"));
const tarball = join(folder, "gpugrad.tgz");
const installed = join(folder, "node_modules/gpugrad");

const consumer = `
import { elementwise, fuse, GpuArray, init, square, sum, Variable, type Device } from "gpugrad";
import { init as initNode } from "gpugrad/node";

const device: Device = await init();
{
  using x = new Variable([1, 2]);
  using loss = sum(square(x).mul(2));
  loss.backward();
  const gradient: Float32Array = await x.grad!.read();
  console.log(gradient, device.stats().liveBytes, GpuArray.constant(1, [2]).shape);
}
const [r, angle] = elementwise("fn polar_forward(x: f32, y: f32) -> vec2f { return vec2f(length(vec2f(x, y)), atan2(y, x)); }")(3, 4);
const product: Variable = fuse((a: Variable, b: Variable) => a.mul(b))(r, angle);
const other: Promise<Device> = initNode();
`;

/** Of `gpugrad/core`, whose Variables have no methods. */
const withoutMethods = `
import { init as initNode } from "gpugrad/node";
import { add, init, mul, Variable, type Device } from "gpugrad/core";

const device: Device = await init();
const product: Variable = add(mul(new Variable([1, 2]), 3), 4);
product.backward();
console.log(device.isSoftware, await product.read(), await initNode());
// @ts-expect-error: a method
product.mul(2);
// @ts-expect-error: a method
product.update((x) => x);
`;

/** Both: one class, which has the methods then. */
const withBoth = `
import * as core from "gpugrad/core";
import { Variable } from "gpugrad";

const product: core.Variable = core.mul(new Variable([1, 2]), 3).mul(2);
const other: Variable = product;
console.log(other);
`;

/** What must be refused: each line has an error. */
const mistakes = [
  "new Variable([1]).mul();",
  'new Variable("1");',
  "new GpuArray();",
  "(device: Device) => device.pool;",
  "(device: Device) => device.recorder;",
  "new Variable([1]).data.hold();",
  "square();",
];

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

beforeAll(() => {
  run("npm", ["run", "build"], root);
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], root).trim();
  cpSync(join(folder, packed), tarball);
  for (const file of ["package.json", "package-lock.json"]) {
    cpSync(join(root, "test/consumers", file), join(folder, file));
  }
  cpSync(join(root, ".npmrc"), join(folder, ".npmrc"));
  run("npm", ["ci"], folder);
  mkdirSync(installed);
  run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"], folder);
  writeFileSync(join(folder, "consumer.mts"), consumer);
  writeFileSync(join(folder, "core.mts"), withoutMethods);
  writeFileSync(join(folder, "both.mts"), withBoth);
  writeFileSync(join(folder, "mistakes.mts"), [...mistakes, consumer].join("\n"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function compiled(version: string, resolution: string, file: string): string {
  // From 6 on, TypeScript knows WebGPU itself.
  const types = Number(version) < 6 ? "@webgpu/types,node" : "node";
  const module = resolution === "bundler" ? "esnext" : resolution;
  const options = { module, moduleResolution: resolution, target: "es2022", lib: "es2022,dom", types };
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const tsc = join(folder, `node_modules/typescript-${version}/bin/tsc`);
  return run("node", [tsc, "--noEmit", "--strict", "--skipLibCheck", "false", ...given, file], folder);
}

describe.each(["5.5", "5.9", "6", "7"])("TypeScript %s", (version) => {
  test.each(["node16", "nodenext", "bundler"])("reads the declarations, none skipped, under %s", (resolution) => {
    for (const file of ["consumer.mts", "core.mts", "both.mts"]) expect(compiled(version, resolution, file)).toBe("");
  });

  test("refuses what isn't there: the declarations are of the library, and not any", () => {
    const errors = compiled(version, "bundler", "mistakes.mts").matchAll(/^mistakes\.mts\((\d+),\d+\): error/gm);
    expect(Array.from(errors, ([, line]) => Number(line))).toEqual(mistakes.map((_, k) => k + 1));
  });
});

test("publint finds nothing in the package", () => {
  expect(run("npx", ["publint", tarball, "--strict"], root)).toContain("All good!");
});

test("every way to import it has its declarations; CommonJS takes it by require of a module", () => {
  const found = spawnSync("npx", ["attw", tarball, "--profile", "esm-only"], { cwd: root, encoding: "utf8" });
  expect(found.status, found.stdout).toBe(0);
});

test("the declarations have no any, and the package no file that isn't needed", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.filter((name) => name.endsWith(".d.ts"))) {
    // There is a function of this name, which a list of exports names.
    const types = readFileSync(file, "utf8").replaceAll(/\/\*[^]*?\*\/|export \{[^}]*\}/g, "");
    expect(types, file).not.toMatch(/[:<|&,(] ?any\b/);
  }
  const others = files.map((file) => file.slice(installed.length + 1)).filter((file) => !file.startsWith("dist/"));
  expect(others.sort()).toEqual([
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "COMPATIBILITY.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "RELIABILITY.md",
    "docs/orbits.svg",
    "package.json",
  ]);
});
