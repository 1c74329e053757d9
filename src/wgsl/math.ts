/**
 * gpugrad's own exp, log, sin and so on (shaders/math/): a shader that names `math_exp` gets shaders/math/exp.wgsl,
 * and what that names in turn, each once. With native math it gets the driver's function under the same name.
 */

/** Whose exp, log, sin and so on: gpugrad's own WGSL, with stated errors, or the driver's. */
export type MathMode = "exact" | "native";

const files: Record<string, string> = import.meta.glob("../../shaders/math/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Source by name: "exp" for shaders/math/exp.wgsl. */
const modules = new Map(
  Object.entries(files).map(([path, source]) => [path.slice(path.lastIndexOf("/") + 1, -".wgsl".length), source]),
);

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

/**
 * The shader, followed by the math that it names. With native math, a function of ours that needs a part of our exp
 * brings our exp along, since there can only be one of that name.
 */
export function joinMath(source: string, mode: MathMode): string {
  const joined = new Map<string, string>();
  const parts = [source];
  // The list grows while it is walked: a module may name others.
  for (const part of parts) {
    for (const [identifier] of part.matchAll(/\bmath_\w+/g)) {
      const wanted = identifier.slice("math_".length);
      const name = moduleOf(wanted);
      if (name === null) continue;
      const ours = modules.get(name) ?? native.get(name) ?? "";
      const theirs = mode === "native" && wanted === name ? (native.get(name) ?? ours) : ours;
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

/** The text of the file that has a function of this name, such as math_exp; null where there is none. */
export function sourceOfMath(name: string): string | null {
  const file = moduleOf(name.slice("math_".length));
  return file === null ? null : (modules.get(file) ?? native.get(file) ?? null);
}
