/** Makes expressions, and leaves out what has no effect: factors of 1, terms of 0, two minus signs. */
import type { BinaryOperator, CallExpression, Expression, TypeName } from "../language/syntax.js";
import { showType, sizeOfVector, type Type } from "../check/types.js";
import { partsOf, withParts } from "../language/walk.js";

/** Nothing that is made stands in a source. */
const at = -1;

export function name(text: string): Expression & { kind: "name" } {
  return { kind: "name", name: text, at };
}

export function number(text: string): Expression {
  return { kind: "number", text, at };
}

export function call(callee: string, args: readonly Expression[]): CallExpression {
  return { kind: "call", callee: { kind: "type", name: callee, args: [], at }, args, at };
}

/** A type as it is written. */
export function typeName(type: Type): TypeName {
  if (type.kind !== "array") return { kind: "type", name: showType(type), args: [], at };
  return { kind: "type", name: "array", args: [typeName(type.element), number(`${type.count}`)], at };
}

/** A type as it was written, but for the names of arrays' lengths, which may mean something else in what is made. */
export function typeNameAs(written: TypeName, type: Type): TypeName {
  return written.name === "array" && written.args.length > 0 ? typeName(type) : written;
}

export function construct(type: Type, args: readonly Expression[]): Expression {
  return { kind: "call", callee: typeName(type), args, at };
}

export function zeroOf(type: Type): Expression {
  return type.kind === "scalar" && type.name === "f32" ? number("0.0") : construct(type, []);
}

export function member(object: Expression, text: string): Expression {
  return { kind: "member", object, name: text, at };
}

export function index(object: Expression, by: Expression): Expression {
  return { kind: "index", object, index: by, at };
}

/** How many numbers a type of several has. */
export function countOf(type: Type): number {
  return type.kind === "array" ? type.count : (sizeOfVector(type) ?? 1);
}

/** One number of several. @param whole how they were put together, where that is known: then it is one of those */
export function part(type: Type, value: () => Expression, whole: Expression, k: number): Expression {
  const own = whole.kind === "call" && whole.args.length === countOf(type) ? whole.args[k] : undefined;
  const isConstruction = whole.kind === "call" && /^(?:vec[234]f?|array)$/.test(whole.callee.name);
  if (own !== undefined && isConstruction) return own;
  return type.kind === "array" ? index(value(), number(`${k}`)) : member(value(), "xyzw".charAt(k));
}

export function isZero(expression: Expression): boolean {
  return isNumber(expression, 0);
}

export function not(operand: Expression): Expression {
  return { kind: "unary", operator: "!", operand, at };
}

export function negative(operand: Expression): Expression {
  if (isNegative(operand)) return operand.operand;
  // The factor on the left may be a matrix, which has no minus.
  if (operand.kind === "binary" && operand.operator === "/") return { ...operand, left: negative(operand.left) };
  return { kind: "unary", operator: "-", operand, at };
}

function isNegative(expression: Expression): expression is Expression & { kind: "unary" } {
  return expression.kind === "unary" && expression.operator === "-";
}

/** Whether an expression is this number, however it is written: 1, 1.0, 1f. */
function isNumber(expression: Expression, value: number): boolean {
  return expression.kind === "number" && !/^0[xX]/.test(expression.text) && parseFloat(expression.text) === value;
}

export function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  const known = ofNumbers(operator, left, right);
  if (known !== null) return known;
  if (operator === "&" || operator === "|") return ofConditions(operator, left, right);
  if (operator === "*") return times(left, right);
  if (operator === "+") return plus(left, right);
  if (operator === "/" && isNumber(right, 1)) return left;
  if (operator === "-" && isNumber(right, 0)) return left;
  return { kind: "binary", operator, left, right, at };
}

/** Both, or one of them; what is known of either decides, or doesn't count. */
function ofConditions(operator: "&" | "|", left: Expression, right: Expression): Expression {
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (one.kind === "bool") return one.value === (operator === "&") ? other : one;
  }
  return { kind: "binary", operator, left, right, at };
}

