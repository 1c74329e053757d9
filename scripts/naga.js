/**
 * `npm run naga`, after `npm test`: the shaders that the tests made in Chrome, all of them, compiled by naga, as Deno and Firefox
 * have it: a second compiler of WGSL besides Chrome's.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deno, denoEnvironment } from "./deno.js";

/** @typedef {{ adapter: string, compiled: number, pipelines: number, refused: { label: string, test: string, file: string, message: string }[] }} Report */

/** Fewer than the suite has mean that it wasn't run, or recorded nothing. */
const least = 1000;

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "test/output/shaders");
if (!existsSync(folder)) throw new Error("no shaders are recorded: run npm test first");
const { stdout, status } = spawnSync(
  process.execPath,
  [deno, "run", "-A", join(root, "scripts/naga-in-deno.js"), folder],
  {
    env: await denoEnvironment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  },
);
if (status !== 0) throw new Error("Deno ended with an error");
/** @type {unknown} */
const parsed = JSON.parse(stdout);
const { adapter, compiled, pipelines, refused } = /** @type {Report} */ (parsed);
for (const { label, test, file, message } of refused) console.log(`${label}, of ${test} (${file}):${message}`);
console.log(
  `naga: ${compiled} shaders of the tests, of them ${pipelines} as pipelines (${adapter}); ${refused.length} refused`,
);
if (compiled < least && !process.argv.includes("--some")) {
  console.log(`fewer than ${least}: the whole suite has more. npm run naga -- --some takes what is there`);
  process.exitCode = 1;
}
if (refused.length > 0) process.exitCode = 1;
