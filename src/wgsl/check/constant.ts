/**
 * What constant expressions give, computed before anything runs: in float64, with the ranges of their types. Where WGSL
 * allows no value (a division by 0, a root of -1, more than an f32 can hold) it says so; where a value can't be told for
 * sure it is null.
 */
import type { BinaryOperator, UnaryOperator } from "../language/syntax.js";
import { elementOf, isFloat, scalar, vectorOf, type ScalarName, type Type } from "./types.js";

/** Vectors, matrices (as columns), arrays and structs are lists. */
export type Constant = number | boolean | readonly Constant[];

/** Tells that there is no value, and why; null where that is left to the compiler. */
export type Wrong = (message: string) => null;

/** From here on nothing rounds to an f32. What is between the largest one and this may, or may not. */
const beyondF32 = 2 ** 128;

/** The value of a number as it is written. */
export function numberValue(text: string): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?\d+))?/.exec(text) ?? [];
  // JavaScript reads hexadecimal whole numbers, but none with a fraction or an exponent.
  if (/^0[xX]/.test(text)) return parseInt(`0${whole}${fraction}`, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  return Number(text.replace(/[fhiu]$/, ""));
}

/** A number as one of this type; null where it isn't known for sure, or is none. */
export function inRange(x: number, element: ScalarName, wrong: Wrong): number | null {
  if (Number.isNaN(x) || (!isFloat(element) && !Number.isFinite(x))) return wrong("this constant has no value");
  switch (element) {
    case "i32":
      return x >= -(2 ** 31) && x < 2 ** 31 ? x + 0 : wrong(`${x} is more than an i32 can hold`);
    case "u32":
      return x >= 0 && x < 2 ** 32 ? x + 0 : wrong(`${x} is ${x < 0 ? "less" : "more"} than a u32 can hold`);
    case "abstract int":
      if (x >= 2 ** 63 || x < -(2 ** 63)) return wrong("this constant is more than a whole number can be");
      return Number.isSafeInteger(x) ? x + 0 : null;
    case "abstract float":
      return Number.isFinite(x) ? x : wrong("this constant is more than a number can be");
    case "f32":
      if (Math.abs(x) >= beyondF32) return wrong("this constant is more than an f32 can hold");
      return Number.isFinite(Math.fround(x)) ? Math.fround(x) : null;
    default:
      return null;
  }
}

/** Component by component; a scalar stands for each component. */
export function each(
  f: (...parts: (number | boolean)[]) => Constant | null,
  ...operands: readonly Constant[]
): Constant | null {
  const size = operands.find((operand) => typeof operand === "object")?.length;
  if (size === undefined) return f(...operands.flatMap((operand) => (typeof operand === "object" ? [] : [operand])));
  return all(
    Array.from({ length: size }, (_, k) => {
      const parts = operands.map((operand) => (typeof operand === "object" ? operand[k] : operand));
      return parts.some((part) => part === undefined) ? null : each(f, ...parts.flatMap((part) => part ?? []));
    }),
  );
}

/** null where one of them is. */
export function all(values: readonly (Constant | null)[]): readonly Constant[] | null {
  const known = values.flatMap((value) => (value === null ? [] : [value]));
  return known.length === values.length ? known : null;
}

/** A value as one of another type: converted, in every part of it. */
export function converted(value: Constant, from: Type, to: Type, wrong: Wrong): Constant | null {
  if (typeof value === "object") {
    return all(value.map((part, k) => converted(part, partType(from, k), partType(to, k), wrong)));
  }
  const [a, b] = [elementOf(from), elementOf(to)];
  if (a === b || a === null || b === null) return value;
  if (b === "bool") return Number(value) !== 0;
  const x = Number(value);
  if (isFloat(b) || a === "abstract int") return inRange(x, b, wrong);
  // From one size of whole number to another the bits stay; what is left of a fraction is cut, and kept in the range.
  if (!isFloat(a)) return b === "u32" ? x >>> 0 : x | 0;
  const [low, high] = b === "u32" ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  return Math.min(Math.max(Math.trunc(x), low), high) + 0;
}

