/** Elements in another order, of arrays that are larger than one binding. */
import gatherWgsl from "../../shaders/gather.wgsl?raw";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import type { Device } from "../gpu/device.js";
import { dispatch, windowsOf } from "../gpu/dispatch.js";
import { workgroupsOf } from "../gpu/grid.js";
import { Shader } from "../gpu/shader.js";

// In place: each dispatch leaves what another part of the array holds as it is.
const gatherer = new Shader("gather", gatherWgsl, ["input", "output", "uniform"], 256, {
  origin: "library",
  inPlace: true,
});

/** Whether an array of this many bytes has to be taken in windows. */
export function isLarge({ limits }: Device, bytes: number): boolean {
  return bytes > limits.maxStorageBufferBindingSize;
}

/**
 * A new array of `shape`, each element read from `array` by strides: one dispatch for each pair of windows.
 *
 * @param layout a rank, then for each dimension, the last one first, its length and its stride
 */
export function gather(array: GpuArray, shape: Shape, layout: Uint32Array): GpuArray {
  const { device } = array;
  const result = GpuArray.allocate(device, shape, "gather");
  try {
    const [source, target] = [array.hold(), result.hold()];
    for (const to of windowsOf(target, device.limits)) {
      for (const from of windowsOf(source, device.limits)) {
        const [first, begin, end] = [to.offset - target.offset, from.offset - source.offset, from.bytes];
        dispatch(device, {
          shader: gatherer,
          inputs: [from],
          outputs: [to],
          uniforms: [Uint32Array.of(first / 4, begin / 4, (begin + end) / 4, 0, ...layout)],
          workgroups: workgroupsOf({ invocations: to.bytes / 4 }, 256, device.limits, gatherer.name),
          shapes: [shape],
        });
      }
    }
  } catch (error) {
    result.release();
    throw error;
  }
  return result;
}
