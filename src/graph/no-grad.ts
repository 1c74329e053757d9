/** Computing without a graph. */
import { checkFunction, hasMethod } from "../base/arguments.js";
import { ArgumentError } from "../base/errors.js";
import { GpuArray } from "../gpu/array.js";
import { gradEnabled, withGrad } from "./grad-mode.js";
import { givingBack } from "./made-here.js";
import { Variable } from "./variable.js";

/**
 * Runs `f` and gives its result; operations in it build no graph. What was computed on the way to a result is given back
 * with the result, by dispose(), or when the garbage collector finds it; where `f` throws, at once.
 *
 * @throws ArgumentError where `f` is async: what it does after its first await would be remembered again.
 * @example
 * using y = noGrad(() => square(exp(x)));
 */
export function noGrad<T>(f: () => T): T {
  checkFunction(f, "what noGrad runs");
  const result = givingBack(() => withGrad(false, f));
  if (hasMethod(result, "then")) {
    throw new ArgumentError("noGrad takes a function that is not async: put the awaits outside of it");
  }
  if (gradEnabled()) handOut(result);
  return result;
}

/** How deep results are looked for in what noGrad gives. */
const mostDepth = 4;

/** What the outermost noGrad gives is somebody's: it stays readable when what is computed from it is disposed. */
function handOut(result: unknown): void {
  const seen = new Set<unknown>();
  let level: unknown[] = [result];
  for (let depth = 0; depth <= mostDepth; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null || seen.has(value)) continue;
      seen.add(value);
      if (value instanceof Variable) value.handOut();
      else next.push(...partsOf(value));
    }
    level = next;
  }
}

/** What is in a list, a Map, a Set, or an object of any class, as far as it can be seen without running a getter. */
function partsOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value) || value instanceof GpuArray) return [];
  const parts: unknown[] = Object.values(Object.getOwnPropertyDescriptors(value)).map(({ value }): unknown => value);
  if (value instanceof Map) parts.push(...value.keys(), ...value.values());
  else if (value instanceof Set) parts.push(...value.values());
  return parts;
}
