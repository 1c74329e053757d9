/**
 * A gradient is the same number by the backward shader and by the graph of derivatives, and it is the exact one, over the
 * whole range of operands and of gradients that arrive: no product on the way may leave the range where the result doesn't.
 */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { fuse, init, Variable } from "../../src/index.js";
import * as reference from "../../sweep/reference.js";
import { rows } from "../../sweep/table.js";
import { functionNamed } from "../reference/elementwise-functions.js";
import { gradOf, ulp } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const { NaN: nan, Infinity: inf } = { NaN, Infinity };
const smallestNormal = 2 ** -126;
/** From here on a number rounds to infinity. */
const overflow = 2 ** 128 - 2 ** 103;

/** Numbers of all sizes and both signs, around 1, at the ends of the range, subnormal ones, infinities and NaN. */
const powers = [-37, -30, -25, -20, -13, -10, -5, -2, 2, 5, 10, 13, 20, 25, 30, 37].map((k) => 3 * 10 ** k);
const arriving = both([1, ...powers, 1.2e-38, 3e38, 1e-40, inf]);
const operands = both([...powers, 0.3, 1, 1.5, 4, 12, 17, 20, 40, 80, 90, 1.2e-38, 3e38, 1e-40, 1e-45, 0, inf]);

function both(sizes: readonly number[]): Float32Array {
  return Float32Array.from([...sizes.flatMap((x) => [x, -x]), nan]);
}

interface Case {
  readonly f: (...x: Variable[]) => Variable;
  /** The exact gradient of each operand in float64; null for one that has none. */
  readonly exact: readonly (((gy: number, a: number, b: number) => number) | null)[];
  /** What gy is multiplied by, where that is taken as a number of its own: below 2⁻¹²⁶ it may become 0. */
  readonly slope?: (x: number) => number;
}

const one = (f: (x: Variable) => Variable, slope: (x: number) => number): Case => ({
  f: (x = new Variable(nan)) => f(x),
  exact: [(gy, x) => gy * slope(x)],
  slope,
});
const two = (f: (a: Variable, b: Variable) => Variable, ...exact: Case["exact"]): Case => ({
  f: (a = new Variable(nan), b = new Variable(nan)) => f(a, b),
  exact,
});
/** Which of two operands gets the gradient: mine, the other's, both for a tie or NaN. */
const chosen = (gy: number, mine: boolean, other: boolean, isTie: boolean): number =>
  isTie ? gy / 2 : mine || !other ? gy : 0;

/** Those of one operand, by the slopes that RELIABILITY.md's table compares with. */
const ofOneOperand = rows.flatMap(({ of, operands, gradient, exact }): [string, Case][] => {
  const isFirst = gradient?.order === 1 && !gradient.createGraph && gradient.derived !== true;
  return isFirst && operands === 1 ? [[of, one(functionNamed(of), (x) => exact(x, nan))]] : [];
});

const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(ofOneOperand),
  neg: one(g.neg, () => -1),
  // These multiply the gradient that arrives by no slope of its own.
  square: two(
    (x) => g.square(x),
    (gy, x) => gy * 2 * x,
    null,
  ),
  reciprocal: two(
    (x) => g.reciprocal(x),
    (gy, x) => -gy / x / x,
    null,
  ),
  log: two(
    (x) => g.log(x),
    (gy, x) => gy / x,
    null,
  ),
  relu: two(
    (x) => g.relu(x),
    (gy, x) => (x <= 0 ? 0 : gy),
    null,
  ),
  add: two(
    g.add,
    (gy) => gy,
    (gy) => gy,
  ),
  sub: two(
    g.sub,
    (gy) => gy,
    (gy) => -gy,
  ),
  mul: two(
    g.mul,
    (gy, _, b) => gy * b,
    (gy, a) => gy * a,
  ),
  div: two(
    g.div,
    (gy, _, b) => gy / b,
    (gy, a, b) => (-gy * a) / b / b,
  ),
  pow: two(
    g.pow,
    (gy, a, b) => gy * reference.baseSlope(a, b),
    (gy, a, b) => gy * reference.exponentSlope(a, b),
  ),
  atan2: two(
    g.atan2,
    (gy, a, b) => (gy * b) / (a * a + b * b),
    (gy, a, b) => (-gy * a) / (a * a + b * b),
  ),
  maximum: two(
    g.maximum,
    (gy, a, b) => chosen(gy, a > b, a < b, a === b),
    (gy, a, b) => chosen(gy, a < b, a > b, a === b),
  ),
  minimum: two(
    g.minimum,
    (gy, a, b) => chosen(gy, a < b, a > b, a === b),
    (gy, a, b) => chosen(gy, a > b, a < b, a === b),
  ),
  where: two(
    (c, a) => g.where(c, a, 1),
    null,
    (gy, c) => (c === 0 ? 0 : gy),
  ),
  "where's other": two(
    (c, b) => g.where(c, 1, b),
    null,
    (gy, c) => (c === 0 ? gy : 0),
  ),
};

