/** From a sum to a mean that is right where the sum has overflowed. Arrays only, nothing of gradients. */
import meanWgsl from "../../shaders/reduce/mean.wgsl?raw";
import aloneWgsl from "../../shaders/reduce/meanAlone.wgsl?raw";
import sharedWgsl from "../../shaders/reduce/meanShared.wgsl?raw";
import { at } from "../base/assert.js";
import { sizeOf, stridesOf, type Shape } from "../base/shape.js";
import type { GpuArray } from "../gpu/array.js";
import { launch } from "../gpu/launch.js";
import { Shader } from "../gpu/shader.js";

const shaderOf = (main: string): Shader =>
  new Shader("mean", `${meanWgsl}\n${main}`, ["input", "input", "output", "uniform"], 64, { origin: "library" });

const alone = /* @__PURE__ */ shaderOf(aloneWgsl);
const shared = /* @__PURE__ */ shaderOf(sharedWgsl);

/** What the shader's uniform holds: enough for 61 dimensions of which no two can be seen as one. */
const mostWords = 128;

/**
 * Up to so many results, a workgroup adds up each where it must, and costs a barrier where it needn't; beyond, they are short enough
 * for one lane.
 */
const fewResults = 64;

/**
 * The means along axes.
 *
 * @param sums along the same axes
 */
export function meanOf(x: GpuArray, sums: GpuArray, axes: readonly number[]): GpuArray {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const count = sizeOf(axes.map((axis) => at(x.shape, axis)));
  const isShared = sums.size <= fewResults;
  const words = new Uint32Array(mostWords);
  words.set([count, sums.size, 0, 0, ...layoutOf(x.shape, kept), ...layoutOf(x.shape, axes)]);
  return at(
    launch(isShared ? shared : alone, {
      inputs: [sums, x],
      outputs: [sums.shape],
      uniforms: [words],
      grid: { invocations: sums.size * (isShared ? 64 : 1) },
    }),
    0,
  );
}

/** The shader, whole. */
export function meanSource(): string {
  return shared.source("exact");
}

/** Where the elements along these axes are: a rank, and for each dimension, the last one first, its length and stride. */
function layoutOf(shape: Shape, axes: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const dimensions: [length: number, stride: number][] = [];
  for (const axis of [...axes].reverse()) {
    const [length, stride] = [at(shape, axis), at(strides, axis)];
    const inner = dimensions[dimensions.length - 1];
    if (inner !== undefined && stride === inner[0] * inner[1]) inner[0] *= length;
    else if (length !== 1) dimensions.push([length, stride]);
  }
  return [dimensions.length, ...dimensions.flat()];
}
