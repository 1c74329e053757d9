/**
 * WGSL's exp, sin, pow and so on in a user's source become gpugrad's, so that the promise of accuracy holds there, too: the
 * exact functions, or with native math the driver's under the same name (math.ts).
 */
import { partsOf } from "./derive/build.js";
import { bodiesOf, conditionsOf } from "./derive/active.js";
import type { Checked } from "./check/symbols.js";
import type { Type } from "./check/types.js";
import type { CallExpression, Expression, ModuleDeclaration, Statement } from "./language/syntax.js";

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
  const helpers = new Map<string, string>();
  const edits = callsIn(checked.declarations).flatMap((call) => {
    const type = checked.types.get(call);
    const own = checked.callees.has(call) || !exact.has(call.callee.name) || type === undefined;
    const called = own ? null : exactName(call, type, name, text, helpers);
    return called === null ? [] : [{ at: call.callee.at, length: call.callee.name.length, called }];
  });
  let made = "";
  let from = 0;
  for (const { at, length, called } of edits.sort((a, b) => a.at - b.at)) {
    made += text.slice(from, at) + called;
    from = at + length;
  }
  return { text: made + text.slice(from), helpers };
}

/** What is called in the place of a built-in; null where that is computed by the compiler already. */
function exactName(
  { callee, args }: CallExpression,
  type: Type,
  name: string,
  text: string,
  helpers: Map<string, string>,
): string | null {
  if (type.kind === "scalar") return type.name === "f32" ? `math_${callee.name}` : null;
  if (type.kind !== "vector" || type.element !== "f32") return null;
  let helper = `${name}_${callee.name}_vec${type.size}`;
  while (new RegExp(String.raw`\b${helper}\b`).test(text)) helper += "_";
  const own = components.slice(0, type.size);
  const parameters = args.map((_, k) => `v${k}: vec${type.size}f`).join(", ");
  const calls = own.map((c) => `math_${callee.name}(${args.map((_, k) => `v${k}.${c}`).join(", ")})`);
  const body = `return vec${type.size}f(${calls.join(", ")});`;
  helpers.set(helper, `fn ${helper}(${parameters}) -> vec${type.size}f { ${body} }`);
  return helper;
}

/** All calls in functions, but for those in constants, which the compiler computes. */
function callsIn(declarations: readonly ModuleDeclaration[]): CallExpression[] {
  return declarations.flatMap((declaration) => (declaration.kind === "function" ? ofBody(declaration.body) : []));
}

function ofBody(body: readonly Statement[]): CallExpression[] {
  return body.flatMap((statement) => [
    ...[...expressionsOf(statement), ...conditionsOf(statement)].flatMap(ofExpression),
    ...bodiesOf(statement).flatMap(ofBody),
  ]);
}

function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "declaration":
      return statement.value === null || statement.keyword === "const" ? [] : [statement.value];
    case "return":
      return statement.value === null ? [] : [statement.value];
    case "assignment":
      return statement.target === null ? [statement.value] : [statement.target, statement.value];
    case "call statement":
      return [statement.call];
    default:
      return [];
  }
}

function ofExpression(expression: Expression): CallExpression[] {
  const own = expression.kind === "call" ? [expression] : [];
  return [...own, ...partsOf(expression).flatMap(ofExpression)];
}
