/** gpugrad in Node, `gpugrad/node`: its `init` brings WebGPU along. All else comes from `gpugrad` itself. */
import { init as initWith, isGpugradError, type Device, type InitOptions } from "gpugrad/core";
import { gpu } from "./node/gpu.js";

/**
 * `init` for Node: on the WebGPU of the npm package webgpu, which has to be installed beside gpugrad. On Linux that needs a
 * Vulkan driver; where there is none, the software driver beside an installed Chrome or Chromium is used
 * (`device.isSoftware`). After a loss, `init` of either module gives a new device in the same way.
 *
 * The constants of WebGPU, such as GPUBufferUsage, are globals in a browser and not in Node: `globals` of the package
 * webgpu has them.
 *
 * @throws (rejects) NoWebGPUError where the package is not installed; NoAdapterError, saying what to install; what `init` of
 * gpugrad throws.
 * @example
 * import { init } from "gpugrad/node";
 * import { square } from "gpugrad/core";
 * const device = await init();
 * await square(3).item(); // 9
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  try {
    // Whoever brings a device or an entry, now or before, needs none of ours.
    return await initWith(options);
  } catch (error) {
    if (isGpugradError(error) && error.code === "no-webgpu") return initWith({ ...options, gpu: await gpu() });
    throw error;
  }
}
