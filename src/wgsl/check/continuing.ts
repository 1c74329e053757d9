/** What `continuing` uses of its loop's body must have been declared whichever way leads to it. */
import type { Variable } from "./symbols.js";
import type { SourceText } from "../language/source-text.js";
import type { Declaration, Expression, Parameter, Statement } from "../language/syntax.js";
import { bodiesOf, expressionsOf, partsOf } from "../language/walk.js";

/** @throws WgslError where a `continue` jumps over a declaration that `continuing` uses. */
export function checkContinuing(
  source: SourceText,
  { body, continuing, breakIf }: Statement & { kind: "loop" },
  names: {
    readonly variables: ReadonlyMap<Expression, Variable>;
    readonly declared: ReadonlyMap<Declaration | Parameter, Variable>;
  },
): void {
  const used = new Set<Variable | undefined>();
  const use = (expression: Expression): void => {
    used.add(names.variables.get(expression));
    partsOf(expression).forEach(use);
  };
  const useAll = (statement: Statement): void => {
    expressionsOf(statement).forEach(use);
    for (const inner of bodiesOf(statement)) inner.forEach(useAll);
  };
  continuing.forEach(useAll);
  if (breakIf !== null) use(breakIf);
  let at: number | null = null;
  for (const statement of body) {
    const variable = statement.kind === "declaration" ? names.declared.get(statement) : undefined;
    if (at !== null && variable !== undefined && used.has(variable)) {
      source.fail(at, `this jumps over the declaration of ${variable.name}, which continuing uses`);
    }
    at ??= continueIn(statement);
  }
}

/** Where a statement goes on with the loop's next turn; null where it doesn't. */
function continueIn(statement: Statement): number | null {
  if (statement.kind === "continue") return statement.at;
  if (statement.kind === "for" || statement.kind === "while" || statement.kind === "loop") return null;
  for (const inner of bodiesOf(statement).flat()) {
    const at = continueIn(inner);
    if (at !== null) return at;
  }
  return null;
}
