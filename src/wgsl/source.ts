/** Reads what the harness must know of a user's element-wise WGSL: names and parameters, nothing of the math. */
import { ArgumentError, WgslError } from "../base/errors.js";
import { describe } from "../base/describe.js";

/** The signatures of `NAME_forward` and `NAME_backward`. */
export interface ElementwiseSource {
  readonly name: string;
  readonly wgsl: string;
  /** Parameters of the forward, one for each input. */
  readonly inputs: readonly string[];
  /** How many numbers the forward gives: one as f32, several as array<f32, N>. */
  readonly outputs: number;
  /**
   * Parameters of the backward: inputs, `y` for the output, `gy` for its gradient (gy0, gy1 and so on where there are
   * several). Null where there is no backward.
   */
  readonly backward: readonly string[] | null;
  /** What the backward returns: f32 for one gradient, else what holds one for each input. */
  readonly gradientType: string;
  /** The parameters that each gradient depends on; null where each may depend on all. */
  readonly gradientReads: readonly ReadonlySet<string>[] | null;
  /** The text that has the function of one direction. @param fromOnes whether every gy is 1 */
  textFor(direction: "forward" | "backward", fromOnes: boolean): string;
}

/** What a parameter of a backward stands for: one of the inputs, the outputs, or the outputs' gradients. */
export interface BackwardArgument {
  readonly to: "input" | "output" | "gradient";
  readonly index: number;
}

/** @param inputs the forward's parameters */
export function argumentOf(parameter: string, inputs: readonly string[]): BackwardArgument {
  const index = inputs.indexOf(parameter);
  if (index >= 0) return { to: "input", index };
  const [, output] = /^gy(\d*)$/.exec(parameter) ?? [];
  return output === undefined ? { to: "output", index: 0 } : { to: "gradient", index: Number(output) };
}

/** The most inputs that a backward can give gradients for: it returns f32, vec2f, vec3f or vec4f. */
const mostInputs = 4;

/** First parts of the names that the harness and shaders/math use. */
const reserved = ["array", "constant", "result", "math"];

/** f32 for one gradient, else a vector of them. */
function gradientType(count: number): string {
  return count === 1 ? "f32" : `vec${count}f`;
}

/**
 * @throws WgslError where the source lacks `fn NAME_forward(…) -> f32`, has parameters or results of other types, or
 * declares what only the harness may: bindings, entry points, or names without the prefix `NAME_`.
 */
export function parseElementwise(wgsl: unknown): ElementwiseSource {
  if (typeof wgsl !== "string") throw new ArgumentError(`elementwise takes WGSL source, not ${describe(wgsl)}`);
  const code = blankComments(wgsl);
  const lineOf = (index: number): number => code.slice(0, index).split("\n").length;
  const found = [...code.matchAll(/\bfn\s+(\w+)_forward\s*\(([^()]*)\)\s*->\s*(\w+)/g)];
  const [forward] = found;
  if (forward === undefined) throw new WgslError("element-wise WGSL needs fn NAME_forward(x: f32) -> f32");
  const [, name = "", parameters = "", result = ""] = forward;
  const fail = (message: string, index: number): never => {
    throw new WgslError(`${name}, line ${lineOf(index)}: ${message}`, lineOf(index));
  };
  if (found.length > 1) fail("one source is one function, this has two NAME_forward", found[1]?.index ?? 0);
  if (result !== "f32") fail(`${name}_forward must return f32, not ${result}`, forward.index);
  if (reserved.includes(name)) fail(`${name} is a name of gpugrad's own: choose another`, forward.index);
  const inputs = parameterNames(parameters, (message) => fail(message, forward.index));
  if (inputs.length < 1 || inputs.length > mostInputs) {
    fail(`${name}_forward must have 1 to ${mostInputs} parameters, has ${inputs.length}`, forward.index);
  }
  if (inputs.includes("y") || inputs.includes("gy")) {
    fail("an input can't be called y or gy: these are the output and its gradient", forward.index);
  }
  const forbidden =
    /@(group|binding|compute|vertex|fragment|workgroup_size)\b|\bvar\s*<\s*(storage|uniform|workgroup|private)\b|\b(enable|requires|override)\b/.exec(
      code,
    );
  if (forbidden !== null) {
    fail(`element-wise WGSL has functions, constants and types only, not ${forbidden[0]}`, forbidden.index);
  }
  for (const declared of code.matchAll(/\b(?:fn|const|struct|alias)\s+(\w+)/g)) {
    if (depthAt(code, declared.index) > 0) continue;
    const identifier = declared[1] ?? "";
    if (!identifier.startsWith(`${name}_`)) {
      fail(`${identifier} must be named ${name}_${identifier}, so that sources can be joined`, declared.index);
    }
  }
  return {
    name,
    wgsl,
    inputs,
    outputs: 1,
    backward: parseBackward(code, name, inputs, fail),
    gradientType: gradientType(inputs.length),
    gradientReads: null,
    textFor: () => wgsl,
  };
}

function parseBackward(
  code: string,
  name: string,
  inputs: readonly string[],
  fail: (message: string, index: number) => never,
): readonly string[] | null {
  const backward = new RegExp(`\\bfn\\s+${name}_backward\\s*\\(([^()]*)\\)\\s*->\\s*([\\w<>]+)`).exec(code);
  if (backward === null) return null;
  const [, parameters = "", result = ""] = backward;
  const wanted = gradientType(inputs.length);
  if (result !== wanted && result !== wanted.replace(/^(vec\d)f$/, "$1<f32>")) {
    fail(`${name}_backward must return ${wanted}, one gradient for each input, not ${result}`, backward.index);
  }
  const names = parameterNames(parameters, (message) => fail(message, backward.index));
  for (const parameter of names) {
    if (![...inputs, "y", "gy"].includes(parameter)) {
      fail(
        `${name}_backward has a parameter ${parameter}; it may have ${[...inputs, "y", "gy"].join(", ")} ` +
          "(the inputs by name, the output, its gradient)",
        backward.index,
      );
    }
  }
  return names;
}

function parameterNames(parameters: string, fail: (message: string) => never): string[] {
  return parameters
    .split(",")
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== "")
    .map((parameter) => {
      const match = /^(\w+)\s*:\s*f32$/.exec(parameter);
      return match?.[1] ?? fail(`a parameter must be written as x: f32, not ${parameter}`);
    });
}

/** The code with comments turned to blanks, so that every index and line stays where it was. */
export function blankComments(wgsl: string): string {
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

function depthAt(code: string, index: number): number {
  let depth = 0;
  for (let i = 0; i < index; i++) {
    if (code[i] === "{") depth++;
    else if (code[i] === "}") depth--;
  }
  return depth;
}
