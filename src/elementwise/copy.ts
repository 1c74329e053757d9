/** Functions that move elements by the shader that copies, and change none of them. */
import copyWgsl from "../../shaders/copy.wgsl?raw";
import { at } from "../base/assert.js";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import { parseElementwise } from "../wgsl/source.js";
import { inOrder, isTooLarge, run, Shaders } from "./kernels.js";

const shaders = new Shaders(parseElementwise(copyWgsl), { trusted: true });

/** A new array of `shape`, each element read from `array` by these strides. */
export function copy(array: GpuArray, shape: Shape, strides: readonly number[]): GpuArray {
  if (array.constant !== null) return GpuArray.constant(array.constant, shape, array.device);
  const read = { array, strides };
  if (isTooLarge([read], shape)) return inOrder(read, shape, "copy");
  return at(
    run((accesses) => shaders.forward(accesses), [read], shape, 1),
    0,
  );
}

/** One that moves elements by the shader that copies. */
export abstract class Copy extends Function {
  override get repeatable(): boolean {
    return true;
  }

  override get wgsl(): string {
    return shaders.forward(["strided"]).source("exact");
  }
}
