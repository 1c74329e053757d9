/** The shaders of updates: one for each structure, whatever the numbers in it are and however often it is traced. */
import { at } from "../../base/assert.js";
import { sizeOf } from "../../base/shape.js";
import { launchInto } from "../../gpu/launch.js";
import { numberOf } from "../../gpu/number-of.js";
import { Shader } from "../../gpu/shader.js";
import type { Variable } from "../../graph/variable.js";
import { harness, workgroupSize } from "../../wgsl/harness.js";
import { callOf } from "../../wgsl/source.js";
import { keyOf as keyOfWalk } from "../../wgsl/strides.js";
import type { Program } from "../fuse/program.js";
import { sourceOf } from "../fuse/text.js";
import type { Group } from "./group.js";

/** Structures that are remembered. A training loop has a few; who makes new WGSL at each step has one each. */
const most = 256;

const shaders = new Map<string, Shader>();

/** @throws FuseError where two different functions of one name are in it. */
export function shaderOf(group: Group): Shader {
  const key = keyOf(group);
  let shader = shaders.get(key);
  if (shader === undefined) {
    shader = makeShader(group);
    const [oldest] = shaders.keys();
    if (shaders.size >= most && oldest !== undefined) shaders.delete(oldest);
    shaders.set(key, shader);
  }
  return shader;
}

export function run(shader: Shader, { inputs, outputs, uniforms }: Group): void {
  launchInto(shader, { inputs, outputs, uniforms, grid: { invocations: Math.ceil(sizeOf(at(outputs, 0).shape) / 4) } });
}

/** What the shader depends on: which function is called on which values, and how the inputs are read. */
function keyOf({ program: { inputs, nodes, outputs }, parameters, walk }: Group): string {
  const places = new Map<Variable, number>();
  for (const input of inputs) places.set(input, places.size);
  const placesOf = (variables: readonly Variable[]): string => variables.map((each) => places.get(each)).join();
  let key = parameters.map(({ load, index = "" }) => `${load}${index}`).join();
  for (const node of nodes) {
    key += `;${numberOf(node.source)}:${placesOf(node.inputs)}`;
    for (const output of node.outputs) places.set(output, places.size);
  }
  return `${key};${placesOf(outputs)};${keyOfWalk(walk)}`;
}

function makeShader({ program, parameters, walk }: Group): Shader {
  const source = sourceOf(program, nameFor(program));
  const { wgsl, bindings, sourceLine } = harness(source.textFor("forward", false), {
    text: (values) => callOf(source, "forward", values),
    parameters: parameters.map((parameter, k) => ({ ...parameter, name: at(source.inputs, k) })),
    type: "f32",
    written: program.outputs.length === 1 ? null : program.outputs.map((_, k) => k),
    walk,
    zeroWith: [],
  });
  return new Shader("update", wgsl, bindings, workgroupSize, {
    origin: program.nodes.every(({ traits }) => traits.origin === "library") ? "library" : "scalar",
    padded: true,
    windows: walk === null,
    inPlace: true,
    firstLine: sourceLine,
  });
}

/** A name that none of the functions in it has. */
function nameFor({ nodes }: Program): string {
  let name = "update";
  while (nodes.some(({ source }) => source.name === name)) name += "d";
  return name;
}
