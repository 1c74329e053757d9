/** Reads a user's element-wise WGSL: a function of numbers, its gradient, and what they call. */
import { ArgumentError, WgslError } from "../base/errors.js";
import { describe } from "../base/describe.js";
import { check } from "./check/check.js";
import { mathFunction } from "./check/outside.js";
import type { Checked } from "./check/symbols.js";
import { f32, nothing, showType, sizeOfVector } from "./check/types.js";
import { parse } from "./language/parser.js";
import { withComponentWrites } from "./component-writes.js";
import { printType } from "./language/printer.js";
import { SourceText } from "./language/source-text.js";
import { DerivableSource } from "./derivable-source.js";
import { withExactCalls } from "./exact-calls.js";
import { gradientType, oneByOne, type Outputs, type ElementwiseSource } from "./source.js";
import type { FunctionDeclaration, ModuleDeclaration, Parameter, TypeName } from "./language/syntax.js";
import { withInitialValues } from "./language/initial-values.js";

/** The most inputs that a backward can give gradients for: it returns f32, vec2f, vec3f or vec4f. */
const mostInputs = 4;

/** The most outputs of one function: a device binds 8 arrays at once. */
const mostOutputs = 8;

/** First parts of the names that the harness and shaders/math use. */
const reserved = ["array", "constant", "result", "math"];

/**
 * @throws WgslError, with line and column, where the source isn't WGSL, has a mistake in names or types, lacks
 * `fn NAME_forward(…) -> f32` (or a vector or an array of these), has parameters or results of other types, or declares what only the harness may:
 * bindings, entry points, or names without the prefix `NAME_`.
 *
 * @param hasGradient false for a function that has none. Else it is derived where there is no `fn NAME_backward`.
 * @param isDerived whether it is what was derived from a source that has been read, and calls what it should
 */
export function parseElementwise(wgsl: unknown, hasGradient = true, isDerived = false): ElementwiseSource {
  if (typeof wgsl !== "string") throw new ArgumentError(`elementwise takes WGSL source, not ${describe(wgsl)}`);
  const [, guess = "WGSL"] = /\bfn\s+(\w+)_forward\b/.exec(wgsl) ?? [];
  const source = new SourceText(wgsl, guess);
  const declarations = withoutAliases(parse(source));
  const functions = declarations.filter((declaration) => declaration.kind === "function");
  const [forward, second] = functions.filter(({ name }) => name.endsWith("_forward"));
  if (forward === undefined) throw new WgslError("element-wise WGSL needs fn NAME_forward(x: f32) -> f32");
  if (second !== undefined) source.fail(second.at, "one source is one function, this has two NAME_forward");
  const name = forward.name.slice(0, -"_forward".length);
  if (reserved.includes(name)) source.fail(forward.at, `${name} is a name of gpugrad's own: choose another`);
  const inputs = inputsOf(source, forward);
  for (const declaration of declarations) checkAllowed(source, declaration, name);
  const checked = check(source, declarations, mathFunction);
  const outputs = outputsOf(source, forward, checked);
  const backward = functions.find((f) => f.name === `${name}_backward`);
  const whole = portable(source, checked);
  const exact = isDerived
    ? { text: whole, helpers: new Map<string, string>() }
    : withExactCalls(whole, name, whole === source.text ? checked : checkedAgain(whole, name));
  const text = [exact.text, ...exact.helpers.values()].join("\n");
  const parameters = backward === undefined ? null : backwardParameters(source, backward, inputs, outputs, checked);
  if (backward !== undefined && !hasGradient) {
    source.fail(backward.at, `${name} was said to have no gradient, and has ${backward.name}: leave out one of them`);
  }
  if (backward === undefined && hasGradient) return new DerivableSource(text, name, inputs, outputs, exact.helpers);
  return {
    name,
    wgsl: text,
    inputs,
    ...outputs,
    gradientType: gradientType(inputs.length),
    gradientReads: null,
    differentiable: backward !== undefined,
    backward: parameters === null ? null : oneByOne(parameters, outputs),
    derived: null,
    textFor: () => text,
  };
}

/** Without what some drivers don't have, or do wrong. */
function portable(source: SourceText, checked: Checked): string {
  const text = withComponentWrites(source, checked);
  if (text === source.text) return withInitialValues(source, checked.declarations);
  const changed = new SourceText(text, source.name);
  return withInitialValues(changed, parse(changed));
}

function checkedAgain(text: string, name: string): Checked {
  const source = new SourceText(text, name);
  return check(source, parse(source), mathFunction);
}

/** @throws WgslError where it gives neither a number nor several. */
function outputsOf(
  source: SourceText,
  { name, parameters, result, at }: FunctionDeclaration,
  checked: Checked,
): Outputs {
  const type = checked.functions.get(name)?.result ?? nothing;
  if (type === f32) return { outputs: 1, packed: null };
  const outputs = type.kind === "array" ? type.count : (sizeOfVector(type) ?? 0);
  const isFloats = type.kind === "array" ? type.element === f32 : type.kind === "vector" && type.element === "f32";
  if (!isFloats || outputs < 2 || outputs > mostOutputs) {
    const several = `or several as vec2f, vec3f, vec4f or array<f32, N> with N from 2 to ${mostOutputs}`;
    source.fail(at, `${name} must return f32, ${several}, not ${show(result)}`);
  }
  const taken = parameters.find((parameter) => /^g?y\d+$/.test(parameter.name));
  if (taken !== undefined) {
    source.fail(
      taken.at,
      `an input of a function with several outputs can't be called ${taken.name}: y0, y1 … are these, gy0, gy1 … their gradients`,
    );
  }
  return { outputs, packed: showType(type) };
}

