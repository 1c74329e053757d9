/** WGSL's built-in functions of bits: counting, cutting out, packing. None has a derivative. */
import { elementOf, type ScalarName, type Type } from "../../../../src/wgsl/check/types.js";
import { wrap } from "./operators.js";
import { roundEven, toF16 } from "./rules.js";
import { asList, asNumber, each, type Value } from "./values.js";

export type Builtin = (args: readonly Value[], types: readonly Type[]) => Value;

function onBits(f: (bits: number, element: ScalarName | null) => number): [Builtin] {
  return [
    ([x], types) => {
      const element = elementOf(types[0]!);
      return each((part) => wrap(f(asNumber(part), element), element), x!);
    },
  ];
}

function reversed(bits: number): number {
  let result = 0;
  for (let k = 0; k < 32; k++) result |= ((bits >>> k) & 1) << (31 - k);
  return result;
}

function ones(bits: number): number {
  let count = 0;
  for (let rest = bits >>> 0; rest > 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** -1 where there is none. */
const lowest = (bits: number): number => (bits === 0 ? -1 : 31 - Math.clz32(bits & -bits));

/** The highest bit that differs from the sign; -1 where there is none. */
function highest(bits: number, element: ScalarName | null): number {
  return 31 - Math.clz32(element !== "u32" && bits < 0 ? ~bits : bits);
}

/** So many bits from a place on, both cut to what 32 bits have. */
function field(offset: number, count: number): { from: number; size: number; mask: number } {
  const from = Math.min(offset, 32);
  const size = Math.min(count, 32 - from);
  return { from, size, mask: size === 32 ? -1 : (1 << size) - 1 };
}

const extractBits: Builtin = ([x, offset, count], types) => {
  const element = elementOf(types[0]!);
  const { from, size } = field(asNumber(offset!), asNumber(count!));
  return each((part) => {
    if (size === 0) return 0;
    const high = asNumber(part) << (32 - size - from);
    return wrap(element === "u32" ? high >>> (32 - size) : high >> (32 - size), element);
  }, x!);
};

const insertBits: Builtin = ([x, bits, offset, count], types) => {
  const { from, size, mask } = field(asNumber(offset!), asNumber(count!));
  const cut = size === 0 ? 0 : mask << from;
  const merged = (old: Value, put: Value): number =>
    (asNumber(old) & ~cut) | (size === 0 ? 0 : (asNumber(put) << from) & cut);
  return each((old, put) => wrap(merged(old, put), elementOf(types[0]!)), x!, bits!);
};

/** Parts of so many bits, the first one lowest. */
function pack(bits: number, encode: (x: number) => number): Builtin {
  const mask = 2 ** bits - 1;
  return ([parts]) =>
    asList(parts!).reduce<number>((all, part, k) => (all | ((encode(asNumber(part)) & mask) << (k * bits))) >>> 0, 0);
}

function unpack(bits: number, isSigned: boolean, decode: (x: number) => number): Builtin {
  return ([packed]) =>
    Array.from({ length: 32 / bits }, (_, k) => {
      const high = asNumber(packed!) << (32 - bits * (k + 1));
      return decode(isSigned ? high >> (32 - bits) : high >>> (32 - bits));
    });
}

const limit = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const same = (x: number): number => x;
const toSigned = (most: number) => (x: number) => roundEven(limit(x, -1, 1) * most);
const toUnsigned = (most: number) => (x: number) => roundEven(limit(x, 0, 1) * most);
const fromSigned = (most: number) => (x: number) => Math.max(x / most, -1);

function f16Bits(x: number): number {
  const value = toF16(x);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size > 65504) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size / 2 ** -24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

function fromF16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function dotPacked(isSigned: boolean): Builtin {
  const parts = unpack(8, isSigned, same);
  return ([a, b], types) => {
    const right = asList(parts([b!], types)).map(asNumber);
    const products = asList(parts([a!], types)).map((part, k) => asNumber(part) * right[k]!);
    return wrap(
      products.reduce((total, product) => total + product),
      isSigned ? "i32" : "u32",
    );
  };
}

export const bitFunctions: readonly [string, Builtin][] = [
  ["countLeadingZeros", ...onBits(Math.clz32)],
  ["countOneBits", ...onBits(ones)],
  ["countTrailingZeros", ...onBits((bits) => (bits === 0 ? 32 : lowest(bits)))],
  ["firstLeadingBit", ...onBits(highest)],
  ["firstTrailingBit", ...onBits(lowest)],
  ["reverseBits", ...onBits(reversed)],
  ["extractBits", extractBits],
  ["insertBits", insertBits],
  ["pack4x8snorm", pack(8, toSigned(127))],
  ["pack4x8unorm", pack(8, toUnsigned(255))],
  ["pack2x16snorm", pack(16, toSigned(32767))],
  ["pack2x16unorm", pack(16, toUnsigned(65535))],
  ["pack2x16float", pack(16, f16Bits)],
  ["pack4xI8", pack(8, same)],
  ["pack4xU8", pack(8, same)],
  ["pack4xI8Clamp", pack(8, (x) => limit(x, -128, 127))],
  ["pack4xU8Clamp", pack(8, (x) => limit(x, 0, 255))],
  ["unpack4x8snorm", unpack(8, true, fromSigned(127))],
  ["unpack4x8unorm", unpack(8, false, (x) => x / 255)],
  ["unpack2x16snorm", unpack(16, true, fromSigned(32767))],
  ["unpack2x16unorm", unpack(16, false, (x) => x / 65535)],
  ["unpack2x16float", unpack(16, false, fromF16Bits)],
  ["unpack4xI8", unpack(8, true, same)],
  ["unpack4xU8", unpack(8, false, same)],
  ["dot4U8Packed", dotPacked(false)],
  ["dot4I8Packed", dotPacked(true)],
];
