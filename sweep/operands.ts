/** The numbers that functions are tried on: bit patterns at a stride, dense regions, special values, pairs. */
import type { Row } from "./table.js";

export interface Sample {
  /** Every so many bit patterns of all 2³²: 1 for all. An odd one meets all last digits. */
  readonly stride: number;
  /** The most bit patterns of each dense region; 0 where all are met anyway. */
  readonly dense: number;
  /** Pairs, for functions of two operands. */
  readonly pairs: number;
}

export interface Operands {
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** Whether these go on where the ones before ended, in the order of their bits. */
  readonly continues: boolean;
}

/** Two ULP in any function show in this: the tests' sample, and that of the demo's page. */
export const fixedSample: Sample = { stride: 4093, dense: 2 ** 16, pairs: 2 ** 19 };

/** Numbers of a block: 16 MiB. */
const blockSize = 2 ** 22;
const all = 2 ** 32;

/** Bit patterns from 0 on where something happens, for both signs. */
const specialBits = [
  0x00000000, // 0
  0x00000001, // the smallest subnormal
  0x007fffff, // the largest
  0x00800000, // the smallest normal
  0x39800000, // 2⁻¹²
  0x3f7fffff, // the number before 1
  0x3f800000, // 1
  0x3f800001,
  0x42b17217, // the last x where eˣ is finite
  0x42b17218,
  0x42d00000, // 104, where e⁻ˣ is far below the smallest number
  0x48000000, // 2¹⁷
  0x5f7fffff, // the last x where x² is finite
  0x5f800000,
  0x7f7fffff, // the largest number
  0x7f800000, // infinity
  0x7f800001, // NaN that signals
  0x7fc00000, // NaN
  0x7fffffff, // NaN
];

export function* operandsOf(row: Row, sample: Sample): Generator<Operands> {
  if (row.operands === 2) {
    yield* pairsOf(sample.pairs);
    return;
  }
  yield fromBits([...specialBits, ...specialBits.map((bits) => bits + 2 ** 31)]);
  if (sample.dense > 0) {
    for (const [from, to] of row.dense) yield* range(from, to, Math.ceil((to - from) / sample.dense) | 1);
  }
  yield* range(0, all, sample.stride);
}

/** How many operands there are. */
export function countOf(row: Row, sample: Sample): number {
  return row.operands === 2 ? sample.pairs : Math.ceil(all / sample.stride);
}

function* range(from: number, to: number, step: number): Generator<Operands> {
  let continues = false;
  for (let first = from; first < to; first += blockSize * step) {
    const count = Math.min(blockSize, Math.ceil((to - first) / step));
    const bits = new Uint32Array(count);
    for (let i = 0, pattern = first; i < count; i++, pattern += step) bits[i] = pattern;
    yield { a: new Float32Array(bits.buffer), b: new Float32Array(0), continues };
    continues = true;
  }
}

function fromBits(bits: readonly number[]): Operands {
  return { a: new Float32Array(Uint32Array.from(bits).buffer), b: new Float32Array(0), continues: false };
}

const specials = [
  ...[0, 0.5, 1, 1.5, 2, 3, 5, 1e-30, 1e30, 2 ** 23 + 1, 2 ** 24 - 1, 2 ** 24, 2 ** 25, 2 ** 127, 1 + 2 ** -23],
  ...[1 - 2 ** -24, 2 ** -126, 3.4028234663852886e38, Infinity, NaN, 1e-40, 2 ** -149, 255.5, 126, 127, 128, 149, 150],
].flatMap((x) => [x, -x]);

/** All pairs of special values, then random ones of six kinds in turn, the same every time. */
function* pairsOf(count: number): Generator<Operands> {
  yield {
    a: Float32Array.from(specials.flatMap((a) => specials.map(() => a))),
    b: Float32Array.from(specials.flatMap(() => specials)),
    continues: false,
  };
  const random = generator(1);
  const one = new Float32Array(1);
  const oneBits = new Uint32Array(one.buffer);
  const number = (bits: number): number => {
    oneBits[0] = bits;
    return one[0] ?? NaN;
  };
  const centred = (): number => random() - 0.5;
  const kinds: (() => readonly [number, number])[] = [
    // Any two bit patterns.
    () => [number(random() * all), number(random() * all)],
    () => [16 * centred(), 16 * centred()],
    // Ordinary exponents.
    () => [
      number(0x3f800000 + centred() * 2 ** 28),
      number(0x3f800000 + centred() * 2 ** 28) * (random() < 0.5 ? 1 : -1),
    ],
    // Near one to a large power, with results over the whole range.
    () => {
      const a = number(0x3f800000 + centred() * 2 ** (8 + random() * 18));
      return [a, (256 * centred()) / (Math.log2(a) || 1)];
    },
    // Any base, with results over the whole range.
    () => {
      const a = number(random() * 0x7f800000);
      return [a, (random() * 280 - 152) / (Math.log2(a) || 1)];
    },
    // Whole powers of negative numbers.
    () => [-64 * random(), Math.round(60 * centred())],
  ];
  for (let first = 0; first < count; first += blockSize) {
    const length = Math.min(blockSize, count - first);
    const a = new Float32Array(length);
    const b = new Float32Array(length);
    for (let i = 0; i < length; i++) [a[i], b[i]] = (kinds[i % kinds.length] ?? (() => [NaN, NaN]))();
    yield { a, b, continues: false };
  }
}

/** Uniform in [0, 1), the same for the same seed (Mulberry32, Tommy Ettinger, public domain). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / all;
  };
}
