/** Which variables change with which inputs: only these get derivatives. */
import type { Checked, Variable } from "../check/symbols.js";
import { isFloat, type Type } from "../check/types.js";
import type { SourceText } from "../language/source-text.js";
import type { CallExpression, Expression, FunctionDeclaration, Statement } from "../language/syntax.js";
import { bodiesOf, expressionsOf, partsOf, rootOf } from "../language/walk.js";
import { formulasOf } from "./rules.js";

/** A set of directions, a bit for each: those of the inputs by which is differentiated. */
export type Directions = number;

/** The numbers of the directions in a set. */
export function listOf(directions: Directions): number[] {
  const list: number[] = [];
  for (let j = 0; directions >> j > 0; j++) if (((directions >> j) & 1) === 1) list.push(j);
  return list;
}

/** Whether there is a float in it somewhere, which can change continuously. */
export function carries(type: Type): boolean {
  switch (type.kind) {
    case "scalar":
      return isFloat(type.name);
    case "vector":
    case "matrix":
      return isFloat(type.element);
    case "array":
      return carries(type.element);
    case "struct":
      return type.members.some((member) => carries(member.type));
    default:
      return false;
  }
}

/** The directions in which the result of a call of one of the source's functions changes. */
export type ResultOf = (callee: FunctionDeclaration, operands: readonly Directions[]) => Directions;

/** The directions in which each variable of one function changes, and each of its expressions. */
export class Activity {
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #resultOf: ResultOf;
  readonly #variables = new Map<Variable, Directions>();
  #result: Directions = 0;

  /**
   * @param parameters the directions of the parameters, in order
   * @throws WgslError where something is done with a changing value that can't be differentiated.
   */
  constructor(
    source: SourceText,
    checked: Checked,
    f: FunctionDeclaration,
    parameters: readonly Directions[],
    resultOf: ResultOf,
  ) {
    this.#source = source;
    this.#checked = checked;
    this.#resultOf = resultOf;
    f.parameters.forEach((parameter, k) => {
      const variable = checked.declared.get(parameter);
      if (variable?.type.kind === "pointer") this.#refusePointer(parameter.at);
      if (variable !== undefined) this.#add(variable, parameters[k] ?? 0);
    });
    // What a loop's end assigns is read at its beginning: until nothing is new.
    while (this.#visitAll(f.body));
  }

  /** The directions in which the function's result changes. */
  get result(): Directions {
    return this.#result;
  }

  of(variable: Variable): Directions {
    return this.#variables.get(variable) ?? 0;
  }

  ofExpression(expression: Expression): Directions {
    const parts = partsOf(expression);
    if (expression.kind === "unary" && (expression.operator === "&" || expression.operator === "*")) {
      this.#refusePointer(expression.at);
    }
    const directions = parts.map((part) => this.ofExpression(part));
    const all = directions.reduce((sum, own) => sum | own, 0);
    if (expression.kind === "call" && /^(?:bitcast$|pack)/.test(expression.callee.name) && all !== 0) {
      const { name } = expression.callee;
      this.#source.fail(expression.at, `the bits of a value that has a derivative have none: ${name} what is constant`);
    }
    const type = this.#checked.types.get(expression);
    if (type === undefined || !carries(type)) return 0;
    if (expression.kind === "name") {
      const variable = this.#checked.variables.get(expression);
      return variable === undefined ? 0 : this.of(variable);
    }
    if (expression.kind === "member" && /^(?:whole|exp)$/.test(expression.name)) {
      const of = this.#checked.types.get(expression.object);
      if (of !== undefined && isParts(of)) return 0;
    }
    return expression.kind === "call" ? this.#ofCall(expression, directions) : all;
  }

  /** The variable of which a target is a part. */
  rootOf(target: Expression): Variable {
    const root = rootOf(target);
    const variable = root.kind === "name" ? this.#checked.variables.get(root) : undefined;
    return variable ?? this.#refusePointer(target.at);
  }

  #ofCall(call: CallExpression, operands: readonly Directions[]): Directions {
    const declaration = this.#checked.callees.get(call)?.declaration ?? null;
    if (declaration !== null) return this.#resultOf(declaration, operands);
    const formulas = formulasOf(call.callee.name);
    return operands.reduce((all, own, k) => (formulas?.[k] === null ? all : all | own), 0);
  }

  #refusePointer(at: number): never {
    return this.#source.fail(at, "what goes through a pointer can't be differentiated: give and return it by value");
  }

  #add(variable: Variable, directions: Directions): boolean {
    const before = this.of(variable);
    if (!carries(variable.type) || (before | directions) === before) return false;
    this.#variables.set(variable, before | directions);
    return true;
  }

  #visitAll(body: readonly Statement[]): boolean {
    let isNew = false;
    for (const statement of body) if (this.#visit(statement)) isNew = true;
    return isNew;
  }

  /** Whether something was found that wasn't known. */
  #visit(statement: Statement): boolean {
    switch (statement.kind) {
      case "declaration": {
        const variable = this.#checked.declared.get(statement);
        if (statement.value === null || variable === undefined) return false;
        return this.#add(variable, this.ofExpression(statement.value));
      }
      case "assignment": {
        const { target, value } = statement;
        const directions = this.ofExpression(value);
        if (target === null) return false;
        this.ofExpression(target);
        return this.#add(this.rootOf(target), directions);
      }
      case "return": {
        const before = this.#result;
        if (statement.value !== null) this.#result |= this.ofExpression(statement.value);
        return this.#result !== before;
      }
      case "discard":
        return this.#source.fail(statement.at, "a function of numbers can't discard");
      default:
        // What is refused in one of them is refused here.
        for (const expression of expressionsOf(statement)) this.ofExpression(expression);
        return bodiesOf(statement)
          .map((body) => this.#visitAll(body))
          .includes(true);
    }
  }
}

/** Whether a type is what modf and frexp give, which has no name in WGSL. Its tangent is that of its fract. */
export function isParts(type: Type): type is Type & { kind: "struct" } {
  return type.kind === "struct" && type.name.startsWith("__");
}
