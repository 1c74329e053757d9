/** WGSL as a tree. `at` is where in the source a node begins, counted from 0. */

/** A type as it is written, or what is called: `f32`, `vec3<f32>`, `array<f32, 4>`. */
export interface TypeName {
  readonly kind: "type";
  readonly name: string;
  readonly args: readonly (TypeName | Expression)[];
  readonly at: number;
}

export type UnaryOperator = "-" | "!" | "~" | "*" | "&";

export type BinaryOperator =
  "||" | "&&" | "|" | "^" | "&" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "<<" | ">>" | "+" | "-" | "*" | "/" | "%";

export type Expression =
  | { readonly kind: "number"; readonly text: string; readonly at: number }
  | { readonly kind: "bool"; readonly value: boolean; readonly at: number }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly operand: Expression; readonly at: number }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly kind: "member"; readonly object: Expression; readonly name: string; readonly at: number }
  | { readonly kind: "index"; readonly object: Expression; readonly index: Expression; readonly at: number }
  | CallExpression;

export interface CallExpression {
  readonly kind: "call";
  readonly callee: TypeName;
  readonly args: readonly Expression[];
  readonly at: number;
}

export interface Attribute {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly at: number;
}

/** `let`, `var`, `const` or `override`, in a function or outside of all. */
export interface Declaration {
  readonly kind: "declaration";
  readonly keyword: "let" | "var" | "const" | "override";
  /** What stands between the brackets of `var<…>`. */
  readonly space: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly name: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
  readonly at: number;
}

/** A target of null is `_`: the value is computed, and forgotten. */
export interface Assignment {
  readonly kind: "assignment";
  readonly target: Expression | null;
  /** The operator of a compound assignment such as `+=`, else null. `x++` is `x += 1`. */
  readonly operator: BinaryOperator | null;
  readonly value: Expression;
  readonly at: number;
  /** Where in the source it stands, and whether as `x++` or `x--`; of what is made there is none. */
  readonly written?: { readonly from: number; readonly to: number; readonly isStep: boolean };
}

export interface SwitchCase {
  /** null is `default`. */
  readonly selectors: readonly (Expression | null)[];
  readonly body: readonly Statement[];
  readonly at: number;
}

export type Statement =
  | Declaration
  | Assignment
  | { readonly kind: "block"; readonly body: readonly Statement[]; readonly at: number }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
      readonly at: number;
    }
  | { readonly kind: "switch"; readonly value: Expression; readonly cases: readonly SwitchCase[]; readonly at: number }
  | {
      readonly kind: "for";
      readonly init: Statement | null;
      readonly condition: Expression | null;
      readonly update: Statement | null;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | { readonly kind: "while"; readonly condition: Expression; readonly body: readonly Statement[]; readonly at: number }
  | {
      readonly kind: "loop";
      readonly body: readonly Statement[];
      readonly continuing: readonly Statement[];
      readonly breakIf: Expression | null;
      readonly at: number;
    }
  | { readonly kind: "call statement"; readonly call: CallExpression; readonly at: number }
  | { readonly kind: "return"; readonly value: Expression | null; readonly at: number }
  | { readonly kind: "assert"; readonly condition: Expression; readonly at: number }
  | { readonly kind: "break" | "continue" | "discard"; readonly at: number };

export interface Parameter {
  readonly name: string;
  readonly type: TypeName;
  readonly attributes: readonly Attribute[];
  readonly at: number;
}

export interface FunctionDeclaration {
  readonly kind: "function";
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly result: TypeName | null;
  readonly body: readonly Statement[];
  readonly attributes: readonly Attribute[];
  readonly at: number;
  /** Where its last brace is. */
  readonly end: number;
}

export interface StructDeclaration {
  readonly kind: "struct";
  readonly name: string;
  readonly members: readonly Parameter[];
  readonly at: number;
}

export interface AliasDeclaration {
  readonly kind: "alias";
  readonly name: string;
  readonly type: TypeName;
  readonly at: number;
}

/** `enable f16;` and the like: what a whole module asks for. */
interface Directive {
  readonly kind: "directive";
  readonly name: string;
  readonly at: number;
}

export type ModuleDeclaration =
  | FunctionDeclaration
  | StructDeclaration
  | AliasDeclaration
  | Declaration
  | Directive
  | { readonly kind: "assert"; readonly condition: Expression; readonly at: number };
