/** From a shader and the memory that it works on to recorded commands. */
import { at } from "../base/assert.js";
import type { Bound } from "./bind-groups.js";
import type { Device } from "./device.js";
import { copyPart, needsCopies, onCopies } from "./foreign.js";
import { workgroupsOf } from "./grid.js";
import type { Compiled } from "./shader.js";
import type { Storage } from "./storage.js";
import { paddedBytes, type Part, type Work } from "./work.js";

/**
 * Records a run of a shader: one dispatch, or several where arrays are larger than a binding may be. What may fail is
 * submitted alone. Of the application's own buffers, it writes the arrays' elements and nothing else.
 */
export function dispatch(device: Device, work: Work): void {
  if (needsCopies(device, work)) {
    onCopies(device, work, dispatch);
    return;
  }
  const compiled = work.shader.compile(device);
  const sizes = work.shader.traits.origin === "kernel" ? sizesOf(work) : "";
  const mayFail = compiled.mayFail(sizes);
  const recordParts = (): void => {
    if (!compiled.isVerified) device.recorder.check(compiled.mistake);
    for (const part of partsOf(work, device.limits)) record(device, part, compiled, mayFail);
  };
  if (!mayFail && !work.inputs.some(isRisky) && !work.outputs.some(isRisky)) {
    recordParts();
    return;
  }
  void device.recorder.isolated(recordParts).then((failure) => {
    if (failure === null) compiled.worked(sizes);
  });
}

/** Copies the numbers of one array to another one's place. */
export function copyNumbers(device: Device, from: Part, to: Part): void {
  copyPart(device, from, to, dispatch);
}

function record(device: Device, work: Work, compiled: Compiled, mayFail: boolean): void {
  const { shader, inputs, outputs, shapes, workgroups } = work;
  const { inPlace, origin } = shader.traits;
  const reads = storagesOf(inputs);
  const writes = storagesOf(outputs);
  // A user's kernel may leave a part of what it writes as it was.
  const readsOutputs = inPlace === true || origin === "kernel";
  // Only what WebGPU may refuse needs error scopes around it.
  const purpose = !mayFail && reads.every(isSure) && writes.every(isSure) ? null : shader.name;
  device.recorder.dispatch({
    name: shader.name,
    role: shader.role,
    shapes,
    reads: readsOutputs ? [...reads, ...writes] : reads,
    writes,
    pipeline: compiled.pipeline,
    bindGroup: device.bindGroups.get(compiled.layout, bindingsOf(device, work), purpose),
    workgroups,
    bytes: bytesOf(inputs) + bytesOf(outputs),
  });
}

/** What stands at each binding. */
function bindingsOf(device: Device, { shader, inputs, outputs, uniforms }: Work): Bound[] {
  const next = { input: 0, output: 0, uniform: 0 };
  const padded = shader.traits.padded === true;
  return shader.bindings.map((kind) => {
    const index = next[kind]++;
    if (kind === "uniform") return device.uniforms.get(at(uniforms, index));
    const { storage, offset, bytes } = at(kind === "input" ? inputs : outputs, index);
    const { gpuBuffer, number } = storage.buffer;
    return { buffer: gpuBuffer, number, offset, size: padded ? paddedBytes(bytes) : Math.max(4, bytes) };
  });
}

/** An array in parts that fit a binding. */
export function windowsOf({ storage, offset, bytes }: Part, limits: GPUSupportedLimits): Part[] {
  const { maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: alignment } = limits;
  const step = Math.floor(most / alignment) * alignment;
  return Array.from({ length: Math.ceil(bytes / step) }, (_, k) => ({
    storage,
    offset: offset + k * step,
    bytes: Math.min(step, bytes - k * step),
  }));
}

/** The same work in parts that fit a binding, where the shader takes such: arrays of the outputs' size are cut alike. */
function partsOf(work: Work, limits: GPUSupportedLimits): readonly Work[] {
  const { shader } = work;
  const [output] = work.outputs;
  if (shader.traits.windows !== true || output === undefined || output.bytes <= limits.maxStorageBufferBindingSize) {
    return [work];
  }
  return windowsOf(output, limits).map(({ offset, bytes }) => {
    const start = offset - output.offset;
    const cut = (part: Part): Part =>
      part.bytes === output.bytes ? { storage: part.storage, offset: part.offset + start, bytes } : part;
    return {
      ...work,
      inputs: work.inputs.map(cut),
      outputs: work.outputs.map(cut),
      workgroups: workgroupsOf({ invocations: Math.ceil(bytes / 16) }, shader.workgroupSize, limits, shader.name),
    };
  });
}

function isRisky({ storage }: Part): boolean {
  return storage.buffer.isRisky;
}

function isSure({ buffer }: Storage): boolean {
  return buffer.isSure;
}

function storagesOf(parts: readonly Part[]): Storage[] {
  return parts.map(({ storage }) => storage);
}

function bytesOf(parts: readonly Part[]): number {
  let total = 0;
  for (const { bytes } of parts) total += bytes;
  return total;
}

function sizesOf({ inputs, outputs, uniforms }: Work): string {
  return [
    ...inputs.map(({ bytes }) => bytes),
    ...outputs.map(({ bytes }) => bytes),
    ...uniforms.map(({ byteLength }) => byteLength),
  ].join();
}
