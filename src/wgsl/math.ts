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
  ["div", "fn math_div(a: f32, b: f32) -> f32 { return a / b; }\n"],
]);

/** The shader, followed by the math that it names. */
export function joinMath(source: string, mode: MathMode): string {
  const joined = new Set<string>();
  const parts = [source];
  // The list grows while it is walked: a module may name others.
  for (const part of parts) {
    for (const [identifier] of part.matchAll(/\bmath_\w+/g)) {
      const name = moduleOf(identifier.slice("math_".length));
      if (name === null || joined.has(name)) continue;
      joined.add(name);
      const [first, second] = mode === "native" ? [native, modules] : [modules, native];
      parts.push(first.get(name) ?? second.get(name) ?? "");
    }
  }
  if (parts.some((part) => part.includes("math_zero()")) && !source.includes("fn math_zero()")) {
    parts.push("fn math_zero() -> u32 { return 0u; }\n");
  }
  return parts.join("\n");
}

/** The file that has this function: the one with its name, or with the longest beginning of it. */
function moduleOf(name: string): string | null {
  for (let end = name.length; end > 0; end = name.lastIndexOf("_", end - 1)) {
    const candidate = name.slice(0, end);
    if (modules.has(candidate) || native.has(candidate)) return candidate;
  }
  return null;
}
