/** Whether operations remember how they were made. */
import { checkFunction } from "../base/arguments.js";
import { ArgumentError } from "../base/errors.js";
import { Setting } from "./setting.js";

const enabled = new Setting(true);

/** False inside `noGrad`, and while a backward pass runs that need not be differentiated itself. */
export function gradEnabled(): boolean {
  return enabled.current;
}

/** Runs `f` with remembering switched on or off, and switches back whatever happens. */
export function withGrad<T>(on: boolean, f: () => T): T {
  return enabled.during(on, f);
}

/**
 * Runs `f` and gives its result; operations in it build no graph, so they cost no memory beyond their results.
 *
 * @throws ArgumentError where `f` is async: what it does after its first await would be remembered again.
 * @example
 * noGrad(() => x.assign(x.sub(x.grad.mul(0.1))));
 */
export function noGrad<T>(f: () => T): T {
  checkFunction(f, "what noGrad runs");
  const result = withGrad(false, f);
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    throw new ArgumentError("noGrad takes a function that is not async: put the awaits outside of it");
  }
  return result;
}
