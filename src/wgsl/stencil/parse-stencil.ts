/** Reads a stencil's WGSL: a function of a position, which reads fields by offsets. */
import { ArgumentError, WgslError } from "../../base/errors.js";
import { describe } from "../../base/describe.js";
import { check } from "../check/check.js";
import { mathFunction } from "../check/outside.js";
import type { Outside } from "../check/symbols.js";
import { vectorOf } from "../check/types.js";
import { withComponentWrites } from "../component-writes.js";
import { withExactCalls } from "../exact-calls.js";
import { parse } from "../language/parser.js";
import { printModule, printType } from "../language/printer.js";
import { SourceText } from "../language/source-text.js";
import type { FunctionDeclaration, ModuleDeclaration } from "../language/syntax.js";
import { identifier } from "../language/walk.js";
import { checkAllowed } from "../parse-elementwise.js";
import { StencilDerivation } from "./derivation.js";
import { FieldReader, type Fields } from "./fields.js";
import { StencilForm, type Boundary, type Input, type Read } from "./form.js";
import { withoutFields } from "./without-fields.js";

/** First parts of the names that kernels and shaders/math use. */
const reserved = ["array", "constant", "result", "math", "stencil"];

/**
 * @param boundaryOf what is read outside of the field of this name
 * @throws WgslError, with line and column, where the source isn't WGSL, has a mistake in names or types, lacks
 * `fn NAME_forward(u: field) -> f32`, or reads a field by offsets that aren't known.
 */
export function parseStencil(wgsl: unknown, dimensions: number, boundaryOf: (field: string) => Boundary): StencilForm {
  if (typeof wgsl !== "string") throw new ArgumentError(`stencil takes WGSL source, not ${describe(wgsl)}`);
  const [, guess = "WGSL"] = /\bfn\s+(\w+)_forward\b/.exec(wgsl) ?? [];
  const source = new SourceText(wgsl, guess);
  const declarations = parse(source);
  const forward = forwardOf(source, declarations);
  const name = forward.name.slice(0, -"_forward".length);
  if (reserved.includes(name)) source.fail(forward.at, `${name} is a name of gpugrad's own: choose another`);
  for (const declaration of declarations) checkAllowed(source, declaration, name, "a stencil's");
  const reader = new FieldReader(source, declarations, dimensions);
  const fields = reader.fieldsOf(forward.name);
  const inputs = inputsOf(source, forward, fields, boundaryOf);
  const components = componentsOf(source, forward);
  const plain = withoutFields(declarations, reader, new Set(wgsl.match(identifier)));
  const outside = outsideIn(dimensions);
  check(source, plain, outside);
  return new StencilForm({
    wgsl: exactText(printModule(plain), name, outside),
    name,
    dimensions,
    components,
    inputs,
    reads: readsOf(inputs, fields),
    changes: [],
    outside,
    refuse: (error) => refuse(error, new StencilDerivation(source, plain, name, outside)),
  });
}

function forwardOf(source: SourceText, declarations: readonly ModuleDeclaration[]): FunctionDeclaration {
  const all = declarations.filter((declaration) => declaration.kind === "function");
  const [forward, second] = all.filter(({ name }) => name.endsWith("_forward"));
  if (forward === undefined) throw new WgslError("a stencil's WGSL needs fn NAME_forward(u: field) -> f32");
  if (second !== undefined) source.fail(second.at, "one source is one function, this has two NAME_forward");
  const backward = all.find(({ name }) => name === forward.name.replace(/_forward$/, "_backward"));
  if (backward !== undefined)
    source.fail(backward.at, `${backward.name}: a stencil's gradient is derived, leave it out`);
  return forward;
}

function inputsOf(
  source: SourceText,
  { name, parameters, at }: FunctionDeclaration,
  fields: Fields,
  boundaryOf: (field: string) => Boundary,
): Input[] {
  if (fields.size === 0) source.fail(at, `${name} reads no field: a parameter is written as u: field`);
  return parameters.map((parameter): Input => {
    const own = parameter.name;
    const field = fields.get(own);
    if (field !== undefined) {
      return { kind: "field", name: own, components: field.components, boundary: boundaryOf(own) };
    }
    if (printType(parameter.type) === "f32") return { kind: "number", name: own };
    const written = `${own}: ${printType(parameter.type)}`;
    return source.fail(
      parameter.at,
      `a parameter is a field, as ${own}: field, or one number for all positions, as ${own}: f32, not ${written}`,
    );
  });
}

function componentsOf(source: SourceText, { name, result, at }: FunctionDeclaration): number {
  const written = result === null ? "nothing" : printType(result);
  const [whole, size] = /^(?:f32|vec([234])(?:f|<f32>))$/.exec(written) ?? [];
  if (whole === undefined) source.fail(at, `${name} must return f32, vec2f, vec3f or vec4f, not ${written}`);
  return Number(size ?? 1);
}

/** One for each parameter of the function of numbers, in order. */
function readsOf(inputs: readonly Input[], fields: Fields): Read[] {
  return inputs.flatMap(({ name }, input): Read[] => {
    const field = fields.get(name);
    return field === undefined ? [{ input, offset: [] }] : field.offsets.map((offset) => ({ input, offset }));
  });
}

/** `position()`, and `extent()`, the lengths of the axes: both i32, or a vector of them. */
function outsideIn(dimensions: number): Outside {
  const result = vectorOf(dimensions, "i32");
  return (name) =>
    name === "position" || name === "extent" ? { name, parameters: [], result, declaration: null } : mathFunction(name);
}

function exactText(text: string, name: string, outside: Outside): string {
  const whole = new SourceText(text, name);
  const written = withComponentWrites(whole, check(whole, parse(whole), outside));
  const source = new SourceText(written, name);
  const exact = withExactCalls(written, name, check(source, parse(source), outside));
  return [exact.text, ...exact.helpers.values()].join("\n");
}

/** What can't be differentiated, found again in the source as it was written. */
function refuse(error: WgslError, derivation: StencilDerivation): never {
  derivation.checkAll();
  throw error;
}
