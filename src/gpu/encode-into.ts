/** gpugrad's commands among an application's own. */
import { hasMethod } from "../base/arguments.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import { currentDevice } from "./current.js";

/**
 * Has the commands of everything that `f` computes go into the application's own encoder, between those that it recorded
 * before and those that it records afterwards: one submit for all, in this order. Without it, gpugrad submits by itself, at
 * the end of the current task at the latest; see `flush`.
 *
 * What was computed before is submitted first. Submit the encoder before gpugrad submits anything else: so before the end of
 * the task, a read, `flush()`, or `data.buffer` where anything was computed since. Else what was computed in `f` has no result:
 * reading it, or what comes from it, rejects with a ValidationError. Inside of `f` nothing can be read or awaited. What WebGPU says against the encoder's commands, it says to the application that finishes and submits it.
 *
 * @param encoder of the current device, with no pass open
 * @returns what `f` gives
 * @throws ArgumentError where the encoder is none, `f` is async, or encodeInto is called inside of itself; what `f` throws.
 * @example
 * const encoder = device.gpuDevice.createCommandEncoder();
 * const z = encodeInto(encoder, () => square(x).mul(2));
 * // … the application's own passes, which draw from z.data.buffer
 * device.gpuDevice.queue.submit([encoder.finish()]);
 * await z.read(); // [2, 8, 18]
 */
export function encodeInto<T>(encoder: GPUCommandEncoder, f: () => T): T {
  const { recorder } = currentDevice();
  const given: unknown = encoder;
  if (!hasMethod(given, "beginComputePass")) {
    throw new ArgumentError(`encodeInto: the encoder must be a GPUCommandEncoder, not ${describe(given)}`);
  }
  if (typeof f !== "function")
    throw new ArgumentError(`encodeInto: what computes must be a function, not ${describe(f)}`);
  if (recorder.isInto) throw new ArgumentError("encodeInto can't be called inside of itself");
  const result = recorder.into(encoder, f);
  if (hasMethod(result, "then")) {
    // Nobody else hears of what it rejects with.
    Promise.resolve(result).catch(() => undefined);
    throw new ArgumentError(
      "encodeInto: the function is async, but nothing can be awaited while commands are recorded",
    );
  }
  return result;
}
