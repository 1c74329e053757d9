/** WGSL's built-in functions that compute, on float64 numbers; those of bits are in bits.ts. */
import { elementOf, isInteger, type Type } from "../../../../src/wgsl/check/types.js";
import { bitFunctions, type Builtin } from "./bits.js";
import { apply, numberOf, type Float } from "./float.js";
import { dot, sum, times, wrap } from "./operators.js";
import { add, clamp, divide, multiply, negate, rules, subtract } from "./rules.js";
import { asBool, asFloat, asFloats, asList, asNumber, each, isList, StructValue, type Value } from "./values.js";

const plus = (a: Value, b: Value): Float => apply(add, asFloat(a), asFloat(b));
const minus = (a: Value, b: Value): Float => apply(subtract, asFloat(a), asFloat(b));
const over = (a: Value, b: Value): Float => apply(divide, asFloat(a), asFloat(b));
const root = (x: Float): Float => apply(rules["sqrt"]!, x);

/** One that works component by component. */
const eachOf =
  (f: (...parts: Value[]) => Value): Builtin =>
  (args) =>
    each(f, ...args);

function length(vector: Value): Float {
  return isList(vector) ? root(dot(vector, vector)) : apply(rules["abs"]!, asFloat(vector));
}

function scaled(vector: Value, by: Value): Value {
  return each((part) => times(part, by), vector);
}

function cross(a: readonly Float[], b: readonly Float[]): Value {
  const at = (i: number, j: number): Float =>
    apply(subtract, apply(multiply, a[i]!, b[j]!), apply(multiply, a[j]!, b[i]!));
  return [at(1, 2), at(2, 0), at(0, 1)];
}

/** Along the first column. */
function determinant(columns: readonly (readonly Float[])[]): Float {
  const [first, ...rest] = columns;
  if (first === undefined) return 1;
  return sum(
    first.map((factor, row) => {
      const minor = determinant(rest.map((column) => column.filter((_, k) => k !== row)));
      const term = apply(multiply, factor, minor);
      return row % 2 === 0 ? term : apply(negate, term);
    }),
  );
}

function reflect(direction: Value, normal: Value): Value {
  return each(minus, direction, scaled(normal, times(2, dot(normal, direction))));
}

function refract(direction: Value, normal: Value, ratio: Value): Value {
  const cosine = dot(normal, direction);
  const k = minus(1, times(times(ratio, ratio), minus(1, times(cosine, cosine))));
  if (numberOf(k) < 0) return asList(direction).map(() => 0);
  return each(minus, scaled(direction, ratio), scaled(normal, plus(times(ratio, cosine), root(k))));
}

function smoothstep(low: Value, high: Value, x: Value): Value {
  const t = apply(clamp, over(minus(x, low), minus(high, low)), 0, 1);
  return times(times(t, t), minus(3, times(2, t)));
}

/** x = fract * 2^exp, with a fract in [1/2, 1). */
function exponentOf(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return 0;
  const guess = Math.floor(Math.log2(Math.abs(x))) + 1;
  const fract = Math.abs(x) / 2 ** guess;
  return fract >= 1 ? guess + 1 : fract < 0.5 ? guess - 1 : guess;
}

function frexp([x = 0]: readonly Value[]): Value {
  const exponent = each((part) => exponentOf(asNumber(part)), x);
  const fract = each((part, exp) => times(part, 2 ** -asNumber(exp)), x, exponent);
  return new StructValue([
    ["fract", fract],
    ["exp", exponent],
  ]);
}

function modf([x = 0]: readonly Value[]): Value {
  const whole = each((part) => Math.trunc(asNumber(part)), x);
  return new StructValue([
    ["fract", each(minus, x, whole)],
    ["whole", whole],
  ]);
}

/** A rule for each component; of whole numbers the value alone, which stays one. */
function elementary(name: string): Builtin {
  const rule = rules[name]!;
  return (args, types) => {
    const element = elementOf(types[0]!);
    if (!isInteger(element)) return each((...parts) => apply(rule, ...parts.map(asFloat)), ...args);
    const isFloatResult = !["abs", "clamp", "max", "min", "sign"].includes(name);
    return each(
      (...parts) => {
        const value = rule.value(...parts.map(asNumber));
        return isFloatResult || types.some((type) => !isInteger(elementOf(type))) ? value : wrap(value, element);
      },
      ...args,
    );
  };
}

const elementaryNames =
  "abs acos acosh asin asinh atan atanh atan2 ceil clamp cos cosh degrees exp exp2 floor fract inverseSqrt log log2 max " +
  "min pow quantizeToF16 radians round sign sin sinh sqrt step tan tanh trunc";

const builtins = new Map<string, Builtin>([
  ...elementaryNames.split(" ").map((name): [string, Builtin] => [name, elementary(name)]),
  ...bitFunctions,
  ["saturate", eachOf((x) => apply(clamp, asFloat(x), 0, 1))],
  ["fma", eachOf((a, b, c) => plus(times(a, b), c))],
  ["mix", eachOf((a, b, t) => plus(times(a, minus(1, t)), times(b, t)))],
  ["smoothstep", eachOf((low, high, x) => smoothstep(low, high, x))],
  ["ldexp", eachOf((x, exponent) => times(x, 2 ** asNumber(exponent)))],
  ["select", ([no, yes, condition]) => select(no!, yes!, condition!)],
  ["length", ([x]) => length(x!)],
  ["distance", ([a, b]) => length(each(minus, a!, b!))],
  ["normalize", ([x]) => scaledDown(x!, length(x!))],
  ["dot", ([a, b], types) => dotOf(a!, b!, types)],
  ["cross", ([a, b]) => cross(asFloats(a!), asFloats(b!))],
  ["reflect", ([direction, normal]) => reflect(direction!, normal!)],
  ["refract", ([direction, normal, ratio]) => refract(direction!, normal!, ratio!)],
  ["faceForward", ([a, b, c]) => (numberOf(dot(b!, c!)) < 0 ? a! : each((x) => apply(negate, asFloat(x)), a!))],
  ["determinant", ([m]) => determinant(asList(m!).map(asFloats))],
  ["transpose", ([m]) => transpose(asList(m!).map(asList))],
  ["modf", modf],
  ["frexp", frexp],
  ["all", ([x]) => (isList(x!) ? x.every(asBool) : x!)],
  ["any", ([x]) => (isList(x!) ? x.some(asBool) : x!)],
]);

/** Of the side not taken nothing is kept, so that nothing of it gets into a gradient. */
function select(no: Value, yes: Value, condition: Value): Value {
  if (!isList(condition)) return asBool(condition) ? yes : no;
  return each((a, b, takesB) => (takesB === true ? b : a), no, yes, condition);
}

function scaledDown(vector: Value, by: Float): Value {
  return each((part) => over(part, by), vector);
}

function dotOf(a: Value, b: Value, types: readonly Type[]): Value {
  const element = elementOf(types[0]!);
  if (!isInteger(element)) return dot(a, b);
  const products = asList(a).map((part, k) => Math.imul(asNumber(part), asNumber(asList(b)[k]!)));
  return products.reduce((total, product) => wrap(total + product, element), 0);
}

function transpose(columns: readonly (readonly Value[])[]): Value {
  return columns[0]!.map((_, row) => columns.map((column) => column[row]!));
}

/** The built-in of this name, null where there is none. */
export function builtin(name: string): Builtin | null {
  return builtins.get(name) ?? null;
}