function partType(type: Type, k: number): Type {
  switch (type.kind) {
    case "vector":
      return scalar(type.element);
    case "matrix":
      return vectorOf(type.rows, type.element);
    case "array":
      return type.element;
    case "struct":
      return type.members[k]?.type ?? type;
    default:
      return type;
  }
}

/** What a type's constructor gives without operands. */
export function zeroOf(type: Type): Constant {
  const times = (count: number): Constant => Array.from({ length: count }, (_, k) => zeroOf(partType(type, k)));
  switch (type.kind) {
    case "vector":
      return times(type.size);
    case "matrix":
      return times(type.columns);
    case "array":
      return times(type.count);
    case "struct":
      return times(type.members.length);
    default:
      return elementOf(type) === "bool" ? false : 0;
  }
}

/** Numbers in a row as a value of this type. */
export function shaped(parts: readonly Constant[], type: Type): Constant | null {
  if (type.kind !== "matrix" || parts.length === type.columns) return parts;
  return Array.from({ length: type.columns }, (_, k) => parts.slice(k * type.rows, (k + 1) * type.rows));
}

export function unary(operator: UnaryOperator, value: Constant, type: Type, wrong: Wrong): Constant | null {
  const element = elementOf(type);
  return each((x) => {
    if (operator === "!") return !x;
    if (element === null) return null;
    // The lowest i32 is its own negative.
    if (operator === "-") return element === "i32" ? -Number(x) | 0 : inRange(-Number(x), element, wrong);
    if (operator !== "~") return null;
    return element === "u32" ? ~Number(x) >>> 0 : -Number(x) - 1;
  }, value);
}

/** @param element what both operands are; for a shift, what the left one is */
export function binary(
  operator: BinaryOperator,
  left: Constant,
  right: Constant,
  element: ScalarName,
  wrong: Wrong,
): Constant | null {
  return each((a, b) => ofScalars(operator, a, b, element, wrong), left, right);
}

function ofScalars(
  operator: BinaryOperator,
  a: number | boolean,
  b: number | boolean,
  element: ScalarName,
  wrong: Wrong,
): Constant | null {
  if (element === "abstract int" && ![a, b].every(Number.isSafeInteger)) return null;
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "<=":
      return a <= b;
    case ">=":
      return a >= b;
    case "&&":
      return a && b;
    case "||":
      return a || b;
  }
  if (typeof a === "boolean" || typeof b === "boolean") {
    if (operator === "&") return a === true && b === true;
    return operator === "|" ? a === true || b === true : null;
  }
  return isFloat(element) ? ofFloats(operator, a, b, element, wrong) : ofWhole(operator, a, b, element, wrong);
}

function ofFloats(operator: BinaryOperator, a: number, b: number, element: ScalarName, wrong: Wrong): number | null {
  const results: Partial<Record<BinaryOperator, number>> = {
    "+": a + b,
    "-": a - b,
    "*": a * b,
    "/": a / b,
    "%": a % b,
  };
  const result = results[operator];
  if (result === undefined) return null;
  if ((operator === "/" || operator === "%") && b === 0) return wrong("a constant is divided by 0");
  return inRange(result, element, wrong);
}

function ofWhole(operator: BinaryOperator, a: number, b: number, element: ScalarName, wrong: Wrong): number | null {
  if (operator === "/" || operator === "%") {
    if (b === 0) return wrong("a whole number can't be divided by 0");
    return inRange(operator === "/" ? Math.trunc(a / b) : a % b, element, wrong);
  }
  if (operator === "<<") return inRange(a * 2 ** b, element, wrong);
  if (operator === ">>") return Math.floor(a / 2 ** b);
  const [x, y] = [BigInt(a), BigInt(b)];
  const results: Partial<Record<BinaryOperator, bigint>> = {
    "+": x + y,
    "-": x - y,
    "*": x * y,
    "&": x & y,
    "|": x | y,
    "^": x ^ y,
  };
  const result = results[operator];
  if (result === undefined) return null;
  // Numbers with a size wrap.
  if (element === "i32") return Number(BigInt.asIntN(32, result));
  return element === "u32" ? Number(BigInt.asUintN(32, result)) : inRange(Number(result), element, wrong);
}
