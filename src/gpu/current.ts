/** The device of new Variables: the one that `init()` gave last. */
import { NotInitializedError } from "../base/errors.js";
import type { Device, Stats } from "./device.js";

let current: Device | null = null;

export function setCurrentDevice(device: Device): void {
  current = device;
}

/** The current device, lost or not; null before `init()`. */
export function lastDevice(): Device | null {
  return current;
}

/**
 * The device of new Variables.
 *
 * @throws NotInitializedError before `await init()`, DeviceLostError after a loss.
 */
export function currentDevice(): Device {
  if (current === null) throw new NotInitializedError("gpugrad has no device yet: call await init() first");
  if (current.lost !== null) throw current.lost;
  return current;
}

/**
 * Counters of the current device.
 *
 * @example
 * const before = stats().dispatches;
 * square(x);
 * console.log(stats().dispatches - before); // 1
 */
export function stats(): Stats {
  return currentDevice().stats();
}

/**
 * Submits what is recorded, without waiting. Reads do it themselves, and so does the end of the current task.
 *
 * @throws NotInitializedError, DeviceLostError.
 * @example
 * const z = square(x);
 * flush(); // the GPU may begin
 */
export function flush(): void {
  currentDevice().recorder.flush();
}
