/** Tells on the console of mistakes in WGSL that nobody reads of: reads reject with them, and some results are only drawn. */
import type { WgslError } from "../base/errors.js";
import type { Loss } from "./loss.js";

/** So many milliseconds a read may come later than the compiler's answer. */
const patience = 1000;

const told = new WeakSet<Error>();

/** Somebody gets this error, and so what it was made of. */
export function tell(error: Error): void {
  told.add(error);
  if (error.cause instanceof Error) tell(error.cause);
}

/** An error that reads may reject with: where none does, the console hears of it, once. */
export function tellUnlessRead(mistake: WgslError, loss: Loss): void {
  setTimeout(() => {
    // With the device go its results: reads reject with that.
    if (told.has(mistake) || loss.error !== null) return;
    tell(mistake);
    console.error("gpugrad: a shader doesn't compile, and nobody has read what it was to give.", mistake);
  }, patience);
}
