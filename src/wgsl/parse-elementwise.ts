/** Reads a user's element-wise WGSL: a function of numbers, its gradient, and what they call. */
import { check } from "./check/check.js";
import { mathFunction } from "./check/outside.js";
import type { Checked } from "./check/symbols.js";
import { f32, nothing, showType, sizeOfVector } from "./check/types.js";
import { DerivableSource } from "./derivable-source.js";
import { printType } from "./language/printer.js";
import type { SourceText } from "./language/source-text.js";
import type { FunctionDeclaration, Parameter, TypeName } from "./language/syntax.js";
import { checkAllowed, readOwnSource, runnable } from "./own-source.js";
import { gradientType, oneByOne, type Outputs, type ElementwiseSource } from "./source.js";

/** The most inputs that a backward can give gradients for: it returns f32, vec2f, vec3f or vec4f. */
const mostInputs = 4;

/** The most outputs of one function: a device binds 8 arrays at once. */
const mostOutputs = 8;

/**
 * @throws WgslError, with line and column, where the source isn't WGSL, has a mistake in names or types, lacks
 * `fn NAME_forward(…) -> f32` (or a vector or an array of these), has parameters or results of other types, or declares what
 * only the harness may: bindings, entry points, or names without the prefix `NAME_`.
 *
 * @param hasGradient false for a function that has none. Else it is derived where there is no `fn NAME_backward`.
 * @param isDerived whether it is what was derived from a source that has been read, and calls what it should
 */
export function parseElementwise(wgsl: unknown, hasGradient = true, isDerived = false): ElementwiseSource {
  const own = readOwnSource(wgsl, { by: "elementwise", whose: "element-wise", form: "fn NAME_forward(x: f32) -> f32" });
  const { source, declarations, forward, backward, name } = own;
  const inputs = inputsOf(source, forward);
  checkAllowed(own);
  const checked = check(source, declarations, mathFunction);
  const outputs = outputsOf(source, forward, checked);
  const { text, helpers } = runnable(source, checked, name, mathFunction, !isDerived);
  const parameters = backward === null ? null : backwardParameters(source, backward, inputs, outputs, checked);
  if (backward !== null && !hasGradient) {
    source.fail(backward.at, `${name} was said to have no gradient, and has ${backward.name}: leave out one of them`);
  }
  if (backward === null && hasGradient) return new DerivableSource(text, name, inputs, outputs, helpers);
  return {
    name,
    wgsl: text,
    inputs,
    ...outputs,
    gradientType: gradientType(inputs.length),
    gradientReads: null,
    differentiable: backward !== null,
    backward: parameters === null ? null : oneByOne(parameters, outputs),
    derived: null,
    textFor: () => text,
  };
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