/** Every combination of a gradient that arrives and one or two operands. */
function grid(isPair: boolean): readonly [gy: Float32Array, a: Float32Array, b: Float32Array] {
  const others = isPair ? operands : Float32Array.of(1);
  const all = [...arriving].flatMap((gy) => [...operands].flatMap((a) => [...others].map((b) => [gy, a, b] as const)));
  const column = (k: 0 | 1 | 2): Float32Array => Float32Array.from(all, (row) => row[k]);
  return [column(0), column(1), column(2)];
}

async function gradients(
  f: Case["f"],
  [gy, ...columns]: readonly Float32Array[],
  exact: Case["exact"],
  createGraph: boolean,
): Promise<Float32Array[]> {
  const leaves = exact.map((gradient, k) => new Variable(columns[k] ?? [], { requiresGrad: gradient !== null }));
  const y = f(...leaves);
  y.grad = gy ?? null;
  y.backward({ createGraph });
  return Promise.all(leaves.filter((_, k) => exact[k] !== null).map(gradOf)).then((lists) =>
    lists.map((list) => Float32Array.from(list)),
  );
}

const isSmall = (x: number): boolean => Math.abs(x) < smallestNormal;
/** Numbers that arithmetic keeps: neither taken for 0, nor infinite or NaN. */
const isOrdinary = (x: number): boolean => x === 0 || (!isSmall(x) && Number.isFinite(x));

function isNear(found: number, wanted: number, most: number): boolean {
  if (isSmall(wanted)) return isSmall(found);
  if (!Number.isFinite(wanted)) return Object.is(found, wanted);
  return Math.abs(found - wanted) <= most * ulp(wanted);
}

