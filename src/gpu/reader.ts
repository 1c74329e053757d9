/** Reading back: a copy to a mappable buffer, recorded behind the work it waits for. */
import { ArgumentError, isGpugradError, OutOfMemoryError, ValidationError, type GpugradError } from "../base/errors.js";
import { remade } from "../base/remade.js";
import type { Device } from "./device.js";
import { caught } from "./error-scopes.js";
import { tell } from "./untold.js";
import type { Part } from "./work.js";

const usage = 0x1 /* MAP_READ */ | 0x8; /* COPY_DST */

/** The numbers of a part of an array's memory. */
export async function read(device: Device, part: Part): Promise<Float32Array> {
  if (part.bytes === 0) return new Float32Array(0);
  if (device.recorder.isInto) {
    throw new ArgumentError(
      "nothing can be read inside of encodeInto: its commands run when the application submits them",
    );
  }
  // What goes wrong is told long after: its own stack would show nobody's call.
  const called = new Error();
  // The read's own reference: the array may be released while it waits.
  const { storage } = part;
  storage.retain();
  try {
    const first = await copyBack(device, part);
    // A loop that forgets goes on no faster than what it forgot is found.
    await device.pressure.relief;
    if (first instanceof Float32Array) return first;
    // Something else in the same batch failed and took the copy with it; in a batch of its own it works.
    const second = await copyBack(device, part);
    if (second instanceof Float32Array) return second;
    throw second;
  } catch (error) {
    throw isGpugradError(error) ? seenFrom(error, called) : error;
  } finally {
    storage.release();
  }
}

/** The error, as of the call of whom it concerns. */
function seenFrom(error: GpugradError, { stack }: Error): GpugradError {
  tell(error);
  const again = remade(error);
  if (again === error || stack === undefined) return error;
  // V8 repeats name and message before the frames; others have the frames alone.
  const value = stack.replace(/^Error.*/, () => `${again.name}: ${again.message}`);
  Object.defineProperty(again, "stack", { value, configurable: true, writable: true });
  return again;
}

/** The numbers, or why the copy failed. @throws what went wrong with the array itself, or with the device. */
async function copyBack(device: Device, { storage, offset, bytes }: Part): Promise<Float32Array | GpugradError> {
  const { recorder, pool, loss } = device;
  if (device.lost !== null) throw device.lost;
  const staging = pool.take(bytes, usage, "read");
  try {
    const copied = recorder.copyToBuffer(storage, offset, { buffer: staging, offset: 0 }, bytes, "read");
    recorder.flush();
    device.gpuDevice.pushErrorScope("validation");
    const mapping = staging.gpuBuffer.mapAsync(1 /* READ */, 0, bytes).then(
      () => true,
      () => false,
    );
    void caught(device.gpuDevice);
    const [isMapped, failure] = await loss.orLost(Promise.all([mapping, recorder.settled()]));
    const wrong = storage.failure ?? copied.failure ?? null;
    if (wrong !== null) throw wrong;
    const refused = staging.refusal ?? failure;
    if (refused !== null || !isMapped) pool.suspect(staging);
    if (refused !== null) return refused;
    const mapped = isMapped ? rangeOf(staging.gpuBuffer, bytes) : null;
    if (mapped === null) {
      return (await loss.soon()) ?? new ValidationError("the buffer to read back with could not be mapped");
    }
    const values = roomFor(bytes / 4, "read");
    values.set(mapped);
    return values;
  } finally {
    if (staging.gpuBuffer.mapState === "mapped") staging.gpuBuffer.unmap();
    pool.give(staging);
  }
}

/** What is mapped; null where a loss of the device came between. */
function rangeOf(buffer: GPUBuffer, bytes: number): Float32Array | null {
  try {
    return new Float32Array(buffer.getMappedRange(0, bytes));
  } catch {
    return null;
  }
}

/** Zeros in the page's memory. @throws OutOfMemoryError, naming `purpose`, where it has no room for so many. */
export function roomFor(numbers: number, purpose: string): Float32Array {
  try {
    return new Float32Array(numbers);
  } catch {
    throw new OutOfMemoryError(`${purpose}: the page has no room for ${numbers} numbers`, numbers * 4);
  }
}