function inputsOf(source: SourceText, { name, parameters, at }: FunctionDeclaration): string[] {
  const inputs = parameters.map((parameter) => nameOf(source, parameter));
  if (inputs.length < 1 || inputs.length > mostInputs) {
    source.fail(at, `${name} must have 1 to ${mostInputs} parameters, has ${inputs.length}`);
  }
  const taken = parameters.find((parameter) => parameter.name === "y" || parameter.name === "gy");
  if (taken !== undefined) {
    source.fail(taken.at, "an input can't be called y or gy: these are the output and its gradient");
  }
  return inputs;
}

function nameOf(source: SourceText, { name, type, at }: Parameter): string {
  if (mathFunction(name) !== null) source.fail(at, `${name} is a function of gpugrad's: call the parameter otherwise`);
  if (printType(type) === "f32") return name;
  return source.fail(at, `a parameter must be written as ${name}: f32, not ${name}: ${printType(type)}`);
}

function show(type: TypeName | null): string {
  return type === null ? "nothing" : printType(type);
}

function backwardParameters(
  source: SourceText,
  f: FunctionDeclaration,
  inputs: readonly string[],
  { packed }: Outputs,
  checked: Checked,
): readonly string[] {
  const wanted = gradientType(inputs.length);
  const isWanted = [wanted, wanted.replace(/^(vec\d)f$/, "$1<f32>")].includes(show(f.result));
  if (!isWanted) {
    source.fail(f.at, `${f.name} must return ${wanted}, one gradient for each input, not ${show(f.result)}`);
  }
  const names = [...inputs, "y", "gy"];
  const types = checked.functions.get(f.name)?.parameters ?? [];
  for (const [k, parameter] of f.parameters.entries()) {
    const isPacked = packed !== null && (parameter.name === "y" || parameter.name === "gy");
    const given = types[k]?.type ?? nothing;
    if (!isPacked) nameOf(source, parameter);
    else if (showType(given) !== packed) {
      source.fail(
        parameter.at,
        `${parameter.name} must be ${packed}, as what the forward gives, not ${showType(given)}`,
      );
    }
    if (names.includes(parameter.name)) continue;
    source.fail(
      parameter.at,
      `${f.name} has a parameter ${parameter.name}; it may have ${names.join(", ")} (the inputs by name, the output, ` +
        "its gradient)",
    );
  }
  return f.parameters.map((parameter) => parameter.name);
}

/** Functions, constants and types only, all under the function's name, so that sources can be joined. */
export function checkAllowed(
  source: SourceText,
  declaration: ModuleDeclaration,
  name: string,
  whose = "element-wise",
): void {
  const { at } = declaration;
  if (declaration.kind === "directive") forbid(source, at, declaration.name, whose);
  if (declaration.kind === "assert") return;
  if (declaration.kind === "declaration" && declaration.keyword !== "const") {
    const space = declaration.space.length > 0 ? `<${declaration.space.join(", ")}>` : "";
    forbid(source, at, `${declaration.keyword}${space}`, whose);
  }
  if (declaration.kind !== "function" && declaration.name === `${name}_backward`) {
    source.fail(at, `${declaration.name} is what the gradient is called, a function: choose another name`);
  }
  const attributes = "attributes" in declaration ? declaration.attributes : [];
  const [attribute] = attributes.filter((other) => other.name !== "must_use" && other.name !== "diagnostic");
  if (attribute !== undefined) forbid(source, attribute.at, `@${attribute.name}`, whose);
  if (!declaration.name.startsWith(`${name}_`)) {
    source.fail(at, `${declaration.name} must be named ${name}_${declaration.name}, so that sources can be joined`);
  }
}

function forbid(source: SourceText, at: number, what: string, whose: string): never {
  return source.fail(at, `${whose} WGSL has functions, constants and types only, not ${what}`);
}

/** The same declarations with the forward's and the backward's types as f32 and the like, whatever the source calls them. */
function withoutAliases(declarations: readonly ModuleDeclaration[]): ModuleDeclaration[] {
  const aliases = new Map(
    declarations.flatMap((other) => (other.kind === "alias" ? [[other.name, other.type] as const] : [])),
  );
  const named = (type: TypeName, path: readonly string[] = []): TypeName => {
    const meant = aliases.get(type.name);
    return meant === undefined || path.includes(type.name) ? type : named(meant, [...path, type.name]);
  };
  return declarations.map((declaration) =>
    declaration.kind === "function" && /_(?:forward|backward)$/.test(declaration.name)
      ? {
          ...declaration,
          parameters: declaration.parameters.map((parameter) => ({ ...parameter, type: named(parameter.type) })),
          result: declaration.result === null ? null : named(declaration.result),
        }
      : declaration,
  );
}
