/** WGSL's types, as far as functions by value can have them. */

/** A number written without a suffix has an abstract type, until it meets one that has a size. */
export type ScalarName = "f32" | "f16" | "i32" | "u32" | "bool" | "abstract float" | "abstract int";

export type Type =
  | { readonly kind: "scalar"; readonly name: ScalarName }
  | { readonly kind: "vector"; readonly size: number; readonly element: ScalarName }
  | { readonly kind: "matrix"; readonly columns: number; readonly rows: number; readonly element: ScalarName }
  | { readonly kind: "array"; readonly element: Type; readonly count: number }
  | { readonly kind: "struct"; readonly name: string; readonly members: readonly Member[] }
  | { readonly kind: "pointer"; readonly target: Type }
  /** What a function without a result gives. */
  | { readonly kind: "nothing" };

interface Member {
  readonly name: string;
  readonly type: Type;
}

const scalars = new Map<ScalarName, Type>();

export function scalar(name: ScalarName): Type {
  let type = scalars.get(name);
  if (type === undefined) scalars.set(name, (type = { kind: "scalar", name }));
  return type;
}

export const f32 = /* @__PURE__ */ scalar("f32");
export const bool = /* @__PURE__ */ scalar("bool");
export const nothing: Type = { kind: "nothing" };

/** A vector of so many, or for one the element itself. */
export function vectorOf(size: number, element: ScalarName): Type {
  return size === 1 ? scalar(element) : { kind: "vector", size, element };
}

export function matrixOf(columns: number, rows: number, element: ScalarName): Type {
  return { kind: "matrix", columns, rows, element };
}

/** The scalar that a scalar, a vector or a matrix consists of; null for what consists of no one scalar. */
export function elementOf(type: Type): ScalarName | null {
  switch (type.kind) {
    case "scalar":
      return type.name;
    case "vector":
    case "matrix":
      return type.element;
    default:
      return null;
  }
}

/** How many components a scalar (1) or a vector has; null for other types. */
export function sizeOfVector(type: Type): number | null {
  if (type.kind === "scalar") return 1;
  return type.kind === "vector" ? type.size : null;
}

export function isFloat(name: ScalarName | null): boolean {
  return name === "f32" || name === "f16" || name === "abstract float";
}

export function isInteger(name: ScalarName | null): boolean {
  return name === "i32" || name === "u32" || name === "abstract int";
}

export function isAbstract(name: ScalarName | null): boolean {
  return name === "abstract float" || name === "abstract int";
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "scalar":
      return b.kind === "scalar" && a.name === b.name;
    case "vector":
      return b.kind === "vector" && a.size === b.size && a.element === b.element;
    case "matrix":
      return b.kind === "matrix" && a.columns === b.columns && a.rows === b.rows && a.element === b.element;
    case "array":
      return b.kind === "array" && a.count === b.count && sameType(a.element, b.element);
    case "struct":
      return b.kind === "struct" && a.name === b.name;
    case "pointer":
      return b.kind === "pointer" && sameType(a.target, b.target);
    case "nothing":
      return b.kind === "nothing";
  }
}

/** The same shape with another scalar. */
export function withElement(type: Type, element: ScalarName): Type {
  switch (type.kind) {
    case "scalar":
      return scalar(element);
    case "vector":
      return vectorOf(type.size, element);
    case "matrix":
      return matrixOf(type.columns, type.rows, element);
    default:
      return type;
  }
}

/** What abstract numbers become where nothing says otherwise: f32 and i32. */
export function concrete(type: Type): Type {
  if (type.kind === "array") {
    const element = concrete(type.element);
    return element === type.element ? type : { ...type, element };
  }
  const element = elementOf(type);
  if (element === "abstract float") return withElement(type, "f32");
  return element === "abstract int" ? withElement(type, "i32") : type;
}

function scalarConverts(from: ScalarName, to: ScalarName): boolean {
  if (from === to) return true;
  if (from === "abstract int") return to !== "bool";
  return from === "abstract float" && isFloat(to);
}

/** Whether a value of one type can stand where the other is wanted: abstract numbers take the size of what they meet. */
export function converts(from: Type, to: Type): boolean {
  if (sameType(from, to)) return true;
  if (from.kind === "array" && to.kind === "array")
    return from.count === to.count && converts(from.element, to.element);
  const element = elementOf(from);
  const wanted = elementOf(to);
  if (element === null || wanted === null || !scalarConverts(element, wanted)) return false;
  return sameType(withElement(from, wanted), to);
}

/** The scalar that all of these become together; null where there is none. */
export function commonElement(names: readonly (ScalarName | null)[]): ScalarName | null {
  let common: ScalarName | null = null;
  for (const name of names) {
    if (name === null) return null;
    if (common === null || scalarConverts(common, name)) common = name;
    else if (!scalarConverts(name, common)) return null;
  }
  return common;
}

/** `vec3f` for f32; in words where WGSL has no name for it. */
function showOf(base: string, element: ScalarName): string {
  if (element === "abstract float") return `${base} of numbers`;
  if (element === "abstract int") return `${base} of whole numbers`;
  return `${base}${suffixes[element] ?? `<${element}>`}`;
}

const suffixes: Readonly<Partial<Record<ScalarName, string>>> = { f32: "f", f16: "h", i32: "i", u32: "u" };

/** The most numbers a value can have: 64 KiB, as drivers allow. */
const mostNumbers = 2 ** 14;

const counted = new WeakMap<Type, number>();

/** How many numbers a value of this type has. */
export function numbersIn(type: Type): number {
  switch (type.kind) {
    case "vector":
      return type.size;
    case "matrix":
      return type.columns * type.rows;
    case "array":
      return type.count * numbersIn(type.element);
    case "struct": {
      let count = counted.get(type);
      if (count === undefined) {
        count = type.members.reduce((sum, member) => sum + numbersIn(member.type), 0);
        counted.set(type, count);
      }
      return count;
    }
    default:
      return 1;
  }
}

/** Why a driver has no values of this type; null where it has. */
export function whyTooLarge(type: Type): string | null {
  const numbers = numbersIn(type);
  return numbers > mostNumbers
    ? `a value has ${mostNumbers} numbers at most, and one of this type has ${numbers}`
    : null;
}

/** As a programmer writes it. Abstract types have no name in WGSL; they are shown in words. */
export function showType(type: Type): string {
  switch (type.kind) {
    case "scalar":
      return type.name === "abstract float" ? "a number" : type.name === "abstract int" ? "a whole number" : type.name;
    case "vector":
      return showOf(`vec${type.size}`, type.element);
    case "matrix":
      return showOf(`mat${type.columns}x${type.rows}`, type.element);
    case "array":
      if (sameType(concrete(type), type)) return `array<${showType(type.element)}, ${type.count}>`;
      return `array of ${type.count} ${showType(type.element).replace(/^a (.*)/, "$1s")}`;
    case "struct":
      // What modf and frexp give has no name that can be written.
      return type.name.replace(/^__(\w+?)_.*/, "the result of $1");
    case "pointer":
      return `ptr<function, ${showType(type.target)}>`;
    case "nothing":
      return "nothing";
  }
}
