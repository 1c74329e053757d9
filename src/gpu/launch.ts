/** Runs a shader on arrays: gpugrad's own way in, which needs no checks of types. Users come in by Kernel. */
import { ArgumentError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "./array.js";
import { checkBindable, checkDevice } from "./checks.js";
import { currentDevice } from "./current.js";
import type { Device } from "./device.js";
import { dispatch } from "./dispatch.js";
import { workgroupsOf, type Grid } from "./grid.js";
import type { Shader } from "./shader.js";
import type { UniformBlock } from "./work.js";

/** What a shader is run on: arrays and uniforms at its bindings, in order, and over how many invocations. */
export interface Run<Output> {
  readonly inputs: readonly GpuArray[];
  /** Arrays that are there, or the shapes of those that are made. */
  readonly outputs: readonly Output[];
  readonly uniforms: readonly UniformBlock[];
  readonly grid: Grid;
}

/**
 * Makes the arrays that the shader writes. Where all of them are empty, nothing is recorded.
 *
 * @throws OtherDeviceError, ReleasedError, DeviceLostError, LimitError, OutOfMemoryError; ArgumentError for the grid.
 */
export function launch(shader: Shader, given: Run<Shape>): GpuArray[] {
  const { inputs, outputs: shapes } = given;
  const device = inputs[0]?.device ?? currentDevice();
  for (const input of inputs) checkArray(device, input, shader);
  for (const shape of shapes) checkBindable(device, shape, shader);
  const outputs: GpuArray[] = [];
  try {
    for (const shape of shapes) outputs.push(GpuArray.allocate(device, shape, shader.name));
    run(device, shader, { ...given, outputs });
  } catch (error) {
    for (const array of outputs) array.release();
    throw error;
  }
  return outputs;
}

/** The same, into arrays that are there already, as a change of theirs in place. None of them may be among the inputs. */
export function launchInto(shader: Shader, given: Run<GpuArray>): void {
  const { inputs, outputs } = given;
  const device = outputs[0]?.device ?? currentDevice();
  for (const array of [...inputs, ...outputs]) checkArray(device, array, shader);
  for (const output of outputs) output.beforeChange();
  checkApart(inputs, outputs, shader);
  run(device, shader, given);
  for (const output of outputs) output.hold().storage.version++;
}

function run(device: Device, shader: Shader, { inputs, outputs, uniforms, grid }: Run<GpuArray>): void {
  const workgroups = workgroupsOf(grid, shader.workgroupSize, device.limits, shader.name);
  if (outputs.every((output) => output.size === 0)) return;
  dispatch(device, {
    shader,
    inputs: inputs.map((array) => array.hold()),
    outputs: outputs.map((array) => array.hold()),
    uniforms,
    workgroups,
    shapes: outputs.map(({ shape }) => shape),
  });
}

function checkArray(device: Device, array: GpuArray, shader: Shader): void {
  checkDevice(array, device, shader.name);
  checkBindable(device, array.shape, shader);
}

/** WebGPU forbids to write what the same dispatch reads or writes elsewhere. */
function checkApart(inputs: readonly GpuArray[], outputs: readonly GpuArray[], { name }: Shader): void {
  const seen = new Set(inputs.map((input) => input.hold().storage));
  for (const output of outputs) {
    const { storage } = output.hold();
    if (seen.has(storage)) {
      throw new ArgumentError(`${name}: an output has the same memory as an input or another output`);
    }
    seen.add(storage);
  }
}
