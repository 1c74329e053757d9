/** What is known of a checked source: types, and what names stand for. */
import type {
  CallExpression,
  Declaration,
  Expression,
  FunctionDeclaration,
  ModuleDeclaration,
  Parameter,
} from "../language/syntax.js";
import type { Type } from "./types.js";

/** What a name stands for. */
export interface Variable {
  readonly name: string;
  readonly keyword: "let" | "var" | "const" | "override" | "parameter";
  readonly type: Type;
  readonly value: Expression | null;
  readonly at: number;
}

export interface Callable {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: Type }[];
  readonly result: Type;
  /** null for a function from outside of the source, such as math_exp. */
  readonly declaration: FunctionDeclaration | null;
}

/** What is known of a source. */
export interface Checked {
  readonly declarations: readonly ModuleDeclaration[];
  readonly functions: ReadonlyMap<string, Callable>;
  readonly types: ReadonlyMap<Expression, Type>;
  readonly variables: ReadonlyMap<Expression, Variable>;
  /** What each declaration in a function declares, and each parameter. */
  readonly declared: ReadonlyMap<Declaration | Parameter, Variable>;
  /** Of calls of functions, not of constructors and built-ins. */
  readonly callees: ReadonlyMap<CallExpression, Callable>;
}

/** Functions that a source may call and doesn't declare, by name; null where there is none. */
export type Outside = (name: string) => Callable | null;
