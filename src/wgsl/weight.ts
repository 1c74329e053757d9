/** How much there is to compile in a function: compilers inline every call, so that what it calls counts each time. */
import { joinMath, type MathMode } from "./math.js";

/** Names, numbers and operators. */
const symbol = /[\w.]+|[-+*/%&|^<>=!~?:]+/g;

/**
 * The number of symbols in a function of this source once all that it calls, of the source or of gpugrad's math, is
 * inlined. 0 where the source has no such function.
 */
export function weightOf(source: string, name: string, mode: MathMode): number {
  const bodies = bodiesOf(blankComments(joinMath(source, mode)));
  const weights = new Map<string, number>();
  const weigh = (callee: string): number => {
    const known = weights.get(callee);
    if (known !== undefined) return known;
    // A function that calls itself is for the WGSL compiler to refuse.
    weights.set(callee, 0);
    const symbols = bodies.get(callee) ?? [];
    const weight = symbols.reduce((sum, each) => sum + (bodies.has(each) ? weigh(each) : 1), 0);
    weights.set(callee, weight);
    return weight;
  };
  return weigh(name);
}

/** The symbols of each function, by its name. */
function bodiesOf(code: string): ReadonlyMap<string, readonly string[]> {
  const parts = code.split(/\bfn\s+(?=\w)/).slice(1);
  return new Map(
    parts.map((part) => {
      const name = /^\w+/.exec(part)?.[0] ?? "";
      return [name, part.slice(name.length).match(symbol) ?? []];
    }),
  );
}

/** The code with comments turned to blanks, so that every index and line stays where it was. */
function blankComments(wgsl: string): string {
  let code = "";
  let depth = 0;
  for (let i = 0; i < wgsl.length; i++) {
    const two = wgsl.slice(i, i + 2);
    if (depth === 0 && two === "//") {
      while (i < wgsl.length && wgsl[i] !== "\n") {
        code += " ";
        i++;
      }
      if (i < wgsl.length) code += "\n";
    } else if (two === "/*") {
      depth++;
      code += "  ";
      i++;
    } else if (depth > 0 && two === "*/") {
      depth--;
      code += "  ";
      i++;
    } else {
      code += depth > 0 && wgsl[i] !== "\n" ? " " : (wgsl[i] ?? "");
    }
  }
  return code;
}
