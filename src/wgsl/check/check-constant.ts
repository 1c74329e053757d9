/** Which expressions are constant, what they give, and what WGSL doesn't allow of them. */
import { checkOperands, constantResult } from "./constant-builtins.js";
import * as constant from "./constant.js";
import type { Constant, Wrong } from "./constant.js";
import type { Scope } from "./scope.js";
import { componentsOf } from "./swizzle.js";
import type { BinaryOperator, CallExpression, Expression } from "../language/syntax.js";
import { commonElement, elementOf, isInteger, nothing, scalar, withElement, type Type } from "./types.js";

export class ConstantChecker {
  readonly #scope: Scope;
  /** Whether it is about what is never computed, where nothing is wrong. */
  #isSkipped = false;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Notes what an expression gives, where it is constant. Its parts have been noted. */
  note(expression: Expression, type: Type): void {
    const value = this.#find(expression, type);
    if (value !== undefined) this.#scope.constants.set(expression, value);
  }

  /** Checks the right side of `&&` or `||`, which isn't computed where the left one says all. */
  behind<T>(operator: BinaryOperator, left: Expression, check: () => T): T {
    const before = this.#isSkipped;
    this.#isSkipped ||= this.#value(left) === (operator === "||");
    const result = check();
    this.#isSkipped = before;
    return result;
  }

  /** @throws WgslError where a constant is out of the range of what it becomes. */
  fits(expression: Expression, to: Type): void {
    this.#as(expression, to);
  }

