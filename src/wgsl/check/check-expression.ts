/** The type of every expression, and what its names stand for. */
import { builtinResult, isBuiltin } from "./builtins.js";
import { ConstantChecker } from "./check-constant.js";
import type { Scope } from "./scope.js";
import type { Callable } from "./symbols.js";
import { binaryResult, unaryResult } from "./operators.js";
import { componentsOf } from "./swizzle.js";
import { rootOf } from "../language/walk.js";
import type { CallExpression, Expression, TypeName } from "../language/syntax.js";
import {
  bool,
  commonElement,
  concrete,
  converts,
  elementOf,
  matrixOf,
  nothing,
  scalar,
  showType,
  sizeOfVector,
  vectorOf,
  type ScalarName,
  type Type,
  whyTooLarge,
} from "./types.js";

/** Types that can be written without what they are made of. */
export const openTypes = /^(?:vec[234]|mat[234]x[234]|array)$/;

export class ExpressionChecker {
  readonly #scope: Scope;
  readonly constants: ConstantChecker;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.constants = new ConstantChecker(scope);
  }

  /** @throws WgslError where a name is unknown, or operands don't fit. */
  typeOf(expression: Expression): Type {
    const type = this.#find(expression);
    this.#scope.types.set(expression, type);
    this.constants.note(expression, type);
    return type;
  }

  /** The same for what must give a value. */
  valueOf(expression: Expression): Type {
    const type = this.typeOf(expression);
    return type === nothing ? this.#fail(expression.at, "this call gives nothing") : type;
  }

  condition(expression: Expression): void {
    const type = this.valueOf(expression);
    if (type !== bool) this.#fail(expression.at, `a condition is a bool, not ${showType(type)}`);
  }

  #fail(at: number, message: string): never {
    return this.#scope.source.fail(at, message);
  }

  #find(expression: Expression): Type {
    switch (expression.kind) {
      case "number":
        return this.#number(expression);
      case "bool":
        return bool;
      case "name":
        return this.#name(expression);
      case "unary": {
        const operand = this.valueOf(expression.operand);
        const { operator, at } = expression;
        if (operator === "&") this.#checkPlace(expression.operand);
        return unaryResult(operator, operand) ?? this.#fail(at, `${operator} doesn't take ${showType(operand)}`);
      }
      case "binary": {
        const { operator, at } = expression;
        const left = this.valueOf(expression.left);
        const right = this.constants.behind(operator, expression.left, () => this.valueOf(expression.right));
        return (
          binaryResult(operator, left, right) ??
          this.#fail(at, `${operator} doesn't go between ${showType(left)} and ${showType(right)}`)
        );
      }
      case "member":
        return this.#member(expression);
      case "index":
        return this.#index(expression);
      case "call":
        return this.#call(expression);
    }
  }

  #number({ text, at }: Expression & { kind: "number" }): Type {
    const element = typeOfNumber(text);
    if (element === "f16") this.#scope.typeOrNull({ kind: "type", name: "f16", args: [], at });
    return scalar(element);
  }

  /** What a pointer may point to: a variable, or a part of one that isn't a vector's component. */
  #checkPlace(place: Expression): void {
    const { at } = place;
    const root = rootOf(place);
    const variable = this.#scope.variables.get(root);
    if (variable !== undefined && variable.keyword !== "var" && variable.type.kind !== "pointer") {
      this.#fail(at, `there is no pointer to ${variable.name}: only to a var, or a part of one`);
    }
    const whole = place.kind === "member" || place.kind === "index" ? this.#scope.types.get(place.object) : undefined;
    if ((whole?.kind === "pointer" ? whole.target : whole)?.kind === "vector") {
      this.#fail(at, "there is no pointer to a component of a vector: only to the whole one");
    }
  }

  #name(expression: Expression & { kind: "name" }): Type {
    const { name, at } = expression;
    const variable = this.#scope.variable(name);
    if (variable === null) {
      const isFunction = this.#scope.callable(name) !== null || isBuiltin(name);
      this.#fail(
        at,
        isFunction ? `${name} is a function: it needs its operands, in brackets` : `${name} is not declared`,
      );
    }
    this.#scope.variables.set(expression, variable);
    return variable.type;
  }

  #member({ object, name, at }: Expression & { kind: "member" }): Type {
    const type = this.valueOf(object);
    // A pointer's members are those of what it points to.
    const whole = type.kind === "pointer" ? type.target : type;
    if (whole.kind === "struct") {
      const member = whole.members.find((other) => other.name === name);
      const names = whole.members.map((other) => other.name).join(", ");
      return member?.type ?? this.#fail(at, `${showType(whole)} has no member ${name}: it has ${names}`);
    }
    if (whole.kind !== "vector" || !/^(?:[xyzw]{1,4}|[rgba]{1,4})$/.test(name)) {
      this.#fail(at, `${showType(type)} has no .${name}`);
    }
    const last = Math.max(...componentsOf(name));
    if (last >= whole.size) this.#fail(at, `${showType(type)} has ${whole.size} components, so no .${name}`);
    return vectorOf(name.length, whole.element);
  }

  #index({ object, index, at }: Expression & { kind: "index" }): Type {
    const type = this.valueOf(object);
    const by = this.valueOf(index);
    const whole = type.kind === "pointer" ? type.target : type;
    if (by.kind !== "scalar" || !["i32", "u32", "abstract int"].includes(by.name)) {
      this.#fail(index.at, `an index is a whole number, not ${showType(by)}`);
    }
    const [element, count] = elementsOf(whole) ?? this.#fail(at, `${showType(type)} has no elements`);
    this.constants.index(index, count);
    // What is chosen while the shader runs has a size.
    return this.#scope.constants.has(index) ? element : concrete(element);
  }

  #call(call: CallExpression): Type {
    const { callee, at } = call;
    const args = call.args.map((arg) => this.valueOf(arg));
    if (this.#scope.variable(callee.name) !== null) {
      this.#fail(at, `${callee.name} is a variable here, and hides what could be called: give one another name`);
    }
    if (callee.name === "bitcast") return this.#bitcast(call, args);
    const callable = callee.args.length === 0 ? this.#scope.callable(callee.name) : null;
    if (callable !== null) return this.#ownCall(call, callable, args);
    const constructed = this.#constructed(callee, args, at);
    if (constructed !== null) return constructed;
    if (!isBuiltin(callee.name)) this.#fail(at, `there is no function ${callee.name}`);
    return builtinResult(callee.name, args) ?? this.#fail(at, `${callee.name} doesn't take (${showTypes(args)})`);
  }

  #ownCall(call: CallExpression, callable: Callable, args: readonly Type[]): Type {
    const { name, parameters, result } = callable;
    if (args.length !== parameters.length) {
      this.#fail(
        call.at,
        `${name} takes ${parameters.length} operands (${parameters.map((p) => p.name).join(", ")}), not ${args.length}`,
      );
    }
    args.forEach((arg, k) => {
      const parameter = parameters[k];
      if (parameter === undefined || converts(arg, parameter.type)) return;
      const { name: wanted, type } = parameter;
      this.#fail(
        call.args[k]?.at ?? call.at,
        `${name}'s ${wanted} is ${showType(type)}, and can't be ${showType(arg)}`,
      );
    });
    this.#scope.callees.set(call, callable);
    return result;
  }

  #bitcast({ callee, at }: CallExpression, args: readonly Type[]): Type {
    const [wanted] = callee.args;
    const to = wanted?.kind === "type" && callee.args.length === 1 ? this.#scope.typeOrNull(wanted) : null;
    const [from] = args;
    if (to === null || from === undefined || args.length !== 1)
      this.#fail(at, "a bitcast is written as bitcast<u32>(x)");
    const isSame = sizeOfVector(from) !== null && sizeOfVector(from) === sizeOfVector(to);
    if (!isSame || elementOf(from) === "bool" || elementOf(to) === "bool") {
      this.#fail(at, `the bits of ${showType(from)} are no ${showType(to)}`);
    }
    return to;
  }

  /** The type that is constructed; null where the name is no type's. */
  #constructed(callee: TypeName, args: readonly Type[], at: number): Type | null {
    const named = this.#scope.typeOrNull(callee);
    const type = named ?? inferred(callee, args);
    if (type === null) {
      return openTypes.test(callee.name)
        ? this.#fail(at, `${callee.name} can't be made of (${showTypes(args)})`)
        : null;
    }
    const tooLarge = named === null ? whyTooLarge(type) : null;
    if (tooLarge !== null) return this.#fail(at, tooLarge);
    if (args.length === 0 || isMadeOf(type, args)) return type;
    return this.#fail(at, `${showType(type)} can't be made of (${showTypes(args)})`);
  }
}