describe("over the whole range of operands and gradients", () => {
  test.each(Object.keys(cases))("%s has one gradient by both ways, and the exact one", async (name) => {
    const { f, exact, slope } = cases[name] ?? one(g.neg, () => nan);
    const columns = grid(exact.length === 2 && exact[1] !== null && !name.startsWith("where"));
    const [gy, a, b] = columns;
    const shader = await gradients(f, columns, exact, false);
    const graph = await gradients(f, columns, exact, true);
    const wrong: string[] = [];
    let checked = 0;
    for (const [index, wanted] of exact.filter((each) => each !== null).entries()) {
      for (const [i, found] of (shader[index] ?? []).entries()) {
        const [gyHere = nan, aHere = nan, bHere = nan] = [gy[i], a[i], b[i]];
        const other = graph[index]?.[i] ?? nan;
        const here = `${index ? "b" : "a"}'s gradient at ${aHere}, ${bHere} from ${gyHere}: ${found}`;
        if (!isNear(other, found, 2)) wrong.push(`${here} and ${other}`);
        if (![gyHere, aHere, bHere].every(isOrdinary)) continue;
        if (slope !== undefined && (isSmall(slope(aHere)) || Math.abs(slope(aHere)) >= overflow)) continue;
        const correct = wanted(gyHere, aHere, bHere);
        checked++;
        const rounded = Math.abs(correct) >= overflow ? Math.sign(correct) * inf : correct;
        if (!isNear(found, rounded, 5)) wrong.push(`${here}, not ${correct}`);
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(checked).toBeGreaterThan(500);
  });
});

describe("where a product used to leave the range, or a number to count as 0", () => {
  const everyWay = async (f: (...x: Variable[]) => Variable, ...at: number[]): Promise<number[][]> => {
    const found: number[][] = [];
    for (const [h, createGraph] of [
      [f, false],
      [f, true],
      [fuse(f), false],
      [fuse(f), true],
    ] as const) {
      const leaves = at.map((x) => new Variable([x]));
      h(...leaves).backward({ createGraph });
      found.push((await Promise.all(leaves.map(gradOf))).map((list) => list[0] ?? nan));
    }
    return found;
  };
  type Two = (a: Variable, b: Variable) => Variable;
  const pair =
    (f: Two) =>
    (a = new Variable(nan), b = new Variable(nan)): Variable =>
      f(a, b);

  test.each<[string, (...x: Variable[]) => Variable, number[], number[]]>([
    ["log(1 / x), tiny", (x = new Variable(nan)) => g.log(g.reciprocal(x)), [3e-20], [-1 / 3e-20]],
    ["log(1 / x), huge", (x = new Variable(nan)) => g.log(g.reciprocal(x)), [1e20], [-1e-20]],
    ["atan2, huge", pair(g.atan2), [1e20, 1e20], [5e-21, -5e-21]],
    ["atan2, tiny", pair(g.atan2), [1e-25, 1e-25], [5e24, -5e24]],
    ["atan2, far apart", pair(g.atan2), [1e30, 1], [1e-60, -1e-30]],
    [
      "a power of a subnormal number",
      (x = new Variable(nan)) => g.pow(1e-45, x),
      [0.5],
      [2 ** -74.5 * Math.log(2 ** -149)],
    ],
    ["tanh, saturated", (x = new Variable(nan)) => g.tanh(x), [20], [1.699341652e-17]],
    ["sigmoid, saturated", (x = new Variable(nan)) => g.sigmoid(x), [17], [4.139937e-8]],
  ])("%s", async (_name, f, at, wanted) => {
    for (const found of await everyWay(f, ...at)) {
      found.forEach((x, k) => {
        const exact = wanted[k] ?? nan;
        expect(Math.abs(x - exact) <= 1e-6 * Math.abs(exact) + 2 ** -126, `${x} for ${exact}`).toBe(true);
      });
    }
  });
});

describe("subnormal numbers aren't 0", () => {
  const small = 1e-40;

  test("in comparisons", async () => {
    const values = async (f: g.ElementwiseFunction<[g.Operand, g.Operand]>): Promise<number[]> => [
      ...(await f([small, 0, -small, small, -0], [0, small, 0, small, 0]).read()),
    ];
    expect(await values(g.greater)).toEqual([1, 0, 0, 0, 0]);
    expect(await values(g.less)).toEqual([0, 1, 1, 0, 0]);
    expect(await values(g.greaterEqual)).toEqual([1, 0, 0, 1, 1]);
    expect(await values(g.lessEqual)).toEqual([0, 1, 1, 1, 1]);
    expect(await values(g.equal)).toEqual([0, 0, 0, 1, 1]);
    expect(await values(g.notEqual)).toEqual([1, 1, 1, 0, 0]);
  });

  test("in where, and where a gradient asks which side an operand is on", async () => {
    expect([...(await g.where([small, -small, 0, -0], 1, 2).read())]).toEqual([1, 1, 2, 2]);
    for (const createGraph of [false, true]) {
      const slopes = async (f: (x: Variable) => Variable): Promise<number[]> => {
        const x = new Variable([small, -small, 0]);
        f(x).backward({ createGraph });
        return [...(await gradOf(x))].map((slope) => slope + 0);
      };
      expect(await slopes((x) => g.relu(x))).toEqual([1, 0, 0]);
      expect(await slopes((x) => g.abs(x))).toEqual([1, -1, 0]);
      expect(await slopes((x) => g.maximum(x, 0))).toEqual([1, 0, 0.5]);
      expect(await slopes((x) => g.minimum(x, 0))).toEqual([0, 1, 0.5]);
    }
  });
});
