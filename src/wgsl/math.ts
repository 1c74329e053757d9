/**
 * gpugrad's own exp, log, sin and so on (shaders/math/): a shader that names `math_exp` gets shaders/math/exp.wgsl,
 * and what that names in turn, each once. With native math it gets the driver's function under the same name. What somebody's
 * own source calls math_exp is always gpugrad's: it becomes `math_exact_exp`, which has no native form (exact-calls.ts).
 */

/** Whose exp, log, sin and so on: gpugrad's own WGSL, with stated errors, or the driver's. */
export type MathMode = "exact" | "native";

/** Source by name: "exp" for shaders/math/exp.wgsl. Those alone that something names which is loaded: see scripts/shader-modules.js. */
const modules = new Map<string, string>();

/**
 * A file of shaders/math/, to be found by what is joined.
 *
 * @param file its name, without the ending
 * @param _math the files that it names, which come with it
 * @generated is what calls it: what scripts/shader-modules.js makes of each of the files
 */
export function mathFile(file: string, wgsl: string, ..._math: readonly unknown[]): string {
  modules.set(file, wgsl);
  return wgsl;
}

/**
 * A text that names math. Each import of a .wgsl file gives this; what is written in TypeScript says it itself.
 *
 * @param _math the files that it names, as they are imported, which come with it
 */
export function withMath(wgsl: string, ..._math: readonly unknown[]): string {
  return wgsl;
}

/** The same functions in the language itself. */
const native = new Map<string, string>([
  ...["exp", "log", "sin", "cos", "tan", "tanh", "sqrt"].map((name): [string, string] => [
    name,
    `fn math_${name}(x: f32) -> f32 { return ${name}(x); }\n`,
  ]),
  ...["pow", "atan2"].map((name): [string, string] => [
    name,
    `fn math_${name}(a: f32, b: f32) -> f32 { return ${name}(a, b); }\n`,
  ]),
  ["tan_slope", "fn math_tan_slope(x: f32) -> f32 { let t = tan(x); return 1.0 + t * t; }\n"],
  ["erf_slope", "fn math_erf_slope(x: f32) -> f32 { return 1.1283791670955126 * exp(-x * x); }\n"],
  ...[
    ["sigmoid_slope", 1],
    ["tanh_slope", 2],
  ].map(([name, k]): [string, string] => [
    `${name}`,
    `fn math_${name}(x: f32) -> f32 { let e = exp(-${k}.0 * abs(x)); let d = 1.0 + e; return ${k}.0 * ${k}.0 * e / (d * d); }\n`,
  ]),
  ["div", "fn math_div(a: f32, b: f32) -> f32 { return a / b; }\n"],
]);

const word = /\bmath_\w+/g;
const exact = "math_exact_";

/** Whether a file of functions, or one that it names, is another one with native math. */
const dependent = new Map<string, boolean>();

function dependsOnMode(file: string): boolean {
  const known = dependent.get(file);
  if (known !== undefined) return known;
  const text = modules.get(file);
  // What is loaded later may bring it.
  if (text === undefined) return false;
  dependent.set(file, false);
  const isDependent =
    native.has(file) ||
    [...text.matchAll(word)].some(([name]) => {
      const other = moduleOf(name.slice("math_".length));
      return other !== null && dependsOnMode(other);
    });
  dependent.set(file, isDependent);
  return isDependent;
}

/** The name of a function of gpugrad's, such as math_exp, that stands for it with native math, too. */
export function exactName(name: string): string {
  const file = name.startsWith(exact) ? null : moduleOf(name.slice("math_".length));
  return file !== null && dependsOnMode(file) ? `${exact}${name.slice("math_".length)}` : name;
}

/** The name of the function that is meant, without whether it is always gpugrad's. */
export function plainName(name: string): string {
  return name.startsWith(exact) ? `math_${name.slice(exact.length)}` : name;
}

/**
 * The shader, followed by the math that it names. With native math, a function of ours that needs a part of our exp
 * brings our exp along, since there can only be one of that name.
 */
export function joinMath(shader: string, mode: MathMode): string {
  // Nothing but a function is followed by a bracket.
  const source = mode === "exact" ? shader.replace(/\bmath_exact_\w+(?=\()/g, plainName) : shader;
  const joined = new Map<string, string>();
  const parts = [source];
  // The list grows while it is walked: a module may name others.
  for (const part of parts) {
    for (const [identifier] of part.matchAll(word)) {
      const wanted = plainName(identifier).slice("math_".length);
      const file = moduleOf(wanted);
      if (file === null) continue;
      const own = modules.get(file) ?? native.get(file) ?? "";
      const isExact = mode === "native" && identifier.startsWith(exact);
      const name = isExact ? `exact_${file}` : file;
      const ours = isExact ? own.replace(word, exactName) : own;
      const theirs = mode === "native" && wanted === name ? (native.get(file) ?? ours) : ours;
      const before = joined.get(name);
      if (before !== undefined && (before === ours || theirs !== ours)) continue;
      joined.set(name, theirs);
      parts.push(theirs);
    }
  }
  const whole = [source, ...joined.values()];
  if (whole.some((part) => part.includes("math_zero()")) && !source.includes("fn math_zero()")) {
    whole.push("fn math_zero() -> u32 { return 0u; }\n");
  }
  return whole.join("\n");
}

/** The file that has this function: the one with its name, or with the longest beginning of it. */
function moduleOf(name: string): string | null {
  for (let end = name.length; end > 0; end = name.lastIndexOf("_", end - 1)) {
    const candidate = name.slice(0, end);
    if (modules.has(candidate) || native.has(candidate)) return candidate;
  }
  return null;
}

/** The text of the file that has a function of this name, such as math_exp; null where none is there. */
export function loadedSource(name: string, ..._math: readonly unknown[]): string | null {
  const file = moduleOf(plainName(name).slice("math_".length));
  return file === null ? null : (modules.get(file) ?? native.get(file) ?? null);
}
