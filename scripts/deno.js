/**
 * `npm run test:deno -- FILES`: test files in Deno, whose WebGPU is wgpu and whose WGSL compiler naga, as Firefox's: a second
 * implementation of both besides Chrome's. Without files, those that CI runs (test/in-deno.ts).
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

/** @typedef {typeof import("../src/node/vulkan.js")} Vulkan */

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What Deno needs in its environment: where Linux has no driver of Vulkan, that beside an installed Chrome or Chromium.
 *
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function denoEnvironment() {
  if (process.platform !== "linux") return process.env;
  const file = join(root, "src/node/vulkan.ts");
  /** @type {{ module: Vulkan }} */
  const { module } = await runnerImport(file, { configFile: false, logLevel: "error" });
  const { hasDriver, hasLoader, useSwiftShader } = module;
  if ((hasLoader() && hasDriver()) || !useSwiftShader()) return process.env;
  const driver = process.env["VK_ICD_FILENAMES"] ?? "";
  // Without Vulkan wgpu would take OpenGL.
  return { ...process.env, LD_LIBRARY_PATH: dirname(driver), DENO_WEBGPU_BACKEND: "vulkan" };
}

/** The executable, as Node runs it. */
export const deno = join(root, "node_modules/deno/bin.cjs");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "deno", ...process.argv.slice(2)];
  const env = await denoEnvironment();
  const { status } = spawnSync(process.execPath, [deno, "run", "-A", "--unstable-webgpu", ...vitest], {
    env,
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
