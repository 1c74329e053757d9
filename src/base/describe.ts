/** What a value is, in words fit for a message. */

/** On the prototypes of what gpugrad makes: what it is, and which copy of the library made it. */
export const madeBy = Symbol.for("gpugrad.madeBy");

/** This copy of the library, told from another one that the same page loads. */
const thisCopy = {};

export interface Maker {
  readonly kind: string;
  readonly copy: object;
}

export function maker(kind: string): Maker {
  return { kind, copy: thisCopy };
}

/** An object in words. */
function describeObject(value: object): string {
  let made: Partial<Maker> | undefined;
  let isPromise = false;
  try {
    made = Reflect.get(value, madeBy) as Partial<Maker> | undefined;
    isPromise = value instanceof Promise;
  } catch {
    // A Proxy that throws, or was revoked.
  }
  if (typeof made?.kind !== "string") {
    return isPromise ? "a Promise: is there an await missing?" : "an object";
  }
  return made.copy === thisCopy
    ? `a ${made.kind}`
    : `a ${made.kind} of another copy of gpugrad: this page loads the library twice, and neither can use what the other made`;
}

/** Array.isArray, which throws where it is given a revoked Proxy of an array: that is none that can be read. */
export function isList(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** What a value is, in words fit for a message. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "undefined":
      return "undefined";
    case "string":
      return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    case "number":
    case "boolean":
      return String(value);
    case "bigint":
      return `the bigint ${value}`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    default:
      return ArrayBuffer.isView(value)
        ? `a ${typedArrayName(value)}`
        : isList(value)
          ? "an array"
          : describeObject(value);
  }
}

function typedArrayName(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice(8, -1);
}
