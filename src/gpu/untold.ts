/**
 * Tells on the console of what went wrong and nobody reads of: reads reject with it, and some results are only drawn, or go
 * into others.
 */
import type { GpugradError } from "../base/errors.js";
import type { Loss } from "./loss.js";

/** So many milliseconds a read may come later than what WebGPU has told. */
const patience = 1000;
/** The most sentences that are remembered, so that what goes wrong in each frame is written once. */
const mostWritten = 100;

const told = new WeakSet<Error>();
const written = new Set<string>();

/** Somebody gets this error, and so what it was made of. */
export function tell(error: Error): void {
  told.add(error);
  if (error.cause instanceof Error) tell(error.cause);
}

/** Whether somebody has got it, or what it was made of. */
function isTold(error: Error): boolean {
  return told.has(error) || (error.cause instanceof Error && isTold(error.cause));
}

/** An error that reads may reject with: where none does, the console hears of it, once. `what` says what has happened. */
export function tellUnlessRead(error: GpugradError, what: string, loss: Loss): void {
  setTimeout(() => {
    // With the device go its results: reads reject with that.
    if (isTold(error) || loss.error !== null) return;
    tell(error);
    // A shader is told of by its own error, again for each.
    if (error.code !== "wgsl") {
      if (written.has(error.message) || written.size >= mostWritten) return;
      written.add(error.message);
    }
    console.error(`gpugrad: ${what}, and nobody has read what it was to give.`, error);
  }, patience);
}
