/** The shaders of updates: one for each structure, whatever the numbers in it are and however often it is traced. */
import { at } from "../../base/assert.js";
import { sizeOf } from "../../base/shape.js";
import { Kernel } from "../../gpu/kernel.js";
import { numberOf } from "../../gpu/number-of.js";
import type { Variable } from "../../graph/variable.js";
import { harness, workgroupSize } from "../../wgsl/harness.js";
import type { Program } from "../fuse/program.js";
import { sourceOf } from "../fuse/text.js";
import type { Group } from "./group.js";

/** Structures that are remembered. A training loop has a few; who makes new WGSL at each step has one each. */
const most = 256;

const kernels = new Map<string, Kernel>();

/** @throws FuseError where two different functions of one name are in it. */
export function kernelOf(group: Group): Kernel {
  const key = keyOf(group);
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    kernel = makeKernel(group);
    const [oldest] = kernels.keys();
    if (kernels.size >= most && oldest !== undefined) kernels.delete(oldest);
    kernels.set(key, kernel);
  }
  return kernel;
}

export function run(kernel: Kernel, { inputs, outputs, uniforms }: Group): void {
  kernel.applyInto(inputs, outputs, uniforms, Math.ceil(sizeOf(at(outputs, 0).shape) / 4));
}

/** What the shader depends on: which function is called on which values, and how the inputs are read. */
function keyOf({ program: { inputs, nodes, outputs }, parameters }: Group): string {
  const places = new Map<Variable, number>();
  for (const input of inputs) places.set(input, places.size);
  const placesOf = (variables: readonly Variable[]): string => variables.map((each) => places.get(each)).join();
  let key = parameters.map(({ load, index = "" }) => `${load}${index}`).join();
  for (const node of nodes) {
    key += `;${numberOf(node.source)}:${placesOf(node.inputs)}`;
    places.set(node.output, places.size);
  }
  return `${key};${placesOf(outputs)}`;
}

function makeKernel({ program, parameters }: Group): Kernel {
  const source = sourceOf(program, nameFor(program));
  const { wgsl, bindings, sourceLine } = harness(source.textFor("forward", false), {
    name: `${source.name}_forward`,
    parameters: parameters.map((parameter, k) => ({ ...parameter, name: at(source.inputs, k) })),
    type: "f32",
    written: program.outputs.length === 1 ? null : program.outputs.map((_, k) => k),
    zeroWith: null,
  });
  return new Kernel(
    { name: "update", wgsl, bindings, workgroupSize },
    {
      origin: program.nodes.every(({ traits }) => traits.origin === "library") ? "library" : "scalar",
      padded: true,
      windows: !parameters.some(({ load }) => load === "strided"),
      inPlace: true,
      firstLine: sourceLine,
    },
  );
}

/** A name that none of the functions in it has. */
function nameFor({ nodes }: Program): string {
  let name = "update";
  while (nodes.some(({ source }) => source.name === name)) name += "d";
  return name;
}
