/** What the check of an expression needs of the place where it stands. */
import type { Constant } from "./constant.js";
import type { Callable, Variable } from "./symbols.js";
import type { SourceText } from "../language/source-text.js";
import type { CallExpression, Expression, TypeName } from "../language/syntax.js";
import type { Type } from "./types.js";

/** What an expression's names are looked up in, and where its types are written down. */
export interface Scope {
  readonly source: SourceText;
  readonly types: Map<Expression, Type>;
  readonly variables: Map<Expression, Variable>;
  readonly callees: Map<CallExpression, Callable>;
  /** What each constant expression gives; null where that isn't known. */
  readonly constants: Map<Expression, Constant | null>;
  variable(name: string): Variable | null;
  callable(name: string): Callable | null;
  /** null where the name is no type's, or lacks what a constructor finds out of its operands, as `vec2` does. */
  typeOrNull(written: TypeName): Type | null;
  /** Whether a call of this makes a value of a type. */
  isConstructor(callee: TypeName): boolean;
}