/** The type of the elements of an array, a vector or a matrix, and how many there are. */
function elementsOf(type: Type): [Type, number] | null {
  switch (type.kind) {
    case "array":
      return [type.element, type.count];
    case "vector":
      return [scalar(type.element), type.size];
    case "matrix":
      return [vectorOf(type.rows, type.element), type.columns];
    default:
      return null;
  }
}

function showTypes(types: readonly Type[]): string {
  return types.map(showType).join(", ");
}

function typeOfNumber(text: string): ScalarName {
  const isHexadecimal = /^0[xX]/.test(text);
  if (text.endsWith("u")) return "u32";
  if (text.endsWith("i")) return "i32";
  const isFraction = isHexadecimal ? /[.pP]/.test(text) : /[.eEfh]/.test(text);
  if (!isFraction) return "abstract int";
  if (text.endsWith("h")) return "f16";
  return text.endsWith("f") && (!isHexadecimal || /[pP]/.test(text)) ? "f32" : "abstract float";
}

/** The type of `vec3(…)`, `mat2x2(…)`, `array(…)`, whose elements are those of the operands. */
function inferred({ name, args: template }: TypeName, args: readonly Type[]): Type | null {
  const [, zeros] = /^vec([234])$/.exec(name) ?? [];
  if (template.length === 0 && args.length === 0 && zeros !== undefined) return vectorOf(Number(zeros), "abstract int");
  if (template.length > 0 || args.length === 0) return null;
  if (name === "array") {
    const first = args.find((arg) => args.every((other) => converts(other, arg)));
    return first === undefined ? null : { kind: "array", element: first, count: args.length };
  }
  const element = commonElement(args.map(elementOf));
  if (element === null) return null;
  const [, size] = /^vec([234])$/.exec(name) ?? [];
  if (size !== undefined) return vectorOf(Number(size), element);
  const [, columns, rows] = /^mat([234])x([234])$/.exec(name) ?? [];
  if (columns === undefined) return null;
  return matrixOf(Number(columns), Number(rows), element === "abstract int" ? "abstract float" : element);
}

