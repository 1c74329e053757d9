/** Compares results with exact values, and counts. Nothing here knows of GPUs. */
import type { Row } from "./table.js";

/** Operands and results of one row. `b` is empty where there is one operand. */
export interface Block {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly results: Float32Array;
  /** The result before the first, where the operands go on from there in the order of their bits; else NaN. */
  readonly before: number;
}

/** One result that is not what it must be, as it is shown. */
interface Deviation {
  readonly operands: string;
  readonly found: string;
  readonly exact: string;
}

/** What was found. It is plain data, so that workers can send it. */
export interface Tally {
  /** Pairs count once. */
  operands: number;
  /** The largest error in ULP where the exact result is a normal number, apart from operands that were taken for 0. */
  largest: number;
  /** The operands where it is, as shown. */
  at: string;
  /** How many such results there are, and how many are off by more than 1 ULP. */
  normal: number;
  overOne: number;
  /** Exact results below 2⁻¹²⁶: how many, how many became 0 though they should not, the largest error in units of 2⁻¹⁴⁹. */
  subnormal: number;
  flushed: number;
  subnormalLargest: number;
  /** Subnormal operands that were taken for 0. */
  flushedOperands: number;
  /** Neighbours out of order. */
  falls: number;
  firstFall: string;
  /** Results that break the row's promise, and the first few of them. */
  broken: number;
  deviations: Deviation[];
}

export function emptyTally(): Tally {
  return {
    operands: 0,
    largest: 0,
    at: "",
    normal: 0,
    overOne: 0,
    subnormal: 0,
    flushed: 0,
    subnormalLargest: 0,
    flushedOperands: 0,
    falls: 0,
    firstFall: "",
    broken: 0,
    deviations: [],
  };
}

const mostDeviations = 8;

/** Two tallies as one: counts add up, of errors the larger stays. */
export function joined(p: Tally, q: Tally): Tally {
  const worse = q.largest > p.largest ? q : p;
  return {
    operands: p.operands + q.operands,
    largest: worse.largest,
    at: worse.at,
    normal: p.normal + q.normal,
    overOne: p.overOne + q.overOne,
    subnormal: p.subnormal + q.subnormal,
    flushed: p.flushed + q.flushed,
    subnormalLargest: Math.max(p.subnormalLargest, q.subnormalLargest),
    flushedOperands: p.flushedOperands + q.flushedOperands,
    falls: p.falls + q.falls,
    firstFall: p.falls > 0 ? p.firstFall : q.firstFall,
    broken: p.broken + q.broken,
    deviations: [...p.deviations, ...q.deviations].slice(0, mostDeviations),
  };
}

const smallestNormal = 2 ** -126;
const smallest = 2 ** -149;
/** The smallest number that rounds to infinity. */
const overflow = 2 ** 128 - 2 ** 103;

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
/** By float64 exponent: how many units in the last place of a float32 of that size make 1. */
const unitsPerOne = Float64Array.from({ length: 2048 }, (_, biased) => 2 ** (23 - Math.max(biased - 1023, -126)));

function unitsOf(exact: number): number {
  float64[0] = exact;
  return unitsPerOne[((words[1] ?? 0) >>> 20) & 0x7ff] ?? NaN;
}

/**
 * @param most another limit than the row's own, in ULP
 */
