/** Reads a stencil's WGSL: a function of a position, which reads fields by offsets. */
import type { WgslError } from "../../base/errors.js";
import { check } from "../check/check.js";
import { mathFunction } from "../check/outside.js";
import type { Outside } from "../check/symbols.js";
import { vectorOf } from "../check/types.js";
import { parse } from "../language/parser.js";
import { printModule, printType } from "../language/printer.js";
import { SourceText } from "../language/source-text.js";
import type { FunctionDeclaration } from "../language/syntax.js";
import { identifier } from "../language/walk.js";
import { checkAllowed, readOwnSource, runnable } from "../own-source.js";
import { StencilDerivation } from "./derivation.js";
import { FieldReader, type Fields } from "./fields.js";
import { StencilForm, type Boundary, type Input, type Read } from "./form.js";
import { withoutFields } from "./without-fields.js";

/**
 * @param boundaryOf what is read outside of the field of this name
 * @throws WgslError, with line and column, where the source isn't WGSL, has a mistake in names or types, lacks
 * `fn NAME_forward(u: field) -> f32`, or reads a field by offsets that aren't known.
 */
export function parseStencil(wgsl: unknown, dimensions: number, boundaryOf: (field: string) => Boundary): StencilForm {
  const own = readOwnSource(wgsl, {
    by: "stencil",
    whose: "a stencil's",
    form: "fn NAME_forward(u: field) -> f32",
    reserved: ["stencil"],
  });
  const { source, declarations, forward, backward, name } = own;
  if (backward !== null) {
    source.fail(backward.at, `${backward.name}: a stencil's gradient is derived, leave it out`);
  }
  checkAllowed(own);
  const reader = new FieldReader(source, declarations, dimensions);
  const fields = reader.fieldsOf(forward.name);
  const inputs = inputsOf(source, forward, fields, boundaryOf);
  const components = componentsOf(source, forward);
  const plain = withoutFields(declarations, reader, new Set(source.text.match(identifier)));
  const outside = outsideIn(dimensions);
  check(source, plain, outside);
  const whole = new SourceText(printModule(plain), name);
  return new StencilForm({
    wgsl: runnable(whole, check(whole, parse(whole), outside), name, outside).text,
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

/** What can't be differentiated, found again in the source as it was written. */
function refuse(error: WgslError, derivation: StencilDerivation): never {
  derivation.checkAll();
  throw error;
}
