/** The statements of one function: the scopes of its names, and the types of what it assigns and returns. */
import type { Callable, Variable } from "./symbols.js";
import { ExpressionChecker } from "./check-expression.js";
import type { Scope } from "./scope.js";
import { isBuiltin } from "./builtins.js";
import { checkContinuing } from "./continuing.js";
import type { Constant } from "./constant.js";
import { writtenComponents } from "./swizzle.js";
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
import { concrete, converts, elementOf, isInteger, nothing, showType, type Type } from "./types.js";
import { binaryResult } from "./operators.js";
import { rootOf } from "../language/walk.js";

/** @throws WgslError where what is asserted isn't known, or false. */
export function checkAssert(
  source: SourceText,
  condition: Expression,
  constants: ReadonlyMap<Expression, Constant | null>,
): void {
  const value = constants.get(condition);
  if (value === undefined) source.fail(condition.at, "const_assert is about what is known before the shader runs");
  if (value === false) source.fail(condition.at, "this assertion is false");
}

export class FunctionChecker implements Scope {
  readonly source: SourceText;
  readonly types: Map<Expression, Type>;
  readonly variables: Map<Expression, Variable>;
  readonly callees: Map<CallExpression, Callable>;
  readonly constants: Map<Expression, Constant | null>;
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
    this.constants = module.constants;
    this.#expressions = new ExpressionChecker(this);
  }

  check({ name, parameters, result, body, attributes }: FunctionDeclaration): void {
    this.#name = name;
    const isEntry = attributes.some((attribute) => /^(?:compute|vertex|fragment)$/.test(attribute.name));
    const [attribute] = isEntry ? [] : parameters.flatMap((parameter) => parameter.attributes);
    if (attribute !== undefined) {
      this.source.fail(attribute.at, `@${attribute.name} is for an entry point's parameters, not for those of ${name}`);
    }
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

  isConstructor(callee: TypeName): boolean {
    return this.#module.isConstructor(callee);
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
        this.#expressions.condition(statement.condition);
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
        this.#expressions.condition(statement.condition);
        this.#block(statement.body);
        return;
      case "loop":
        this.#loop(statement);
        return;
      case "call statement":
        this.#callStatement(statement.call);
        return;
      case "return":
        this.#return(statement.value, statement.at);
        return;
      case "assert":
        this.#expressions.condition(statement.condition);
        checkAssert(this.source, statement.condition, this.constants);
        return;
      case "discard":
        this.source.fail(statement.at, "only what draws can discard: a function of numbers can't");
        break;
      case "break":
      case "continue":
        return;
    }
  }

  #declaration(declaration: Declaration): void {
    const { keyword, name, type, value, at, space } = declaration;
    if (space.length > 0 && space[0] !== "function") {
      this.source.fail(at, `a variable of a function can't be in <${space.join(", ")}>`);
    }
    const found = value === null ? null : this.#expressions.valueOf(value);
    const declared = type === null ? null : this.#module.typeNamed(type, this);
    if (found !== null && declared !== null && !converts(found, declared)) {
      this.source.fail(at, `${name} is ${showType(declared)}, and can't hold ${showType(found)}`);
    }
    // A const keeps a number without a size as one; what is stored has a size.
    const own = declared ?? (keyword === "const" ? (found ?? nothing) : concrete(found ?? nothing));
    if (keyword === "const" && value !== null && !this.constants.has(value)) {
      this.source.fail(value.at, `${name} is a const, and this isn't known before the shader runs: use let`);
    }
    if (value !== null) this.#expressions.constants.fits(value, own);
    this.#add(declaration, { name, keyword, type: own, value, at });
  }

  /** What is called for its own sake does something, or may: a built-in function and a constructor don't. */
  #callStatement(call: CallExpression): void {
    this.#expressions.typeOf(call);
    const callee = this.callees.get(call);
    const { name } = call.callee;
    const mustBeUsed =
      callee === undefined
        ? isBuiltin(name) || name === "bitcast" || this.isConstructor(call.callee)
        : (callee.declaration?.attributes.some((attribute) => attribute.name === "must_use") ?? false);
    if (mustBeUsed) this.source.fail(call.at, `nothing is done with what ${name} gives: write _ = where that is meant`);
  }

  #assignment({ target, operator, value, at, written }: Assignment): void {
    if (target === null) {
      this.#expressions.valueOf(value);
      return;
    }
    const to = this.#target(target);
    const given = this.#expressions.valueOf(value);
    const result = operator === null ? given : binaryResult(operator, to, given);
    if (written?.isStep === true && (to.kind !== "scalar" || !isInteger(to.name))) {
      this.source.fail(
        at,
        `${operator ?? ""}${operator ?? ""} counts whole numbers, not ${showType(to)}: use ${operator ?? ""}= 1`,
      );
    }
    if (result === null) {
      this.source.fail(at, `${operator ?? ""}= doesn't go between ${showType(to)} and ${showType(given)}`);
    }
    if (!converts(result, to))
      this.source.fail(at, `what is assigned to is ${showType(to)}, and can't hold ${showType(result)}`);
    if (operator === null) this.#expressions.constants.fits(value, to);
    else this.#expressions.constants.operands(operator, target, value);
  }

  /** The type of what is assigned to. @throws WgslError where it can't be changed. */
  #target(target: Expression): Type {
    const type = this.#expressions.valueOf(target);
    writtenComponents(this.source, target, this.types);
    const root = rootOf(target);
    if (root.kind === "unary" && root.operator === "*") return type;
    if (root.kind !== "name")
      this.source.fail(target.at, "a value can't be assigned to: only a variable, or a part of one");
    const variable = this.variables.get(root);
    if (variable === undefined || variable.keyword === "var") return type;
    if (variable.type.kind === "pointer") return type;
    const what = variable.keyword === "parameter" ? "is a parameter" : `was declared by ${variable.keyword}`;
    return this.source.fail(target.at, `${variable.name} ${what}, and can't be changed: use a var`);
  }

  #switch({ value, cases, at }: Statement & { kind: "switch" }): void {
    const type = this.#expressions.valueOf(value);
    if (type.kind !== "scalar" || !isInteger(elementOf(type))) {
      this.source.fail(value.at, `a switch is over whole numbers, not ${showType(type)}`);
    }
    const known = new Set<Constant>();
    for (const { selectors, body } of cases) {
      for (const selector of selectors) if (selector !== null) this.#selector(selector, type, known);
      this.#block(body);
    }
    const defaults = cases.flatMap(({ selectors }) => selectors).filter((selector) => selector === null).length;
    if (defaults !== 1) this.source.fail(at, `a switch has one default, this one has ${defaults}`);
  }

  /** @param known the values of those before it */
  #selector(selector: Expression, type: Type, known: Set<Constant>): void {
    const own = this.#expressions.valueOf(selector);
    if (!converts(own, concrete(type)) && !converts(type, own)) {
      this.source.fail(selector.at, `this case is ${showType(own)}, and the switch over ${showType(type)}`);
    }
    const value = this.constants.get(selector);
    if (value === undefined)
      this.source.fail(selector.at, "a case is constant: what is compared here, an if can compare");
    this.#expressions.constants.fits(selector, converts(own, concrete(type)) ? concrete(type) : own);
    if (value === null) return;
    if (known.has(value)) this.source.fail(selector.at, `there are two cases for ${String(value)}`);
    known.add(value);
  }

  #for({ init, condition, update, body }: Statement & { kind: "for" }): void {
    this.#scoped(() => {
      if (init !== null) this.#statement(init);
      if (condition !== null) this.#expressions.condition(condition);
      if (update !== null) this.#statement(update);
      this.#block(body);
    });
  }

  /** What is declared in the body can be used in `continuing`. */
  #loop(loop: Statement & { kind: "loop" }): void {
    const { body, continuing, breakIf } = loop;
    this.#scoped(() => {
      for (const statement of body) this.#statement(statement);
      this.#scoped(() => {
        for (const statement of continuing) this.#statement(statement);
        if (breakIf !== null) this.#expressions.condition(breakIf);
      });
    });
    checkContinuing(this.source, loop, this.#module);
  }

  #return(value: Expression | null, at: number): void {
    const given = value === null ? nothing : this.#expressions.valueOf(value);
    if (converts(given, this.#result)) {
      if (value !== null) this.#expressions.constants.fits(value, this.#result);
      return;
    }
    this.source.fail(at, `${this.#name} returns ${showType(this.#result)}, not ${showType(given)}`);
  }
}
