/**
 * Whose functions a user's source calls. WGSL's exp, sin, pow and so on become gpugrad's, so that the promise of accuracy
 * holds there, too: the exact functions, or with native math the driver's under the same name (math.ts). What the source
 * itself calls math_exp is always gpugrad's, and becomes math_exact_exp.
 */
import { mathFunction } from "./check/outside.js";
import type { Checked, Variable } from "./check/symbols.js";
import { elementOf, sizeOfVector } from "./check/types.js";
import { Names } from "./derive/names.js";
import { edited, type Edit } from "./language/edits.js";
import { tokensOf } from "./language/lexer.js";
import { SourceText } from "./language/source-text.js";
import type { CallExpression, Expression, ModuleDeclaration, Statement } from "./language/syntax.js";
import { bodiesOf, expressionsOf, identifier, partsOf } from "./language/walk.js";
import { exactName } from "./math.js";

const exact = new Set(["atan2", "cos", "exp", "log", "pow", "sin", "tan", "tanh"]);

const components = ["x", "y", "z", "w"];

/**
 * @param text of the source
 * @param name that all it declares begins with
 * @returns the text on the same lines, and what it calls for vectors, by name
 */
export function withExactCalls(
  text: string,
  name: string,
  checked: Checked,
): { readonly text: string; readonly helpers: ReadonlyMap<string, string> } {
  const names = new Names(new Set(text.match(identifier)), []);
  const vectors = new VectorFunctions(names, name);
  const calls = callsIn(checked.declarations).flatMap((call): Edit[] => {
    const { name: callee, at } = call.callee;
    const by = calledFor(call, checked, vectors);
    return by === null ? [] : [{ from: at, to: at + callee.length, by }];
  });
  const renames = renamed(new SourceText(text, name), checked, names);
  return { text: edited(text, [...calls, ...renames]), helpers: vectors.texts };
}

/** What is called in the place of this; null where it stays. */
function calledFor(call: CallExpression, { types, callees }: Checked, vectors: VectorFunctions): string | null {
  const { name } = call.callee;
  const callable = callees.get(call);
  if (callable !== undefined) return callable.declaration === null ? exactName(name) : null;
  const type = types.get(call);
  if (!exact.has(name) || type === undefined || elementOf(type) !== "f32") return null;
  const size = sizeOfVector(type);
  if (size === null) return null;
  return size === 1 ? `math_${name}` : vectors.nameOf(name, size, call.args.length);
}

/** Other names for a source's variables that are called as functions of gpugrad's: their scopes may call those now. */
function renamed(source: SourceText, { declared, variables }: Checked, names: Names): Edit[] {
  const made = new Map<Variable, string>();
  const edits = new Map<number, Edit>();
  const edit = (variable: Variable | undefined, from: number): void => {
    if (variable === undefined || mathFunction(variable.name) === null) return;
    const at = tokensOf(source).find((token) => token.at >= from && token.text === variable.name)?.at ?? from;
    const by = made.get(variable) ?? names.fresh(variable.name.slice("math_".length));
    made.set(variable, by);
    edits.set(at, { from: at, to: at + variable.name.length, by });
  };
  for (const [{ at }, variable] of declared) edit(variable, at);
  for (const [{ at }, variable] of variables) edit(variable, at);
  return [...edits.values()];
}

/** A text with the functions as a user calls them. */
export function asWritten(text: string): string {
  return text.replace(/\bmath_(exact_)?(\w+)(?=\()/g, (whole, isAlways: string | undefined, name: string) => {
    if (isAlways !== undefined) return `math_${name}`;
    return exact.has(name) ? name : whole;
  });
}

/** gpugrad's functions, component by component. */
class VectorFunctions {
  /** By name. */
  readonly texts = new Map<string, string>();
  readonly #made = new Map<string, string>();
  readonly #names: Names;
  readonly #prefix: string;

  constructor(names: Names, prefix: string) {
    this.#names = names;
    this.#prefix = prefix;
  }

  nameOf(callee: string, size: number, operands: number): string {
    const key = `${this.#prefix}_${callee}_vec${size}`;
    let name = this.#made.get(key);
    if (name === undefined) {
      name = this.#names.fresh(key);
      this.#made.set(key, name);
      const values = Array.from({ length: operands }, (_, k) => `v${k}`);
      const calls = components
        .slice(0, size)
        .map((c) => `math_${callee}(${values.map((value) => `${value}.${c}`).join(", ")})`);
      const parameters = values.map((value) => `${value}: vec${size}f`).join(", ");
      const body = `return vec${size}f(${calls.join(", ")});`;
      this.texts.set(name, `fn ${name}(${parameters}) -> vec${size}f { ${body} }`);
    }
    return name;
  }
}

/** All calls in functions, but for those in constants, which the compiler computes. */
function callsIn(declarations: readonly ModuleDeclaration[]): CallExpression[] {
  return declarations.flatMap((declaration) => (declaration.kind === "function" ? ofBody(declaration.body) : []));
}

function ofBody(body: readonly Statement[]): CallExpression[] {
  return body.flatMap((statement) => {
    const isConstant =
      statement.kind === "assert" || (statement.kind === "declaration" && statement.keyword === "const");
    const own = isConstant ? [] : expressionsOf(statement).flatMap(ofExpression);
    return [...own, ...bodiesOf(statement).flatMap(ofBody)];
  });
}

function ofExpression(expression: Expression): CallExpression[] {
  const own = expression.kind === "call" ? [expression] : [];
  return [...own, ...partsOf(expression).flatMap(ofExpression)];
}
