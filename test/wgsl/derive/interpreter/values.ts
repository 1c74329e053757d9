/** What WGSL's types hold. No value is ever changed: an assignment to a part makes a new whole. */
import { Node, numberOf, type Float } from "./float.js";
import type { Type } from "../../../../src/wgsl/check/types.js";

/** Vectors and arrays are lists, a matrix is the list of its columns, a struct is a map. i32 and u32 are plain numbers. */
export type Value = Float | boolean | readonly Value[] | StructValue;

export class StructValue {
  readonly members: ReadonlyMap<string, Value>;

  constructor(members: Iterable<readonly [string, Value]>) {
    this.members = new Map(members);
  }
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function asFloat(value: Value): Float {
  if (typeof value === "number" || value instanceof Node) return value;
  throw new Error("a number was expected");
}

export function asNumber(value: Value): number {
  return numberOf(asFloat(value));
}

export function asBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new Error("a bool was expected");
}

export function asList(value: Value): readonly Value[] {
  if (isList(value)) return value;
  throw new Error("a vector, matrix or array was expected");
}

export function asFloats(value: Value): Float[] {
  return asList(value).map(asFloat);
}

/** Component by component; a scalar beside a vector stands for each component. */
export function each(f: (...parts: Value[]) => Value, ...operands: readonly Value[]): Value {
  const first = operands.find(isList);
  if (first === undefined) return f(...operands);
  return first.map((_, k) => {
    const parts = operands.map((operand) => (isList(operand) ? partOf(operand, k) : operand));
    return parts.some(isList) ? each(f, ...parts) : f(...parts);
  });
}

export function partOf(list: readonly Value[], index: number): Value {
  const part = list[index];
  if (part === undefined) throw new Error(`there is no element ${index} of ${list.length}`);
  return part;
}

/** The list with another part. */
export function withPart(list: readonly Value[], index: number, part: Value): readonly Value[] {
  partOf(list, index);
  return list.map((old, k) => (k === index ? part : old));
}

export function memberOf(value: Value, name: string): Value {
  const member = value instanceof StructValue ? value.members.get(name) : undefined;
  if (member === undefined) throw new Error(`there is no member ${name}`);
  return member;
}

/** What a variable of this type holds before anything is assigned to it. */
export function zeroOf(type: Type): Value {
  return fill(type, (scalar) => (scalar === "bool" ? false : 0));
}

/** A value of this type, its scalars in order. */
export function fill(type: Type, next: (scalar: string) => Value): Value {
  const times = (count: number, part: Type): Value => Array.from({ length: count }, () => fill(part, next));
  switch (type.kind) {
    case "scalar":
      return next(type.name);
    case "vector":
      return times(type.size, { kind: "scalar", name: type.element });
    case "matrix":
      return times(type.columns, { kind: "vector", size: type.rows, element: type.element });
    case "array":
      return times(type.count, type.element);
    case "struct":
      return new StructValue(type.members.map((member) => [member.name, fill(member.type, next)] as const));
    default:
      throw new Error(`a ${type.kind} can't be made of numbers`);
  }
}

/** All scalars of a value in order, true as 1. */
export function scalarsOf(value: Value): Float[] {
  if (isList(value)) return value.flatMap(scalarsOf);
  if (value instanceof StructValue) return [...value.members.values()].flatMap(scalarsOf);
  return [typeof value === "boolean" ? Number(value) : value];
}
