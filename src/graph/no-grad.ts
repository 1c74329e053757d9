/** Computing without a graph. */
import { checkFunction } from "../base/arguments.js";
import { ArgumentError } from "../base/errors.js";
import { gradEnabled, withGrad } from "./grad-mode.js";
import { Variable } from "./variable.js";

/**
 * Runs `f` and gives its result; operations in it build no graph. What was computed on the way to a result is given back
 * with the result, by dispose(), or when the garbage collector finds it.
 *
 * @throws ArgumentError where `f` is async: what it does after its first await would be remembered again.
 * @example
 * using y = noGrad(() => square(exp(x)));
 */
export function noGrad<T>(f: () => T): T {
  checkFunction(f, "what noGrad runs");
  const result = withGrad(false, f);
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    throw new ArgumentError("noGrad takes a function that is not async: put the awaits outside of it");
  }
  if (gradEnabled()) hold(result, 4);
  return result;
}

/** What the outermost noGrad gives is somebody's: it stays when what is computed from it is disposed. */
function hold(result: unknown, depth: number): void {
  if (result instanceof Variable) result.holdResult();
  else if (depth > 0 && typeof result === "object" && result !== null && isPlain(result)) {
    for (const part of Object.values(result)) hold(part, depth - 1);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
