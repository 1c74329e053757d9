/** The types of WGSL's built-in functions: of those that compute, and so may stand in a function of numbers. */
import {
  bool,
  commonElement,
  concrete,
  elementOf,
  isFloat,
  isInteger,
  matrixOf,
  scalar,
  sizeOfVector,
  vectorOf,
  withElement,
  type ScalarName,
  type Type,
} from "./types.js";

/** The type of the result; or null where the function doesn't take such operands. */
type Signature = (args: readonly Type[]) => Type | null;

type Kind = (element: ScalarName | null) => boolean;

const isNumber: Kind = (element) => isFloat(element) || isInteger(element);
const isSigned: Kind = (element) => isNumber(element) && element !== "u32";

/** A whole number that meets a function of floats is one. */
const becomesFloat: Kind = (element) => isFloat(element) || element === "abstract int";

/** Scalars or vectors of one size: the type that all have together. */
function together(args: readonly Type[], kind: Kind): Type | null {
  const element = commonElement(args.map(elementOf));
  const [first] = args;
  if (element === null || first === undefined || !kind(element)) return null;
  const size = sizeOfVector(first);
  return size !== null && args.every((arg) => sizeOfVector(arg) === size) ? vectorOf(size, element) : null;
}

/** The same with a result of floats. */
function floats(args: readonly Type[]): Type | null {
  const type = together(args, becomesFloat);
  return type !== null && elementOf(type) === "abstract int" ? withElement(type, "abstract float") : type;
}

/** As `rule` says of so many operands, which are all of one type, and so is the result. */
function alike(count: number, rule: (args: readonly Type[]) => Type | null): Signature {
  return (args) => (args.length === count ? rule(args) : null);
}

const float =
  (count: number): Signature =>
  (args) =>
    args.length === count ? floats(args) : null;

function vectorOnly(type: Type | null, size?: number): Type | null {
  return type?.kind === "vector" && (size === undefined || type.size === size) ? type : null;
}

/** One scalar of what an operand consists of. */
function component(type: Type | null): Type | null {
  const element = type === null ? null : elementOf(type);
  return element === null ? null : scalar(element);
}

function mix(args: readonly Type[]): Type | null {
  const [a, b, t] = args;
  if (a === undefined || b === undefined || t === undefined || args.length !== 3) return null;
  const ends = floats([a, b]);
  if (ends === null) return null;
  const by = t.kind === "scalar" && ends.kind === "vector" ? vectorOf(ends.size, t.name) : t;
  return floats([ends, by]);
}

function select(args: readonly Type[]): Type | null {
  const [no, yes, condition] = args;
  if (no === undefined || yes === undefined || condition === undefined || args.length !== 3) return null;
  const type = together([no, yes], () => true);
  if (type === null || elementOf(condition) !== "bool") return null;
  return condition.kind === "scalar" || sizeOfVector(condition) === sizeOfVector(type) ? type : null;
}

function refract(args: readonly Type[]): Type | null {
  const [direction, normal, ratio] = args;
  if (direction === undefined || normal === undefined || ratio?.kind !== "scalar" || args.length !== 3) return null;
  return becomesFloat(ratio.name) ? vectorOnly(floats([direction, normal])) : null;
}

function ldexp(args: readonly Type[]): Type | null {
  const [x, exponent] = args;
  if (x === undefined || exponent === undefined || args.length !== 2) return null;
  return isInteger(elementOf(exponent)) && sizeOfVector(x) === sizeOfVector(exponent) ? floats([x]) : null;
}

/** What modf and frexp give: two parts under names. */
function parts(name: string, second: string, secondElement: ScalarName | null): Signature {
  return (args) => {
    const [x] = args;
    const type = x === undefined || args.length !== 1 ? null : floats([x]);
    if (type === null) return null;
    const fract = concrete(type);
    const other = secondElement === null ? fract : withElement(fract, secondElement);
    const suffix = fract.kind === "vector" ? `vec${fract.size}_f32` : "f32";
    const members = [
      { name: "fract", type: fract },
      { name: second, type: other },
    ];
    return { kind: "struct", name: `__${name}_result_${suffix}`, members };
  };
}

function bits(args: readonly Type[], others: number): Type | null {
  const [first, ...rest] = args;
  if (first === undefined) return null;
  const values = rest.slice(0, rest.length - others);
  const places = rest.slice(rest.length - others);
  const isPlace = (type: Type): boolean =>
    type.kind === "scalar" && (type.name === "u32" || type.name === "abstract int");
  return places.length === others && places.every(isPlace) ? together([first, ...values], isInteger) : null;
}

