/** Functions that move elements by the shader that copies, and change none of them. */
import copyWgsl from "../../shaders/copy.wgsl?raw";
import { at } from "../base/assert.js";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import { librarySource } from "../wgsl/source.js";
import { ElementwiseShaders } from "./shaders.js";
import { inOrder, isTooLarge, type Reading } from "./operands.js";

const shaders = new ElementwiseShaders(librarySource(copyWgsl), { origin: "library" });

/** A new array of `shape`, each element read from `array` by these strides, from the element at `offset` on. */
export function copy(array: GpuArray, shape: Shape, strides: readonly number[], offset = 0): GpuArray {
  if (array.constant !== null) return GpuArray.constant(array.constant, shape, array.device);
  const operand = { array, offset, strides, isSeed: false };
  if (isTooLarge([operand], shape)) return inOrder(operand, shape);
  return at(shaders.runForward([operand], shape), 0);
}

/** How elements of matrices are read, as an example of what the shader is. */
const ofMatrices: Reading = { loads: ["strided"], walk: { rank: 2, step: "vector" }, words: null };

/** One that moves elements by the shader that copies. */
export abstract class Copy extends Function {
  override get repeatable(): boolean {
    return true;
  }

  override get wgsl(): string {
    return shaders.forward(ofMatrices).source("exact");
  }

  override readonly givesFreshGradients = true;

  override backwardReads(): boolean {
    return false;
  }
}
