/**
 * Run by Deno, from scripts/naga.js: compiles the shaders that a folder has, and writes what was refused as JSON. naga reads and
 * checks all of them. One of each name, up to a number, becomes a pipeline, for which naga writes what the driver takes: that
 * costs thirty times as much.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ label: string, file: string, wgsl: string }} Recorded */

const [folder = ""] = process.argv.slice(2);
const adapter = await globalThis.navigator.gpu.requestAdapter();
if (adapter === null) throw new Error("Deno finds no adapter");
const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
const device = await adapter.requestDevice({
  requiredLimits: { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize },
});

/** @type {{ label: string, test: string, file: string, message: string }[]} */
const refused = [];
/** Pipelines, at most. */
const most = 400;
/** @type {Set<string>} */
const names = new Set();
const files = readdirSync(folder).sort();
for (const file of files) {
  /** @type {unknown} */
  const parsed = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const { label, file: test, wgsl } = /** @type {Recorded} */ (parsed);
  device.pushErrorScope("validation");
  device.pushErrorScope("internal");
  const module = device.createShaderModule({ code: wgsl, label });
  const entryPoint = /@compute[^]*?\bfn (\w+)/.exec(wgsl)?.[1];
  if (names.size < most && !names.has(label) && entryPoint !== undefined) {
    names.add(label);
    device.createComputePipeline({ layout: "auto", compute: { module, entryPoint } });
  }
  const errors = [await device.popErrorScope(), await device.popErrorScope()];
  const message = errors.find((error) => error !== null)?.message;
  if (message !== undefined) refused.push({ label, test, file, message });
}
const report = { adapter: adapter.info.description, compiled: files.length, pipelines: names.size, refused };
process.stdout.write(JSON.stringify(report));
