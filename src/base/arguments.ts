/** Checks of what came from outside, for types that nobody checked: a page may be plain JavaScript. */
import { ArgumentError } from "./errors.js";
import { describe, isList } from "./describe.js";

/** @throws ArgumentError where `value` is no object. */
export function checkObject<T extends object>(value: T, what: string): T {
  const given: unknown = value;
  if (typeof given === "object" && given !== null) return value;
  throw new ArgumentError(`${what} must be an object, not ${describe(given)}`);
}

/** @throws ArgumentError where `value` is no function. */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== "function") throw new ArgumentError(`${what} must be a function, not ${describe(value)}`);
}

/** @throws ArgumentError where `value` is no number from `least` to `most`, or not whole where it must be. */
export function checkNumber(value: unknown, least: number, most: number, whole: boolean, what: string): number {
  if (typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new ArgumentError(
    `${what} must be a ${whole ? "whole " : ""}number from ${least} to ${most}, not ${describe(value)}`,
  );
}

/** @throws ArgumentError where a function is given more or fewer operands than it has parameters. */
export function checkOperands(name: string, parameters: readonly string[], given: number): void {
  if (given === parameters.length) return;
  throw new ArgumentError(`${name} takes ${parameters.length} operands (${parameters.join(", ")}), was given ${given}`);
}

/** @throws ArgumentError where an option is neither left out nor of this type. */
export function checkOption(value: unknown, type: "boolean", what: string): void {
  if (value === undefined || typeof value === type) return;
  throw new ArgumentError(`${what} must be a ${type}, not ${describe(value)}`);
}

/** More than any call takes; a sparse array can have four billion elements. */
const most = 10_000;

/** A copy of a list. @throws ArgumentError where it is no array, or longer than any call takes. */
export function checkList<T>(value: unknown, what: string): T[] {
  if (!isList(value)) throw new ArgumentError(`${what} must be an array, not ${describe(value)}`);
  if (value.length > most) throw new ArgumentError(`${what}: ${value.length} are too many`);
  return Array.from(value as T[]);
}

/** Whether it is an object with such a method: what WebGPU's own objects and promises are told by, in every runtime. */
export function hasMethod(value: unknown, method: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}