export function judge(row: Row, { a, b, results, before }: Block, most?: number): Tally {
  const tally = emptyTally();
  const { exact, accuracy, mayFlush, monotonic, keptFrom } = row;
  const limit = most ?? accuracy.ulp;
  const isNearest = "nearest" in accuracy;
  const checksOrder = monotonic !== undefined;
  const two = row.operands === 2;
  let last = before;
  let { largest } = tally;

  for (let i = 0; i < results.length; i++) {
    const x = a[i] ?? NaN;
    const y = two ? (b[i] ?? NaN) : 0;
    const found = results[i] ?? NaN;
    const want = exact(x, y);
    const size = Math.abs(want);

    if (size >= smallestNormal && size < overflow) {
      if (found === 0 && size < keptFrom) {
        tally.subnormal++;
        tally.flushed++;
        continue;
      }
      tally.normal++;
      const error = Math.abs(found - want) * unitsOf(want);
      const isFine = isNearest ? found === Math.fround(want) : error <= limit;
      if (!isFine && mayFlush && isFlushedOperand(row, x, y, found)) {
        tally.flushedOperands++;
        continue;
      }
      if (!(error <= largest)) {
        largest = Number.isNaN(error) ? Infinity : error;
        tally.at = showOperands(row, x, y);
      }
      if (!(error <= 1)) tally.overOne++;
      if (!isFine) report(tally, row, x, y, found, want);
    } else if (!judgeSpecial(tally, row, found, want)) {
      if (mayFlush && isFlushedOperand(row, x, y, found)) tally.flushedOperands++;
      else report(tally, row, x, y, found, want);
    }

    if (checksOrder) {
      // In the order of their bits, negative numbers go down.
      if (x < 0 || Object.is(x, -0) ? found > last : found < last) {
        tally.falls++;
        if (tally.firstFall === "") tally.firstFall = showNumber(x);
        if (monotonic) report(tally, row, x, y, found, want);
      }
      last = found;
    }
  }
  tally.operands = results.length;
  tally.largest = largest;
  return tally;
}

/** NaN, zero, infinity and subnormal numbers. Whether the result is as it must be. */
function judgeSpecial(tally: Tally, row: Row, found: number, want: number): boolean {
  if (Number.isNaN(want)) return Number.isNaN(found);
  // A gradient of -0 is as good as one of 0.
  if (want === 0) return Object.is(found, want) || (row.gradient !== null && found === 0);
  if (Math.abs(want) >= overflow) return found === (want > 0 ? Infinity : -Infinity);
  tally.subnormal++;
  const units = Math.abs(found - want) / smallest;
  if (found === 0 && Math.abs(want) >= smallest) {
    tally.flushed++;
    return row.mayFlush;
  }
  if (units > tally.subnormalLargest) tally.subnormalLargest = units;
  // WGSL says nothing of a flushed number's sign.
  const hasSign = Math.sign(1 / found) === Math.sign(want) || (found === 0 && row.mayFlush);
  return units <= 1 && hasSign;
}

/** Whether the result is the one for subnormal operands taken as 0, of either sign. */
function isFlushedOperand(row: Row, x: number, y: number, found: number): boolean {
  if (!isSubnormal(x) && !(row.operands === 2 && isSubnormal(y))) return false;
  const choices = (operand: number): number[] => (isSubnormal(operand) ? [0, -0] : [operand]);
  return choices(x).some((flushedX) =>
    choices(y).some((flushedY) => {
      const want = row.exact(flushedX, flushedY);
      return Object.is(found, Math.fround(want)) || (want === 0 && found === 0);
    }),
  );
}

function isSubnormal(x: number): boolean {
  return x !== 0 && Math.abs(x) < smallestNormal;
}

function report(tally: Tally, row: Row, x: number, y: number, found: number, want: number): void {
  tally.broken++;
  if (tally.deviations.length >= mostDeviations) return;
  tally.deviations.push({ operands: showOperands(row, x, y), found: showNumber(found), exact: show(want) });
}

function showOperands(row: Row, x: number, y: number): string {
  return row.operands === 1 ? showNumber(x) : `${showNumber(x)}, ${showNumber(y)}`;
}

function show(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** A float32 number by the fewest digits that name it. */
function showNumber(x: number): string {
  if (!Number.isFinite(x) || x === 0) return show(x);
  let digits = 1;
  while (digits < 9 && Math.fround(Number(x.toPrecision(digits))) !== x) digits++;
  return Math.abs(x) >= 1e9 ? x.toExponential(digits - 1) : String(Number(x.toPrecision(digits)));
}
