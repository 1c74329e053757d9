/** Which numbers of which variables change with which inputs: only these get derivatives. */
import { isBuiltin } from "../check/builtins.js";
import type { Checked, Variable } from "../check/symbols.js";
import { isFloat, sizeOfVector, type Type } from "../check/types.js";
import type { SourceText } from "../language/source-text.js";
import type { CallExpression, Expression, FunctionDeclaration, Statement } from "../language/syntax.js";
import { bodiesOf, expressionsOf, partsOf, rootOf } from "../language/walk.js";
import { alongside, asOne, spread, unionOf, type Changes, type Directions } from "./changes.js";
import { leavesOf, placesOf } from "./leaves.js";
import { formulasOf } from "./rules.js";

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

/** Functions of vectors in which each component of the result is made of all components. */
const mixing = new Set(["cross", "faceForward", "normalize", "reflect", "refract", "transpose"]);

/** How the result of a call of one of the source's functions changes. */
export type ResultOf = (callee: FunctionDeclaration, operands: readonly Changes[]) => Changes;

/** How each variable of one function changes, and each of its expressions. */
export class Activity {
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #resultOf: ResultOf;
  readonly #variables = new Map<Variable, Changes>();
  #result: Changes = [];

  /**
   * @param parameters how the parameters change, in order
   * @throws WgslError where something is done with a changing value that can't be differentiated.
   */
  constructor(
    source: SourceText,
    checked: Checked,
    f: FunctionDeclaration,
    parameters: readonly Changes[],
    resultOf: ResultOf,
  ) {
    this.#source = source;
    this.#checked = checked;
    this.#resultOf = resultOf;
    f.parameters.forEach((parameter, k) => {
      const variable = checked.declared.get(parameter);
      if (variable?.type.kind === "pointer") this.#refusePointer(parameter.at);
      if (variable !== undefined) this.#add(variable, spread(parameters[k] ?? [], leavesOf(variable.type)));
    });
    // What a loop's end assigns is read at its beginning: until nothing is new.
    while (this.#visitAll(f.body));
  }

  /** How the function's result changes. */
  get result(): Changes {
    return this.#result;
  }

  of(variable: Variable): Directions {
    return unionOf(this.#variables.get(variable) ?? []);
  }

  ofExpression(expression: Expression): Directions {
    return unionOf(this.changesOf(expression));
  }

  changesOf(expression: Expression): Changes {
    const parts = partsOf(expression);
    if (expression.kind === "unary" && (expression.operator === "&" || expression.operator === "*")) {
      this.#refusePointer(expression.at);
    }
    const changes = parts.map((part) => this.changesOf(part));
    const isChanging = changes.some((own) => unionOf(own) !== 0);
    if (expression.kind === "call" && /^(?:bitcast$|pack)/.test(expression.callee.name) && isChanging) {
      const { name } = expression.callee;
      this.#source.fail(expression.at, `the bits of a value that has a derivative have none: ${name} what is constant`);
    }
    const type = this.#checked.types.get(expression);
    if (type === undefined || !carries(type)) return [0];
    return spread(this.#ofParts(expression, type, changes), leavesOf(type));
  }

  /** The variable of which a target is a part. */
  rootOf(target: Expression): Variable {
    const root = rootOf(target);
    const variable = root.kind === "name" ? this.#checked.variables.get(root) : undefined;
    return variable ?? this.#refusePointer(target.at);
  }

  /** @param changes of the expression's parts */
  #ofParts(expression: Expression, type: Type, changes: readonly Changes[]): Changes {
    const [first = [0]] = changes;
    switch (expression.kind) {
      case "name": {
        const variable = this.#checked.variables.get(expression);
        return (variable && this.#variables.get(variable)) ?? [0];
      }
      case "unary":
        return first;
      case "binary":
        return this.#isMixed(expression.operator, [expression.left, expression.right])
          ? asOne(changes)
          : alongside(changes);
      case "member":
      case "index": {
        const whole = this.#checked.types.get(expression.object);
        if (whole === undefined || first.length === 1) return first;
        return alongside(placesOf(whole, expression).map((places) => places.map((k) => first[k] ?? 0)));
      }
      case "call":
        return this.#ofCall(expression, type, changes);
      default:
        return [0];
    }
  }

  #ofCall(call: CallExpression, type: Type, operands: readonly Changes[]): Changes {
    const callable = this.#checked.callees.get(call);
    if (callable?.declaration) return this.#resultOf(callable.declaration, operands);
    const { name } = call.callee;
    if (callable === undefined && !isBuiltin(name)) return this.#ofConstruction(call, type, operands);
    const formulas = formulasOf(name);
    const counting = operands.map((own, k): Changes => (formulas?.[k] === null ? [0] : own));
    // A result in parts changes by its first member, the fraction.
    if (isParts(type)) return fractionOf(type, alongside(counting));
    return mixing.has(name) || sizeOfVector(type) === 1 ? asOne(counting) : alongside(counting);
  }

  /** What is put together changes as its parts do. */
  #ofConstruction(call: CallExpression, type: Type, operands: readonly Changes[]): Changes {
    const leaves = leavesOf(type);
    if (operands.length === 1) return operands[0] ?? [0];
    const all = operands.flatMap((own, k) => {
      const part = this.#checked.types.get(call.args[k] ?? call);
      return spread(own, part === undefined ? 1 : leavesOf(part));
    });
    return all.length === leaves ? all : asOne(operands);
  }

  /** Whether each number of a result is made of several: in products of a matrix with what isn't a number. */
  #isMixed(operator: string, operands: readonly Expression[]): boolean {
    const kinds = operands.map((operand) => this.#checked.types.get(operand)?.kind);
    return operator === "*" && kinds.includes("matrix") && !kinds.includes("scalar");
  }

  #refusePointer(at: number): never {
    return this.#source.fail(at, "what goes through a pointer can't be differentiated: give and return it by value");
  }

