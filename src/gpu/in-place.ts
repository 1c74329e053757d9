/** Shaders that write into memory that is there already. */
import descendWgsl from "../../shaders/descend.wgsl?raw";
import fillWgsl from "../../shaders/fill.wgsl?raw";
import repeatWgsl from "../../shaders/repeat.wgsl?raw";
import type { Shape } from "../base/shape.js";
import type { Binding } from "../wgsl/binding.js";
import type { Device } from "./device.js";
import { dispatch } from "./dispatch.js";
import { workgroupsOf } from "./grid.js";
import { Shader } from "./shader.js";
import type { Part } from "./work.js";

/** A shader with one invocation for each vec4 of what it writes. */
function shader(name: string, wgsl: string, bindings: readonly Binding[], inPlace = false): Shader {
  return new Shader(name, wgsl, bindings, 256, { origin: "library", padded: true, windows: true, inPlace });
}

const filler = shader("fill", fillWgsl, ["output", "uniform"]);
const repeater = shader("repeat", repeatWgsl, ["input", "output"]);
const descender = shader("descend", descendWgsl, ["output", "input", "uniform"], true);

/** Memory that is written, and the shape of the array that it is of. */
export interface Target extends Part {
  readonly shape: Shape;
}

/** Every element becomes `value`. */
export function fill(device: Device, target: Target, value: number): void {
  write(device, filler, target, [], [value]);
}

/** Every element becomes the only one of `element`. */
export function repeat(device: Device, element: Part, target: Target): void {
  write(device, repeater, target, [element], []);
}

/** x ← x - rate · g */
export function descend(device: Device, x: Target, g: Part, rate: number): void {
  write(device, descender, x, [g], [rate]);
}

function write(
  device: Device,
  shader: Shader,
  target: Target,
  inputs: readonly Part[],
  numbers: readonly number[],
): void {
  if (target.bytes === 0) return;
  const { shape, bytes } = target;
  dispatch(device, {
    shader,
    inputs,
    outputs: [target],
    uniforms: numbers.map((number) => Float32Array.of(number)),
    workgroups: workgroupsOf({ invocations: Math.ceil(bytes / 16) }, 256, device.limits, shader.name),
    shapes: [shape],
  });
}