  /** The same for what two operands become together, and what no operand on the right may be. */
  operands(operator: BinaryOperator, left: Expression, right: Expression): void {
    const [a, b] = [this.#type(left), this.#type(right)];
    const isShift = operator === "<<" || operator === ">>";
    const common = commonElement([elementOf(a), elementOf(b)]);
    if (isShift) this.fits(right, withElement(b, "u32"));
    else if (common !== null) for (const side of [left, right]) this.fits(side, withElement(this.#type(side), common));
    const by = this.#value(right);
    if (by === null) return;
    const some = (test: (x: number) => boolean): boolean => [by].flat(2).some((x) => test(Number(x)));
    const isConcrete = elementOf(a) !== "abstract int" || !this.#scope.constants.has(left);
    if (isShift && isConcrete && some((x) => x >= 32)) this.#fail(right.at, "a shift by 32 or more has no result");
    const isDivision = (operator === "/" || operator === "%") && isInteger(common);
    if (isDivision && some((x) => x === 0)) this.#fail(right.at, "a whole number can't be divided by 0");
  }

  /** @throws WgslError where a constant index has no element. */
  index(index: Expression, count: number): void {
    this.fits(index, withElement(this.#type(index), elementOf(this.#type(index)) === "u32" ? "u32" : "i32"));
    const at = this.#value(index);
    if (typeof at !== "number" || (at >= 0 && at < count)) return;
    this.#fail(index.at, `there is no element ${at} of ${count}: the last one is ${count - 1}`);
  }

  #fail(at: number, message: string): null {
    return this.#isSkipped ? null : this.#scope.source.fail(at, message);
  }

  #wrong({ at }: Expression): Wrong {
    return (message) => this.#fail(at, message);
  }

  /** null where an expression isn't constant, or its value isn't known. */
  #value(expression: Expression): Constant | null {
    return this.#scope.constants.get(expression) ?? null;
  }

  #type(expression: Expression): Type {
    return this.#scope.types.get(expression) ?? nothing;
  }

  #as(expression: Expression, to: Type): Constant | null {
    const value = this.#value(expression);
    return value === null ? null : constant.converted(value, this.#type(expression), to, this.#wrong(expression));
  }

  #areConstant(expressions: readonly Expression[]): boolean {
    return expressions.every((expression) => this.#scope.constants.has(expression));
  }

  /** undefined where it isn't constant. */
  #find(expression: Expression, type: Type): Constant | null | undefined {
    switch (expression.kind) {
      case "number":
        return this.#number(expression, type);
      case "bool":
        return expression.value;
      case "name": {
        const variable = this.#scope.variables.get(expression);
        if (variable?.keyword !== "const" || variable.value === null) return undefined;
        return this.#as(variable.value, variable.type);
      }
      case "unary": {
        const { operator, operand } = expression;
        if (operator === "&" || operator === "*" || !this.#areConstant([operand])) return undefined;
        const value = this.#value(operand);
        return value === null ? null : constant.unary(operator, value, type, this.#wrong(expression));
      }
      case "binary":
        return this.#binary(expression);
      case "member":
        return this.#areConstant([expression.object]) ? this.#member(expression) : undefined;
      case "index": {
        const { object, index } = expression;
        if (!this.#areConstant([object, index])) return undefined;
        const [whole, at] = [this.#value(object), this.#value(index)];
        return typeof whole === "object" && typeof at === "number" ? (whole?.[at] ?? null) : null;
      }
      case "call":
        return this.#call(expression, type);
    }
  }

  #number({ text, at }: Expression & { kind: "number" }, type: Type): Constant | null {
    const element = elementOf(type) ?? "f32";
    const value = constant.numberValue(text);
    const isWhole = element === "abstract int" && BigInt(text) < 2n ** 63n;
    const wrong: Wrong = () => this.#fail(at, `${text} is more than ${showRange[element] ?? element} can hold`);
    if (isWhole) return value;
    if (element === "f32" && /^0[xX]/.test(text) && Math.fround(value) !== value && value < 2 ** 128) {
      return this.#fail(at, `${text} is no f32: it has too many digits, or is too small`);
    }
    return element === "abstract int" ? wrong("") : constant.inRange(value, element, wrong);
  }

  #binary(expression: Expression & { kind: "binary" }): Constant | null | undefined {
    const { operator, left, right } = expression;
    const isLogical = operator === "&&" || operator === "||";
    this.operands(operator, left, right);
    if (!this.#areConstant(isLogical && this.#value(left) === (operator === "||") ? [left] : [left, right]))
      return undefined;
    if (isLogical && this.#value(left) === (operator === "||")) return operator === "||";
    const [a, b] = [this.#type(left), this.#type(right)];
    if (a.kind === "matrix" || b.kind === "matrix") return null;
    const isShift = operator === "<<" || operator === ">>";
    const common = isShift ? elementOf(a) : commonElement([elementOf(a), elementOf(b)]);
    if (common === null) return null;
    const first = this.#as(left, withElement(a, common));
    const second = isShift ? this.#value(right) : this.#as(right, withElement(b, common));
    if (first === null || second === null) return null;
    return constant.binary(operator, first, second, common, this.#wrong(expression));
  }

  #member({ object, name }: Expression & { kind: "member" }): Constant | null {
    const [whole, type] = [this.#value(object), this.#type(object)];
    if (whole === null || typeof whole !== "object") return null;
    if (type.kind === "struct") return whole[type.members.findIndex((member) => member.name === name)] ?? null;
    const parts = constant.all(componentsOf(name).map((k) => whole[k] ?? null));
    return parts?.length === 1 ? (parts[0] ?? null) : parts;
  }

  #call(call: CallExpression, type: Type): Constant | null | undefined {
    const { callee, args } = call;
    const callable = this.#scope.callees.get(call);
    if (callable !== undefined) {
      args.forEach((arg, k) => this.fits(arg, callable.parameters[k]?.type ?? this.#type(arg)));
      return undefined;
    }
    const isConstant = this.#areConstant(args);
    const wrong = this.#wrong(call);
    if (callee.name === "bitcast") return isConstant ? this.#bits(args[0], type, wrong) : undefined;
    if (this.#scope.isConstructor(callee)) {
      const parts = args.map((arg, k) => this.#as(arg, partOf(type, this.#type(arg), k)));
      return isConstant ? constructed(type, constant.all(parts)) : undefined;
    }
    const together = args.slice(0, alike[callee.name] ?? args.length);
    const common = commonElement(together.map((arg) => elementOf(this.#type(arg))));
    const values = args.map((arg, k) => {
      const own = this.#type(arg);
      if (k < together.length) return this.#as(arg, common === null ? own : withElement(own, common));
      return this.#as(arg, elementOf(own) === "bool" ? own : withElement(own, callee.name === "ldexp" ? "i32" : "u32"));
    });
    checkOperands(callee.name, values, wrong);
    const known = constant.all(values);
    if (!isConstant) return undefined;
    return known === null ? null : constantResult(callee.name, known, type, wrong);
  }

  /** What the bits of a number are: no infinity, and no NaN. */
  #bits(of: Expression | undefined, to: Type, wrong: Wrong): null {
    const value = of === undefined ? null : this.#value(of);
    if (typeof value !== "number" || to !== scalar("f32")) return null;
    const [x = 0] = new Float32Array(new Uint32Array([value]).buffer);
    if (!Number.isFinite(x) && of !== undefined && isInteger(elementOf(this.#type(of)))) {
      wrong("these are the bits of no finite number, and a constant is one");
    }
    return null;
  }
}

/** How many of the operands have one type, where it isn't all: the others are a condition, an exponent, numbers of bits. */
const alike: Readonly<Partial<Record<string, number>>> = { select: 2, ldexp: 1, extractBits: 1, insertBits: 2 };

const showRange: Readonly<Partial<Record<string, string>>> = {
  "abstract int": "a whole number",
  "abstract float": "a number",
  i32: "an i32",
  u32: "a u32",
  f32: "an f32",
};

/** The type that the kth part of what is put together becomes. */
function partOf(whole: Type, part: Type, k: number): Type {
  if (whole.kind === "array") return whole.element;
  if (whole.kind === "struct") return whole.members[k]?.type ?? part;
  const element = elementOf(whole);
  return element === null ? part : withElement(part, element);
}

function constructed(type: Type, parts: readonly Constant[] | null): Constant | null {
  if (parts === null) return null;
  const [only] = parts;
  if (only === undefined) return constant.zeroOf(type);
  if (type.kind === "scalar" || (type.kind === "matrix" && parts.length === 1)) return only;
  if (type.kind !== "vector") return constant.shaped(parts, type);
  const flat = parts.flatMap((part) => part);
  return flat.length === 1 ? Array.from({ length: type.size }, () => flat[0] ?? 0) : flat;
}
