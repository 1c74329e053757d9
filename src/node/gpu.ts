/** WebGPU in Node: Dawn, as the npm package webgpu brings it. */
import { NoAdapterError, NoWebGPUError } from "gpugrad/core";
import { hasDriver, hasLoader, namedDrivers, useSwiftShader } from "./vulkan.js";

let known: Promise<GPU> | null = null;

/**
 * The entry point to WebGPU, as `navigator.gpu` in a browser.
 *
 * @throws (rejects) NoWebGPUError where the package webgpu isn't installed; NoAdapterError where no driver is.
 */
export function gpu(): Promise<GPU> {
  known ??= findGpu().catch((error: unknown) => {
    known = null;
    throw error;
  });
  return known;
}

async function findGpu(): Promise<GPU> {
  const { create } = await loadPackage();
  // Dawn says on the standard error that it finds no loader: don't let it look.
  if (process.platform !== "linux" || hasLoader()) {
    const entry = create([]);
    if ((await entry.requestAdapter()) !== null) return entry;
  }
  if (process.platform === "linux" && namedDrivers() === null && useSwiftShader()) {
    const entry = create([]);
    if ((await entry.requestAdapter()) !== null) return entry;
  }
  throw new NoAdapterError(whyNoAdapter());
}

async function loadPackage(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (error) {
    throw new NoWebGPUError(`gpugrad/node needs the npm package webgpu: npm install webgpu (${String(error)})`);
  }
}

function whyNoAdapter(): string {
  if (process.platform !== "linux") return "WebGPU is here but finds no GPU: update its driver";
  const software = "To run on the processor, install mesa-vulkan-drivers, Chromium or Chrome";
  if (!hasLoader()) {
    return `WebGPU finds no Vulkan: install libvulkan1 and the Vulkan driver of your GPU. ${software}`;
  }
  if (hasDriver()) {
    const named = namedDrivers();
    const which = named === null ? "" : `, of those that VK_DRIVER_FILES or VK_ICD_FILENAMES names (${named})`;
    return `WebGPU finds no GPU that a Vulkan driver offers${which}: look at what vulkaninfo says. ${software}`;
  }
  const named = namedDrivers();
  return named === null
    ? `WebGPU finds Vulkan but no driver: install that of your GPU. ${software}`
    : `VK_DRIVER_FILES or VK_ICD_FILENAMES names a driver that isn't there: ${named}. Unset it, or correct it`;
}
