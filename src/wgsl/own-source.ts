/** What is the same for all WGSL of a user's own, element-wise or a stencil's: how it is read, and what is run of it. */
import { describe } from "../base/describe.js";
import { ArgumentError, WgslError } from "../base/errors.js";
import { withAllMath } from "./all-math.js";
import { check } from "./check/check.js";
import type { Checked, Outside } from "./check/symbols.js";
import { withComponentWrites } from "./component-writes.js";
import { withExactCalls } from "./exact-calls.js";
import { withInitialValues } from "./language/initial-values.js";
import { parse } from "./language/parser.js";
import { SourceText } from "./language/source-text.js";
import type { FunctionDeclaration, ModuleDeclaration, TypeName } from "./language/syntax.js";

/** First parts of the names that the harness and shaders/math use. */
const reserved = ["array", "constant", "result", "math"];

/** What a kind of source is called in messages. */
export interface Kind {
  /** The function that takes it. */
  readonly by: string;
  readonly whose: string;
  /** Of the forward. */
  readonly form: string;
  /** Further names that are taken. */
  readonly reserved?: readonly string[];
}

export interface OwnSource {
  readonly source: SourceText;
  readonly declarations: readonly ModuleDeclaration[];
  readonly forward: FunctionDeclaration;
  readonly backward: FunctionDeclaration | null;
  /** That of the function, with which all that it declares begins. */
  readonly name: string;
  readonly kind: Kind;
}

/** @throws ArgumentError; WgslError, with line and column, where it isn't WGSL, or hasn't one NAME_forward. */
export function readOwnSource(wgsl: unknown, kind: Kind): OwnSource {
  if (typeof wgsl !== "string") throw new ArgumentError(`${kind.by} takes WGSL source, not ${describe(wgsl)}`);
  const [, guess = "WGSL"] = /\bfn\s+(\w+)_forward\b/.exec(wgsl) ?? [];
  const source = new SourceText(withAllMath(wgsl), guess);
  const declarations = withoutAliases(parse(source));
  const functions = declarations.filter((declaration) => declaration.kind === "function");
  const [forward, second] = functions.filter((f) => f.name.endsWith("_forward"));
  if (forward === undefined) throw new WgslError(`${kind.whose} WGSL needs ${kind.form}`);
  if (second !== undefined) source.fail(second.at, "one source is one function, this has two NAME_forward");
  const name = forward.name.slice(0, -"_forward".length);
  if ([...reserved, ...(kind.reserved ?? [])].includes(name))
    source.fail(forward.at, `${name} is a name of gpugrad's own: choose another`);
  const backward = functions.find((f) => f.name === `${name}_backward`) ?? null;
  return { source, declarations, forward, backward, name, kind };
}

/** Functions, constants and types only, all under the function's name, so that sources can be joined. */
export function checkAllowed(own: OwnSource): void {
  for (const declaration of own.declarations) checkDeclaration(own, declaration);
}

function checkDeclaration({ source, name, kind }: OwnSource, declaration: ModuleDeclaration): void {
  const { at } = declaration;
  const forbid = (what: string, where = at): never =>
    source.fail(where, `${kind.whose} WGSL has functions, constants and types only, not ${what}`);
  if (declaration.kind === "directive") return forbid(declaration.name);
  if (declaration.kind === "assert") return;
  if (declaration.kind === "declaration" && declaration.keyword !== "const") {
    const space = declaration.space.length > 0 ? `<${declaration.space.join(", ")}>` : "";
    forbid(`${declaration.keyword}${space}`);
  }
  if (declaration.kind !== "function" && declaration.name === `${name}_backward`) {
    source.fail(at, `${declaration.name} is what the gradient is called, a function: choose another name`);
  }
  const attributes = "attributes" in declaration ? declaration.attributes : [];
  const [attribute] = attributes.filter((other) => other.name !== "must_use" && other.name !== "diagnostic");
  if (attribute !== undefined) forbid(`@${attribute.name}`, attribute.at);
  if (!declaration.name.startsWith(`${name}_`)) {
    source.fail(at, `${declaration.name} must be named ${name}_${declaration.name}, so that sources can be joined`);
  }
}

/**
 * What is run of a source that was checked: without what some drivers don't have, or do wrong, and with gpugrad's functions
 * where they are called.
 *
 * @param name of the function
 * @param isUsers false for what was derived from a source that has been read: it calls what it should
 * @returns the text, and functions in it that the source doesn't have, by name
 */
export function runnable(
  source: SourceText,
  checked: Checked,
  name: string,
  outside: Outside,
  isUsers = true,
): { readonly text: string; readonly helpers: ReadonlyMap<string, string> } {
  const text = portable(source, checked);
  if (!isUsers) return { text, helpers: new Map() };
  const changed = new SourceText(text, source.name);
  const again = text === source.text ? checked : check(changed, parse(changed), outside);
  const exact = withExactCalls(text, name, again);
  return { text: [exact.text, ...exact.helpers.values()].join("\n"), helpers: exact.helpers };
}

function portable(source: SourceText, checked: Checked): string {
  const text = withComponentWrites(source, checked);
  if (text === source.text) return withInitialValues(source, checked.declarations);
  const changed = new SourceText(text, source.name);
  return withInitialValues(changed, parse(changed));
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
