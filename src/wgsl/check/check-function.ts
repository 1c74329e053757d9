/** The statements of one function: the scopes of its names, and the types of what it assigns and returns. */
import type { Callable, Variable } from "./symbols.js";
import { ExpressionChecker, type Scope } from "./check-expression.js";
import type { ModuleScope } from "./module-scope.js";
import type { SourceText } from "../language/source-text.js";
import type {
  Assignment,
  CallExpression,
  Declaration,
  Expression,
  FunctionDeclaration,
  Parameter,
  Statement,
  TypeName,
} from "../language/syntax.js";
import { bool, concrete, converts, elementOf, isInteger, nothing, showType, type Type } from "./types.js";
import { binaryResult } from "./operators.js";

export class FunctionChecker implements Scope {
  readonly source: SourceText;
  readonly types: Map<Expression, Type>;
  readonly variables: Map<Expression, Variable>;
  readonly callees: Map<CallExpression, Callable>;
  readonly #module: ModuleScope;
  readonly #expressions: ExpressionChecker;
  /** The names of each block that is open, the innermost last. */
  readonly #scopes: Map<string, Variable>[] = [];
  #name = "";
  #result: Type = nothing;

  constructor(source: SourceText, module: ModuleScope) {
    this.source = source;
    this.#module = module;
    ({ types: this.types, variables: this.variables, callees: this.callees } = module);
    this.#expressions = new ExpressionChecker(this);
  }

  check({ name, parameters, result, body }: FunctionDeclaration): void {
    this.#name = name;
    this.#result = result === null ? nothing : this.#module.typeNamed(result);
    this.#scopes.push(new Map());
    for (const parameter of parameters) {
      const type = this.#module.typeNamed(parameter.type);
      this.#add(parameter, { name: parameter.name, keyword: "parameter", type, value: null, at: parameter.at });
    }
    // The parameters and the body's own names are in one scope.
    for (const statement of body) this.#statement(statement);
    this.#scopes.pop();
  }

  variable(name: string): Variable | null {
    for (let k = this.#scopes.length - 1; k >= 0; k--) {
      const found = this.#scopes[k]?.get(name);
      if (found !== undefined) return found;
    }
    return this.#module.variable(name);
  }

  callable(name: string): Callable | null {
    const found = this.#module.callable(name);
    if (found?.declaration !== null && found !== null) this.#module.noteCall(this.#name, name);
    return found;
  }

  typeOrNull(written: TypeName): Type | null {
    return this.#module.typeOrNull(written, this);
  }

