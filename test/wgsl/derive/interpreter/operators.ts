/** WGSL's operators: integers wrap, a division of them by 0 gives what WGSL says, floats are float64. */
import { commonElement, elementOf, isFloat, type ScalarName, type Type } from "../../../../src/wgsl/check/types.js";
import type { BinaryOperator, UnaryOperator } from "../../../../src/wgsl/language/syntax.js";
import { apply, type Float, type Rule } from "./float.js";
import { add, divide, multiply, negate, remainder, subtract } from "./rules.js";
import { asFloat, asList, asNumber, each, isList, partOf, type Value } from "./values.js";

const floats: Readonly<Partial<Record<BinaryOperator, Rule>>> = {
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": divide,
  "%": remainder,
};

const compared: Readonly<Partial<Record<BinaryOperator, (a: number | boolean, b: number | boolean) => boolean>>> = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** What is left of a whole number in 32 bits. */
export function wrap(x: number, element: ScalarName | null): number {
  return element === "u32" ? x >>> 0 : element === "i32" ? x | 0 : x + 0;
}

const integers: Readonly<Partial<Record<BinaryOperator, (a: number, b: number, element: ScalarName) => number>>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b, element) => (element === "abstract int" ? a * b : Math.imul(a, b)),
  "/": (a, b) => (b === 0 ? a : Math.trunc(a / b)),
  "%": (a, b) => (b === 0 ? 0 : a % b),
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b, element) => (element === "abstract int" ? a * 2 ** b : a << b),
  ">>": (a, b, element) => (element === "u32" ? a >>> b : a >> b),
};

function plain(value: Value): number | boolean {
  return typeof value === "boolean" ? value : asNumber(value);
}

/** Of two scalars. */
function scalars(operator: BinaryOperator, element: ScalarName): (a: Value, b: Value) => Value {
  const compare = compared[operator];
  if (compare !== undefined) return (a, b) => compare(plain(a), plain(b));
  if (element === "bool") {
    return operator === "&" ? (a, b) => a === true && b === true : (a, b) => a === true || b === true;
  }
  if (isFloat(element)) {
    const rule = floats[operator];
    if (rule === undefined) throw new Error(`${operator} between floats`);
    return (a, b) => apply(rule, asFloat(a), asFloat(b));
  }
  const compute = integers[operator];
  if (compute === undefined) throw new Error(`${operator} between integers`);
  return (a, b) => wrap(compute(asNumber(a), asNumber(b), element), element);
}

/** Of operands of these types. Not for && and ||, which may leave their second operand alone. */
export function binary(operator: BinaryOperator, left: Type, right: Type): (a: Value, b: Value) => Value {
  const isShift = operator === "<<" || operator === ">>";
  const element = isShift ? elementOf(left) : commonElement([elementOf(left), elementOf(right)]);
  if (element === null) throw new Error(`${operator} between these types`);
  if (operator === "*" && left.kind === "matrix" && right.kind !== "scalar") {
    return (a, b) => timesMatrix(a, b, right);
  }
  if (operator === "*" && right.kind === "matrix" && left.kind === "vector") {
    return (a, b) => asList(b).map((column) => dot(a, column));
  }
  const compute = scalars(operator, element);
  return (a, b) => (isList(a) || isList(b) ? each((x, y) => compute(x, y), a, b) : compute(a, b));
}

function timesMatrix(matrix: Value, right: Value, of: Type): Value {
  if (of.kind === "matrix") return asList(right).map((column) => timesVector(matrix, column));
  return timesVector(matrix, right);
}

/** The sum of the columns, each times its component. */
function timesVector(matrix: Value, vector: Value): Value {
  const columns = asList(matrix);
  return asList(partOf(columns, 0)).map((_, row) =>
    sum(columns.map((column, k) => times(asList(column)[row]!, asList(vector)[k]!))),
  );
}

export function times(a: Value, b: Value): Float {
  return apply(multiply, asFloat(a), asFloat(b));
}

export function sum(terms: readonly Float[]): Float {
  return terms.reduce((total, term) => apply(add, total, term));
}

export function dot(a: Value, b: Value): Float {
  return sum(asList(a).map((part, k) => times(part, asList(b)[k]!)));
}

export function unary(operator: UnaryOperator, operand: Value, of: Type): Value {
  const element = elementOf(of);
  switch (operator) {
    case "!":
      return each((x) => x === false, operand);
    case "~":
      return each((x) => wrap(~asNumber(x), element), operand);
    case "-":
      if (isFloat(element)) return each((x) => apply(negate, asFloat(x)), operand);
      return each((x) => wrap(0 - asNumber(x), element), operand);
    default:
      throw new Error("pointers can't be interpreted");
  }
}
