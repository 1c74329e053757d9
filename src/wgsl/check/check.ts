/**
 * Names and types: what the compiler would say of a source, said before it, in the source's own words. The tree stays as
 * it is; types and what names stand for are found beside it.
 */
import { checkFlow } from "./flow.js";
import { ExpressionChecker } from "./check-expression.js";
import { checkAssert, FunctionChecker } from "./check-function.js";
import { ModuleScope } from "./module-scope.js";
import type { SourceText } from "../language/source-text.js";
import type { Checked, Outside } from "./symbols.js";
import type { ModuleDeclaration } from "../language/syntax.js";

/** @throws WgslError where a name is unknown or said twice, types don't fit, or a function can end without its result. */
export function check(source: SourceText, declarations: readonly ModuleDeclaration[], outside: Outside): Checked {
  const scope = new ModuleScope(source, declarations, outside);
  for (const declaration of declarations) {
    if (declaration.kind === "assert") {
      new ExpressionChecker(scope).condition(declaration.condition);
      checkAssert(source, declaration.condition, scope.constants);
    }
    if (declaration.kind !== "function") continue;
    new FunctionChecker(source, scope).check(declaration);
    checkFlow(source, declaration);
  }
  scope.checkCalls();
  const { functions, types, variables, declared, callees } = scope;
  return { declarations, functions, types, variables, declared, callees };
}
