/**
 * The application's own buffers: which are taken, and how they are worked on. Shaders read and write whole vec4s, at offsets
 * that WebGPU allows: where a foreign buffer ends before that, or has the application's bytes there, they work on a copy in
 * memory of gpugrad's own.
 */
import moveWgsl from "../../shaders/move.wgsl?raw";
import { describe } from "../base/describe.js";
import { ArgumentError, LimitError } from "../base/errors.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import { isOwnBuffer } from "./buffer.js";
import type { Device } from "./device.js";
import { workgroupsOf } from "./grid.js";
import { Shader } from "./shader.js";
import { Storage } from "./storage.js";
import { paddedBytes, type Part, type Work } from "./work.js";

const mover = new Shader("move", moveWgsl, ["input", "output"], 256, { origin: "library", windows: true });

type Run = (device: Device, work: Work) => void;

/** Whether some of what the shader is run on can't be given to it as it is. */
export function needsCopies(device: Device, { shader, inputs, outputs }: Work): boolean {
  const padded = shader.traits.padded === true;
  return (
    !inputs.every((part) => canRead(device, part, padded)) || !outputs.every((part) => canWrite(device, part, padded))
  );
}

/** Has `run` do the work, with copies in the place of what shaders can't be given; what they wrote is copied back. */
export function onCopies(device: Device, work: Work, run: Run): void {
  const { traits } = work.shader;
  const padded = traits.padded === true;
  const temporary: Storage[] = [];
  const copyOf = (part: Part, isRead: boolean): Part => {
    const storage = Storage.allocate(device.pool, part.bytes, "copy");
    temporary.push(storage);
    const copy = { storage, offset: 0, bytes: part.bytes };
    if (isRead) copyPart(device, part, copy, run);
    return copy;
  };
  // A user's kernel may leave a part of what it writes as it was.
  const readsOutputs = traits.inPlace === true || traits.origin === "kernel";
  try {
    const inputs = work.inputs.map((part) => (canRead(device, part, padded) ? part : copyOf(part, true)));
    const outputs = work.outputs.map((part) => (canWrite(device, part, padded) ? part : copyOf(part, readsOutputs)));
    run(device, { ...work, inputs, outputs });
    work.outputs.forEach((part, k) => {
      const written = outputs[k];
      if (written !== undefined && written !== part) copyPart(device, written, part, run);
    });
  } finally {
    for (const storage of temporary) storage.release();
  }
}

/** Copies the numbers of one array to another one's place, by a shader where a foreign buffer's usage forbids a copy. */
export function copyPart(device: Device, from: Part, to: Part, run: Run): void {
  const { bytes } = to;
  if (bytes === 0) return;
  const canCopy = (from.storage.buffer.usage & 0x4) !== 0 && (to.storage.buffer.usage & 0x8) !== 0;
  if (canCopy && from.storage !== to.storage) {
    device.recorder.copy(from.storage, from.offset, to.storage, to.offset, bytes, "copy");
    return;
  }
  if (from.storage === to.storage) {
    // WebGPU copies within no buffer.
    const between = { storage: Storage.allocate(device.pool, bytes, "copy"), offset: 0, bytes };
    copyPart(device, from, between, run);
    copyPart(device, between, to, run);
    between.storage.release();
    return;
  }
  const workgroups = workgroupsOf({ invocations: Math.ceil(bytes / 16) }, 256, device.limits, mover.name);
  run(device, { shader: mover, inputs: [from], outputs: [to], uniforms: [], workgroups, shapes: [] });
}

function canRead(device: Device, part: Part, padded: boolean): boolean {
  const { storage, offset, bytes } = part;
  if (storage.buffer.state !== "foreign") return true;
  const bound = padded ? paddedBytes(bytes) : Math.max(4, bytes);
  return isAligned(device, offset) && offset + bound <= storage.buffer.bytes;
}

/** What is beyond the array's elements is the application's. */
function canWrite(device: Device, part: Part, padded: boolean): boolean {
  return canRead(device, part, padded) && (!padded || part.storage.buffer.state !== "foreign" || part.bytes % 16 === 0);
}

/** Whether a shader can be given a buffer from this offset on. */
export function isAligned({ limits }: Device, offset: number): boolean {
  return offset % limits.minStorageBufferOffsetAlignment === 0;
}

/** @throws ArgumentError, LimitError where an array of this shape can't be laid over the application's buffer. */
export function checkForeign(device: Device, buffer: GPUBuffer, shape: Shape, offset: number): void {
  const given: unknown = buffer;
  if (!isBuffer(given)) throw new ArgumentError(`fromBuffer takes a GPUBuffer, not ${describe(given)}`);
  if (isOwnBuffer(buffer)) {
    throw new ArgumentError(
      "fromBuffer: this buffer is gpugrad's own, that of an array: take the array itself, or data.reshape(shape)",
    );
  }
  if ((buffer.usage & 0x80) === 0) throw new ArgumentError("fromBuffer: the buffer's usage must include STORAGE");
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % 4 !== 0) {
    throw new ArgumentError(`fromBuffer: offset must be a multiple of 4, not ${describe(offset)}`);
  }
  const needed = offset + sizeOf(shape) * 4;
  if (buffer.size < needed) {
    throw new LimitError(
      `fromBuffer: shape ${showShape(shape)} at offset ${offset} needs a buffer of ${needed} bytes, this one has ${buffer.size}`,
      needed,
      buffer.size,
    );
  }
  if (!isAligned(device, offset) && (buffer.usage & 0xc) !== 0xc) {
    throw new ArgumentError(
      `fromBuffer: offset must be a multiple of ${device.limits.minStorageBufferOffsetAlignment} on this device, or the ` +
        `buffer's usage include COPY_SRC and COPY_DST; it is ${offset}`,
    );
  }
}

/** Told by what it can do: runtimes differ in the name of its class. */
function isBuffer(value: unknown): value is GPUBuffer {
  if (typeof value !== "object" || value === null) return false;
  try {
    const { size, usage, mapAsync, destroy } = value as Record<keyof GPUBuffer, unknown>;
    return [size, usage].every(Number.isSafeInteger) && [mapAsync, destroy].every((f) => typeof f === "function");
  } catch {
    // The getters of a buffer refuse what only looks like one.
    return false;
  }
}