  #add(variable: Variable, changes: Changes): boolean {
    if (!carries(variable.type)) return false;
    const before = this.#variables.get(variable) ?? [0];
    const after = alongside([before, changes]);
    if (after.every((own, k) => own === (before[k] ?? before[0]))) return false;
    this.#variables.set(variable, after);
    return true;
  }

  /** A part of a variable changes by what is assigned to it. */
  #assign(target: Expression, changes: Changes): boolean {
    const variable = this.rootOf(target);
    const leaves = leavesOf(variable.type);
    if (leaves === 1) return this.#add(variable, asOne([changes]));
    const added = Array.from({ length: leaves }, () => 0);
    for (const places of this.#placesOf(target, leaves)) {
      const own = spread(changes, places.length);
      places.forEach((place, k) => (added[place] = (added[place] ?? 0) | (own[k] ?? 0)));
    }
    return this.#add(variable, added);
  }

  /** Where a target is in its variable; several places where an index isn't known. */
  #placesOf(target: Expression, leaves: number): readonly (readonly number[])[] {
    if (target.kind !== "member" && target.kind !== "index") return [Array.from({ length: leaves }, (_, k) => k)];
    const whole = this.#checked.types.get(target.object);
    if (whole === undefined) return [];
    return this.#placesOf(target.object, leaves).flatMap((of) =>
      placesOf(whole, target).map((places) => places.map((k) => of[k] ?? 0)),
    );
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
        return this.#add(variable, spread(this.changesOf(statement.value), leavesOf(variable.type)));
      }
      case "assignment": {
        const { target, operator, value } = statement;
        const changes = this.changesOf(value);
        if (target === null) return false;
        const before = this.changesOf(target);
        const isMixed = operator !== null && this.#isMixed(operator, [target, value]);
        return this.#assign(target, isMixed ? asOne([before, changes]) : changes);
      }
      case "return": {
        if (statement.value === null) return false;
        const before = this.#result;
        this.#result = alongside([before, this.changesOf(statement.value)]);
        return unionOf(before) !== unionOf(this.#result) || this.#result.some((own, k) => own !== before[k]);
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

/** Of what modf and frexp give. */
function fractionOf(type: Type & { kind: "struct" }, fraction: Changes): Changes {
  return type.members.flatMap((member, k) => spread(k === 0 ? fraction : [0], leavesOf(member.type)));
}

/** Whether a type is what modf and frexp give, which has no name in WGSL. Its tangent is that of its fract. */
export function isParts(type: Type): type is Type & { kind: "struct" } {
  return type.kind === "struct" && type.name.startsWith("__");
}
