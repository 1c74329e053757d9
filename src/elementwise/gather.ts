/** Elements in another order, of arrays that are larger than one binding. */
import gatherWgsl from "../../shaders/gather.wgsl?raw";
import { LimitError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import type { Device } from "../gpu/device.js";
import { dispatch, windowsOf } from "../gpu/dispatch.js";
import { workgroupsOf } from "../gpu/grid.js";
import { Shader } from "../gpu/shader.js";
import type { Dimension } from "./layout.js";

// In place: each dispatch leaves what another part of the array holds as it is.
const gatherer = new Shader("gather", gatherWgsl, ["input", "output", "uniform"], 256, {
  origin: "library",
  inPlace: true,
});

/** Whether an array of this many bytes has to be taken in windows. */
export function isLarge({ limits }: Device, bytes: number): boolean {
  return bytes > limits.maxStorageBufferBindingSize;
}

/** The most dimensions that the shader's uniform has room for. */
const mostDimensions = 63;

/**
 * A new array of `shape`, each element read from `array` by strides: one dispatch for each pair of windows.
 *
 * @param offset the first element
 * @param dimensions those of the result, the last one first, with one stride each
 * @throws LimitError where these are too many dimensions.
 */
export function gather(array: GpuArray, shape: Shape, offset: number, dimensions: readonly Dimension[]): GpuArray {
  const { device } = array;
  const { length: rank } = dimensions;
  if (rank > mostDimensions) {
    throw new LimitError(`gather: ${rank} dimensions of an array above one binding`, rank, mostDimensions);
  }
  const layout = [rank, ...dimensions.flatMap(({ length, strides }) => [length, ...strides])];
  const padding = Array.from({ length: 2 * (mostDimensions - rank) + 1 }, () => 0);
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
          uniforms: [Uint32Array.of(first / 4, begin / 4, (begin + end) / 4, offset, ...layout, ...padding)],
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
