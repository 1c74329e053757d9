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
 * What was computed before is submitted first. Until the application submits the encoder, gpugrad may compute, read and submit
 * anything else, by other encoders, too. What needs `f`'s results must be submitted behind it, so after the application's
 * submit; gpugrad submits at the end of the task at the latest, at a read, at `flush()`, or when `data.buffer` is asked for. Too
 * early are, each with a ValidationError that says so:
 *
 * - a read of a result: it rejects, and works after the submit
 * - what is computed from a result: it has none itself
 * - a change in place of what `f` reads: `f`'s results are lost. Of what `f` writes: it holds until the encoder is submitted after
 *   all, which writes over it
 *
 * The memory that `f` uses is nobody else's until the encoder has run, also where its arrays are disposed; so an encoder that
 * is never submitted keeps it. Inside of `f` nothing can be read or awaited. What WebGPU says against the encoder's commands, it
 * says to the application that finishes and submits it.
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