/** Whether a value of this type can be made of these: converted, filled up from parts, or element by element. */
function isMadeOf(type: Type, args: readonly Type[]): boolean {
  const [only] = args;
  switch (type.kind) {
    case "scalar":
      return args.length === 1 && only?.kind === "scalar";
    case "vector":
      return isVectorMadeOf(type, args);
    case "matrix": {
      if (args.length === 1 && only?.kind === "matrix") return only.columns === type.columns && only.rows === type.rows;
      const isColumns =
        args.length === type.columns && args.every((arg) => converts(arg, vectorOf(type.rows, type.element)));
      const isNumbers =
        args.length === type.columns * type.rows && args.every((arg) => converts(arg, scalar(type.element)));
      return isColumns || isNumbers;
    }
    case "array":
      return args.length === type.count && args.every((arg) => converts(arg, type.element));
    case "struct":
      return (
        args.length === type.members.length &&
        args.every((arg, k) => {
          const member = type.members[k];
          return member !== undefined && converts(arg, member.type);
        })
      );
    default:
      return false;
  }
}

function isVectorMadeOf(type: Type & { kind: "vector" }, args: readonly Type[]): boolean {
  const [only] = args;
  // A vector of another element is converted, one number is repeated.
  if (args.length === 1 && only?.kind === "vector") return only.size === type.size;
  if (args.length === 1 && only?.kind === "scalar") return converts(only, scalar(type.element));
  let size = 0;
  for (const arg of args) {
    const element = elementOf(arg);
    if (element === null || !converts(scalar(element), scalar(type.element))) return false;
    size += sizeOfVector(arg) ?? NaN;
  }
  return size === type.size;
}