/** From operands of given types to a given one: packing and the like. */
function exactly(from: readonly Type[], to: Type): Signature {
  return (args) =>
    args.length === from.length &&
    args.every((arg, k) => {
      const wanted = from[k];
      return (
        wanted !== undefined && sizeOfVector(arg) === sizeOfVector(wanted) && together([arg, wanted], isNumber) !== null
      );
    })
      ? to
      : null;
}

const named = (names: string, signature: Signature): [string, Signature][] =>
  names.split(" ").map((name) => [name, signature]);

function table(): ReadonlyMap<string, Signature> {
  const u32 = scalar("u32");
  const vec2f = vectorOf(2, "f32");
  const vec4f = vectorOf(4, "f32");
  const vec4i = vectorOf(4, "i32");
  const vec4u = vectorOf(4, "u32");
  return new Map<string, Signature>([
    ...named(
      "acos acosh asin asinh atan atanh ceil cos cosh degrees exp exp2 floor fract inverseSqrt log log2 quantizeToF16 " +
        "radians round saturate sin sinh sqrt tan tanh trunc",
      float(1),
    ),
    ...named("atan2 pow step", float(2)),
    ...named("fma smoothstep", float(3)),
    ["abs", alike(1, (args) => together(args, isNumber))],
    ["sign", alike(1, (args) => together(args, isSigned))],
    ...named(
      "max min",
      alike(2, (args) => together(args, isNumber)),
    ),
    ["clamp", alike(3, (args) => together(args, isNumber))],
    ["mix", mix],
    ["select", select],
    ["length", alike(1, (args) => component(floats(args)))],
    ["distance", alike(2, (args) => component(floats(args)))],
    ["dot", alike(2, (args) => component(vectorOnly(together(args, isNumber))))],
    ["cross", alike(2, (args) => vectorOnly(floats(args), 3))],
    ["normalize", alike(1, (args) => vectorOnly(floats(args)))],
    ["reflect", alike(2, (args) => vectorOnly(floats(args)))],
    ["faceForward", alike(3, (args) => vectorOnly(floats(args)))],
    ["refract", refract],
    ["ldexp", ldexp],
    ["modf", parts("modf", "whole", null)],
    ["frexp", parts("frexp", "exp", "i32")],
    ["determinant", ([m]) => (m?.kind === "matrix" && m.columns === m.rows ? scalar(m.element) : null)],
    ["transpose", ([m]) => (m?.kind === "matrix" ? matrixOf(m.rows, m.columns, m.element) : null)],
    ...named(
      "all any",
      alike(1, ([value]) => (value !== undefined && elementOf(value) === "bool" ? bool : null)),
    ),
    ...named(
      "countLeadingZeros countOneBits countTrailingZeros firstLeadingBit firstTrailingBit reverseBits",
      alike(1, (args) => together(args, isInteger)),
    ),
    ["extractBits", alike(3, (args) => bits(args, 2))],
    ["insertBits", alike(4, (args) => bits(args, 2))],
    ...named("pack4x8snorm pack4x8unorm", exactly([vec4f], u32)),
    ...named("pack2x16snorm pack2x16unorm pack2x16float", exactly([vec2f], u32)),
    ...named("pack4xI8 pack4xI8Clamp", exactly([vec4i], u32)),
    ...named("pack4xU8 pack4xU8Clamp", exactly([vec4u], u32)),
    ...named("unpack4x8snorm unpack4x8unorm", exactly([u32], vec4f)),
    ...named("unpack2x16snorm unpack2x16unorm unpack2x16float", exactly([u32], vec2f)),
    ["unpack4xI8", exactly([u32], vec4i)],
    ["unpack4xU8", exactly([u32], vec4u)],
    ["dot4U8Packed", exactly([u32, u32], u32)],
    ["dot4I8Packed", exactly([u32, u32], scalar("i32"))],
  ]);
}

/** Not in the bundle of somebody who has no WGSL of their own: bundlers must know that to make it does nothing else. */
const signatures = /* @__PURE__ */ table();

export function isBuiltin(name: string): boolean {
  return signatures.has(name);
}

/** The type of a built-in's result; null where it doesn't take such operands. */
export function builtinResult(name: string, args: readonly Type[]): Type | null {
  return signatures.get(name)?.(args) ?? null;
}
