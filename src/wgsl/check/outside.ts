/** The functions of shaders/math, as a source that calls them sees them: names and types. */
import { sourceOfMath } from "../all-math.js";
import { plainName } from "../math.js";
import { ModuleScope } from "./module-scope.js";
import { parse } from "../language/parser.js";
import { SourceText } from "../language/source-text.js";
import type { Callable } from "./symbols.js";

/** By file: what it declares. Read at the first call of one of its functions. */
const known = new Map<string, ReadonlyMap<string, Callable>>();

/** A function of gpugrad's own, such as math_exp; null where there is none of this name. */
export function mathFunction(name: string): Callable | null {
  if (!name.startsWith("math_")) return null;
  const text = sourceOfMath(name);
  if (text === null) return null;
  let functions = known.get(text);
  if (functions === undefined) {
    const source = new SourceText(text, "math");
    ({ functions } = new ModuleScope(source, parse(source), mathFunction));
    known.set(text, functions);
  }
  const found = functions.get(plainName(name));
  // Its body isn't the source's own.
  return found === undefined ? null : { ...found, declaration: null };
}