/** What two numbers of floats give; null where they aren't such numbers, or it may be rounded. */
function ofNumbers(operator: BinaryOperator, left: Expression, right: Expression): Expression | null {
  if (left.kind !== "number" || right.kind !== "number") return null;
  const [a, b] = [parseFloat(left.text), parseFloat(right.text)];
  const isEvery = (pattern: RegExp): boolean => pattern.test(left.text) && pattern.test(right.text);
  if (operator === "==") return isEvery(/^\d{1,9}\.\d{1,9}$/) ? { kind: "bool", value: a === b, at } : null;
  if (!isEvery(/^\d{1,3}\.0$/)) return null;
  if (operator === "+") return number(`${a + b}.0`);
  return operator === "-" && a >= b ? number(`${a - b}.0`) : null;
}

function times(left: Expression, right: Expression): Expression {
  if (isNumber(left, 1)) return right;
  if (isNumber(right, 1)) return left;
  const [a, b] = [withoutSign(left), withoutSign(right)];
  if (a !== null && b !== null) return times(a, b);
  return { kind: "binary", operator: "*", left, right, at };
}

/** A number times another; of a number, -1 is a sign. */
export function scaled(factor: Expression, by: Expression): Expression {
  return isMinusOne(by) ? negative(factor) : times(factor, by);
}

export function plus(left: Expression, right: Expression): Expression {
  if (isNumber(left, 0)) return right;
  if (isNumber(right, 0)) return left;
  const subtracted = withoutSign(right);
  if (subtracted !== null) return { kind: "binary", operator: "-", left, right: subtracted, at };
  const first = withoutSign(left);
  if (first !== null) return { kind: "binary", operator: "-", left: right, right: first, at };
  return { kind: "binary", operator: "+", left, right, at };
}

/** What an expression is the negative of; null where it isn't written so. */
function withoutSign(expression: Expression): Expression | null {
  if (isNegative(expression)) return expression.operand;
  if (expression.kind !== "binary" || (expression.operator !== "*" && expression.operator !== "/")) return null;
  const { operator } = expression;
  const left = withoutSign(expression.left);
  if (left !== null) return binary(operator, left, expression.right);
  const right = operator === "*" ? withoutSign(expression.right) : null;
  return right === null ? null : binary(operator, expression.left, right);
}

/** `select(no, yes, condition)`; one of them where the condition is known. */
function select(args: readonly Expression[]): Expression | null {
  const [no, yes, condition] = args;
  if (no === undefined || yes === undefined || condition?.kind !== "bool") return null;
  return condition.value ? yes : no;
}

/** The same with every name replaced that `values` has; as `withParts`, nothing is left out. */
export function substitute(expression: Expression, values: ReadonlyMap<string, Expression>): Expression {
  if (expression.kind === "name") return values.get(expression.name) ?? expression;
  return withParts(expression, (part) => substitute(part, values));
}

/**
 * A formula made of changed parts, without what has no effect. Not for what a user wrote: there `1.0 * 3` is a float, and 3
 * is not.
 */
export function simplified(formula: Expression, go: (part: Expression) => Expression): Expression {
  const made = withParts(formula, go);
  switch (made.kind) {
    case "unary":
      return made.operator === "-" ? negative(made.operand) : made;
    case "binary":
      return binary(made.operator, made.left, made.right);
    case "call":
      return (made.callee.name === "select" ? select(made.args) : null) ?? made;
    default:
      return made;
  }
}

/** Each name in an expression, as often as it stands there. */
export function namesIn(expression: Expression): string[] {
  return expression.kind === "name" ? [expression.name] : partsOf(expression).flatMap(namesIn);
}

/** A name or a number, which costs nothing to say twice. */
export function isAtom(expression: Expression): boolean {
  return expression.kind === "name" || expression.kind === "bool" || isLiteral(expression);
}

/** A number, with a sign or without. */
export function isLiteral(expression: Expression): boolean {
  return (isNegative(expression) ? expression.operand : expression).kind === "number";
}

/** The value of a literal; null for anything else. */
export function valueOf(expression: Expression): number | null {
  if (isNegative(expression)) return -(valueOf(expression.operand) ?? NaN);
  return expression.kind === "number" ? Number(expression.text.replace(/[fhiu]$/, "")) : null;
}

export function isMinusOne(expression: Expression): boolean {
  return isNegative(expression) && isNumber(expression.operand, 1);
}
