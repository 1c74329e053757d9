/** Runs a shader on arrays: gpugrad's own way in, which needs no checks of types. Users come in by Kernel. */
import { ArgumentError, LimitError } from "../base/errors.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import { checkDevice, GpuArray } from "./array.js";
import { currentDevice } from "./current.js";
import type { Device } from "./device.js";
import { dispatch } from "./dispatch.js";
import { workgroupsOf, type Grid } from "./grid.js";
import type { Shader } from "./shader.js";
import type { UniformBlock } from "./work.js";

/**
 * Makes arrays of these shapes and has the shader write them. Where all of them are empty, nothing is recorded.
 *
 * @throws OtherDeviceError, ReleasedError, DeviceLostError, LimitError, OutOfMemoryError; ArgumentError for the grid.
 */
export function launch(
  shader: Shader,
  inputs: readonly GpuArray[],
  shapes: readonly Shape[],
  uniforms: readonly UniformBlock[],
  grid: Grid,
): GpuArray[] {
  const device = inputs[0]?.device ?? currentDevice();
  for (const input of inputs) checkArray(device, input, shader);
  for (const shape of shapes) checkBindable(device, shape, shader);
  const outputs: GpuArray[] = [];
  try {
    for (const shape of shapes) outputs.push(GpuArray.allocate(device, shape, shader.name));
    run(device, shader, inputs, outputs, uniforms, grid);
  } catch (error) {
    for (const array of outputs) array.release();
    throw error;
  }
  return outputs;
}

/** The same, into arrays that are there already, as a change of theirs in place. None of them may be among the inputs. */
export function launchInto(
  shader: Shader,
  inputs: readonly GpuArray[],
  outputs: readonly GpuArray[],
  uniforms: readonly UniformBlock[],
  grid: Grid,
): void {
  const device = outputs[0]?.device ?? currentDevice();
  for (const array of [...inputs, ...outputs]) checkArray(device, array, shader);
  for (const output of outputs) output.beforeChange();
  checkApart(inputs, outputs, shader);
  run(device, shader, inputs, outputs, uniforms, grid);
  for (const output of outputs) output.hold().storage.version++;
}

function run(
  device: Device,
  shader: Shader,
  inputs: readonly GpuArray[],
  outputs: readonly GpuArray[],
  uniforms: readonly UniformBlock[],
  grid: Grid,
): void {
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

/** @throws LimitError where an array is larger than one binding may be, and can't be taken in windows. */
function checkBindable(device: Device, shape: Shape, { name, traits }: Shader): void {
  if (traits.windows === true) return;
  const most = device.limits.maxStorageBufferBindingSize;
  const bytes = sizeOf(shape) * 4;
  if (bytes <= most) return;
  throw new LimitError(
    `${name}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can bind ${most}`,
    bytes,
    most,
  );
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
