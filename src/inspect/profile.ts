/** Where the GPU's time goes. */
import { checkFunction } from "../base/arguments.js";
import { currentDevice } from "../gpu/current.js";
import { Profiler } from "../gpu/profiler.js";

/** One dispatch of a profiled function. */
export interface ProfileEntry {
  /** The function's name, such as "square"; "sum", "fill" and so on for shaders that have one direction. */
  readonly name: string;
  /** Whether it computed results or gradients; null for shaders that have one direction. */
  readonly direction: "forward" | "backward" | null;
  /** Milliseconds on the GPU; null where the device has no timestamp queries. Browsers round it, often to 0.1 ms. */
  readonly gpuTime: number | null;
  /** Bytes of the arrays that are read and written. */
  readonly bytes: number;
}

/**
 * Runs `f`, which may be async, and gives what it dispatched, in order, with times. Every dispatch is measured alone, so
 * the whole takes longer than it does otherwise. While an async `f` waits, what others dispatch is among the entries.
 *
 * @example
 * const entries = await profile(() => square(exp(new Variable([1, 2]))).backward());
 * console.log(entries.map(({ name }) => name).join()); // "exp,square,square,exp"
 */
export async function profile(f: () => unknown): Promise<ProfileEntry[]> {
  checkFunction(f, "what profile runs");
  const finish = Profiler.start(currentDevice());
  try {
    const result = f();
    if (typeof (result as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function") await result;
  } catch (error) {
    await finish().catch(() => undefined);
    throw error;
  }
  const measured = await finish();
  return measured.map(({ role, bytes, nanoseconds }) => ({
    ...role,
    gpuTime: nanoseconds === null ? null : nanoseconds / 1e6,
    bytes,
  }));
}
