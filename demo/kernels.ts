/** Two compute shaders of the site's own: numbers to start from, and a few of many to look at. */
import { Kernel, Variable } from "../src/index.js";
import rampWgsl from "./ramp.wgsl?raw";
import sampleWgsl from "./sample.wgsl?raw";

const rampKernel = new Kernel({ name: "ramp", wgsl: rampWgsl, bindings: ["output", "uniform"] });
const sampleKernel = new Kernel({ name: "sample", wgsl: sampleWgsl, bindings: ["input", "output", "uniform"] });

/** `size` evenly spaced numbers from `first` up to, not including, `end`. They are made on the GPU: nothing is uploaded. */
export function ramp(first: number, end: number, size: number, name: string): Variable {
  const [array] = rampKernel.run({
    inputs: [],
    outputs: [[size]],
    uniforms: [new Float32Array([first, (end - first) / size])],
    invocations: size,
  });
  if (array === undefined) throw new Error("the ramp kernel has one output");
  return new Variable(array, { name });
}

/** `count` elements, from the one at `first`, each `step` further on, without reading back the others. */
export async function sample(variable: Variable, first: number, step: number, count: number): Promise<Float32Array> {
  const { data } = variable;
  if (data.constant !== null) return new Float32Array(count).fill(data.constant);
  const [picked] = sampleKernel.run({
    inputs: [data],
    outputs: [[count]],
    uniforms: [new Uint32Array([first, step])],
    invocations: count,
  });
  if (picked === undefined) throw new Error("the sample kernel has one output");
  try {
    return await picked.read();
  } finally {
    picked.release();
  }
}

/** Compiles both ahead of their first use. */
export async function prepareKernels(): Promise<void> {
  await Promise.all([rampKernel.prepare(), sampleKernel.prepare()]);
}