  #add(declaration: Declaration | Parameter, variable: Variable): void {
    this.#module.declared.set(declaration, variable);
    const scope = this.#scopes[this.#scopes.length - 1];
    if (scope?.has(variable.name) === true)
      this.source.fail(variable.at, `${variable.name} is declared twice in one block`);
    scope?.set(variable.name, variable);
  }

  #block(body: readonly Statement[]): void {
    this.#scoped(() => {
      for (const statement of body) this.#statement(statement);
    });
  }

  #scoped(check: () => void): void {
    this.#scopes.push(new Map());
    check();
    this.#scopes.pop();
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "declaration":
        this.#declaration(statement);
        return;
      case "assignment":
        this.#assignment(statement);
        return;
      case "block":
        this.#block(statement.body);
        return;
      case "if":
        this.#condition(statement.condition);
        this.#block(statement.then);
        this.#block(statement.otherwise);
        return;
      case "switch":
        this.#switch(statement);
        return;
      case "for":
        this.#for(statement);
        return;
      case "while":
        this.#condition(statement.condition);
        this.#block(statement.body);
        return;
      case "loop":
        this.#loop(statement);
        return;
      case "call statement":
        this.#expressions.typeOf(statement.call);
        return;
      case "return":
        this.#return(statement.value, statement.at);
        return;
      case "assert":
        this.#condition(statement.condition);
        return;
      case "break":
      case "continue":
      case "discard":
        return;
    }
  }

  #declaration(declaration: Declaration): void {
    const { keyword, name, type, value, at } = declaration;
    const found = value === null ? null : this.#expressions.valueOf(value);
    const declared = type === null ? null : this.#module.typeNamed(type, this);
    if (found !== null && declared !== null && !converts(found, declared)) {
      this.source.fail(at, `${name} is ${showType(declared)}, and can't hold ${showType(found)}`);
    }
    // A const keeps a number without a size as one; what is stored has a size.
    const own = declared ?? (keyword === "const" ? (found ?? nothing) : concrete(found ?? nothing));
    this.#add(declaration, { name, keyword, type: own, value, at });
  }

  #assignment({ target, operator, value, at }: Assignment): void {
    if (target === null) {
      this.#expressions.valueOf(value);
      return;
    }
    const to = this.#target(target);
    const given = this.#expressions.valueOf(value);
    const result = operator === null ? given : binaryResult(operator, to, given);
    if (result === null) {
      this.source.fail(at, `${operator ?? ""}= doesn't go between ${showType(to)} and ${showType(given)}`);
    }
    if (!converts(result, to))
      this.source.fail(at, `what is assigned to is ${showType(to)}, and can't hold ${showType(result)}`);
  }

  /** The type of what is assigned to. @throws WgslError where it can't be changed. */
  #target(target: Expression): Type {
    const type = this.#expressions.valueOf(target);
    let root = target;
    while (root.kind === "member" || root.kind === "index") {
      if (root.kind === "member" && root.name.length > 1 && this.types.get(root.object)?.kind === "vector") {
        this.source.fail(root.at, "one component at a time can be assigned, not several");
      }
      root = root.object;
    }
    if (root.kind === "unary" && root.operator === "*") return type;
    if (root.kind !== "name")
      this.source.fail(target.at, "a value can't be assigned to: only a variable, or a part of one");
    const variable = this.variables.get(root);
    if (variable === undefined || variable.keyword === "var") return type;
    if (variable.type.kind === "pointer") return type;
    const what = variable.keyword === "parameter" ? "is a parameter" : `was declared by ${variable.keyword}`;
    return this.source.fail(target.at, `${variable.name} ${what}, and can't be changed: use a var`);
  }

  #condition(condition: Expression): void {
    const type = this.#expressions.valueOf(condition);
    if (type !== bool) this.source.fail(condition.at, `a condition is a bool, not ${showType(type)}`);
  }

  #switch({ value, cases, at }: Statement & { kind: "switch" }): void {
    const type = this.#expressions.valueOf(value);
    if (type.kind !== "scalar" || !isInteger(elementOf(type))) {
      this.source.fail(value.at, `a switch is over whole numbers, not ${showType(type)}`);
    }
    for (const { selectors, body } of cases) {
      for (const selector of selectors) {
        if (selector === null) continue;
        const own = this.#expressions.valueOf(selector);
        if (!converts(own, concrete(type)) && !converts(type, own)) {
          this.source.fail(selector.at, `this case is ${showType(own)}, and the switch over ${showType(type)}`);
        }
      }
      this.#block(body);
    }
    const defaults = cases.flatMap(({ selectors }) => selectors).filter((selector) => selector === null).length;
    if (defaults !== 1) this.source.fail(at, `a switch has one default, this one has ${defaults}`);
  }

  #for({ init, condition, update, body }: Statement & { kind: "for" }): void {
    this.#scoped(() => {
      if (init !== null) this.#statement(init);
      if (condition !== null) this.#condition(condition);
      if (update !== null) this.#statement(update);
      this.#block(body);
    });
  }

  /** What is declared in the body can be used in `continuing`. */
  #loop({ body, continuing, breakIf }: Statement & { kind: "loop" }): void {
    this.#scoped(() => {
      for (const statement of body) this.#statement(statement);
      this.#scoped(() => {
        for (const statement of continuing) this.#statement(statement);
        if (breakIf !== null) this.#condition(breakIf);
      });
    });
  }

  #return(value: Expression | null, at: number): void {
    const given = value === null ? nothing : this.#expressions.valueOf(value);
    if (converts(given, this.#result)) return;
    this.source.fail(at, `${this.#name} returns ${showType(this.#result)}, not ${showType(given)}`);
  }
}
