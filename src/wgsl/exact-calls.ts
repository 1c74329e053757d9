/**
 * WGSL's exp, sin, pow and so on in a user's source become gpugrad's, so that the promise of accuracy holds there, too: the
 * exact functions, or with native math the driver's under the same name (math.ts).
 */
import type { Checked } from "./check/symbols.js";
import { elementOf, nothing, sizeOfVector } from "./check/types.js";
import { Names } from "./derive/names.js";
import type { CallExpression, Expression, ModuleDeclaration, Statement } from "./language/syntax.js";
import { bodiesOf, expressionsOf, identifier, partsOf } from "./language/walk.js";

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
  const vectors = new VectorFunctions(new Names(new Set(text.match(identifier)), []), name);
  const edits = callsIn(checked.declarations).flatMap((call) => {
    const type = checked.types.get(call);
    const isOurs = exact.has(call.callee.name) && !checked.callees.has(call) && elementOf(type ?? nothing) === "f32";
    const size = isOurs && type !== undefined ? sizeOfVector(type) : null;
    if (size === null) return [];
    const { name: callee, at } = call.callee;
    const called = size === 1 ? `math_${callee}` : vectors.nameOf(callee, size, call.args.length);
    return [{ at, end: at + callee.length, called }];
  });
  let made = "";
  let from = 0;
  for (const { at, end, called } of edits.sort((a, b) => a.at - b.at)) {
    made += text.slice(from, at) + called;
    from = end;
  }
  return { text: made + text.slice(from), helpers: vectors.texts };
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
