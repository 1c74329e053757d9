/** Reading back: a copy to a mappable buffer, recorded behind the work it waits for. */
import { OutOfMemoryError, ValidationError, type GpugradError } from "../base/errors.js";
import type { GpuArray } from "./array.js";
import type { Storage } from "./storage.js";

const usage = 0x1 /* MAP_READ */ | 0x8; /* COPY_DST */

export async function read(array: GpuArray): Promise<Float32Array> {
  array.check();
  if (array.constant !== null) return roomFor(array.size, "read").fill(array.constant);
  if (array.element !== null) {
    const { size } = array;
    const [value = NaN] = await read(array.element);
    return roomFor(size, "read").fill(value);
  }
  const { storage, bytes } = array;
  if (bytes === 0) return new Float32Array(0);
  // The read's own reference: the array may be released while it waits.
  storage.retain();
  try {
    const first = await copyBack(storage, bytes);
    if (first instanceof Float32Array) return first;
    // Something else in the same batch failed and took the copy with it; in a batch of its own it works.
    const second = await copyBack(storage, bytes);
    if (second instanceof Float32Array) return second;
    throw second;
  } finally {
    storage.release();
  }
}

/** The numbers, or why the copy failed. @throws what went wrong with the array itself, or with the device. */
async function copyBack(storage: Storage, bytes: number): Promise<Float32Array | GpugradError> {
  const { device } = storage;
  const { recorder, pool } = device;
  if (device.lost !== null) throw device.lost;
  const staging = pool.take(bytes, usage, "read");
  try {
    recorder.copyToBuffer(storage, staging, bytes, "read");
    recorder.flush();
    device.gpuDevice.pushErrorScope("validation");
    const mapping = staging.buffer.mapAsync(1 /* READ */, 0, bytes).then(
      () => true,
      () => false,
    );
    device.gpuDevice.popErrorScope().catch(() => undefined);
    const [isMapped, failure] = await device.orLost(Promise.all([mapping, recorder.settled()]));
    if (storage.failure !== null) throw storage.failure;
    const refused = staging.failure ?? failure;
    if (refused !== null || !isMapped) pool.distrust(staging);
    if (refused !== null) return refused;
    if (!isMapped) {
      return (await device.isLostNow()) ?? new ValidationError("the buffer to read back with could not be mapped");
    }
    const values = roomFor(bytes / 4, "read");
    values.set(new Float32Array(staging.buffer.getMappedRange(0, bytes)));
    return values;
  } finally {
    if (staging.buffer.mapState === "mapped") staging.buffer.unmap();
    pool.give(staging);
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
