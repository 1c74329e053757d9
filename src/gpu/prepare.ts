/** Compiling ahead of the first call. */
import { checkList } from "../base/arguments.js";
import { ArgumentError } from "../base/errors.js";
import { describe } from "../base/describe.js";

/** What can be compiled ahead: an element-wise function, a fused one, a Kernel. */
export interface Preparable {
  /** Compiles without blocking. */
  prepare(): Promise<void>;
}

/**
 * Compiles the shaders of functions without blocking, so that their first call doesn't wait for the compiler: what they
 * need for whole arrays, forward and backward.
 *
 * @throws (rejects) WgslError where a source has a mistake; ArgumentError for what can't be prepared.
 * @example
 * await prepare(square, exp);
 */
export async function prepare(...functions: (Preparable | readonly Preparable[])[]): Promise<void> {
  const all = functions.flatMap((f) =>
    Array.isArray(f) ? checkList<Preparable>(f, "what prepare takes") : [f as Preparable],
  );
  for (const f of all) {
    const given = f as Partial<Preparable> | null | undefined;
    if (typeof given?.prepare !== "function") {
      throw new ArgumentError(`prepare takes element-wise or fused functions and Kernels, not ${describe(f)}`);
    }
  }
  // Async, so that what one throws at once is found with what the others reject with.
  await Promise.all(all.map(async (f) => f.prepare()));
}
