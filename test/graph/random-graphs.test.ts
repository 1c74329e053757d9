/** Random graphs with shared parts and mixed shapes, against an independent float64 reference. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { init, Variable, type Operand } from "../../src/index.js";
import * as reference from "../reference/autodiff.js";
import type { Local, Tape } from "../reference/autodiff.js";
import { sizeOf, spread } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

/** One kind of node: with gpugrad, and what the reference must know. */
interface Kind {
  readonly operands: 1 | 2;
  readonly f: (...x: Operand[]) => Variable;
  readonly local: (...x: number[]) => Local;
}

const one = (
  f: (x: Operand) => Variable,
  value: (x: number) => number,
  slope: (x: number) => number,
  curvature: (x: number) => number,
): Kind => ({
  operands: 1,
  f: (x = NaN) => f(x),
  local: (x = NaN) => ({ value: value(x), slopes: [slope(x)], curvatures: [[curvature(x)]] }),
});

const two = (
  f: (a: Operand, b: Operand) => Variable,
  local: (a: number, b: number) => [value: number, da: number, db: number, daa: number, dab: number, dbb: number],
): Kind => ({
  operands: 2,
  f: (a = NaN, b = NaN) => f(a, b),
  local: (a = NaN, b = NaN) => {
    const [value, da, db, daa, dab, dbb] = local(a, b);
    return {
      value,
      slopes: [da, db],
      curvatures: [
        [daa, dab],
        [dab, dbb],
      ],
    };
  },
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const sin = one(g.sin, Math.sin, Math.cos, Math.sin);
const mul = two(g.mul, (a, b) => [a * b, b, a, 0, 1, 0]);

const kinds: Record<string, Kind> = {
  neg: one(
    g.neg,
    (x) => -x,
    () => -1,
    () => 0,
  ),
  sin,
  cos: one(g.cos, Math.cos, (x) => -Math.sin(x), Math.cos),
  tanh: one(
    g.tanh,
    Math.tanh,
    (x) => 1 - Math.tanh(x) ** 2,
    (x) => 2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2),
  ),
  sigmoid: one(
    g.sigmoid,
    sigmoid,
    (x) => sigmoid(x) * (1 - sigmoid(x)),
    (x) => sigmoid(x) * (1 - sigmoid(x)) * (1 - 2 * sigmoid(x)),
  ),
  softplus: one(
    g.softplus,
    (x) => Math.log1p(Math.exp(x)),
    sigmoid,
    (x) => sigmoid(x) * (1 - sigmoid(x)),
  ),
  // exp(-x²) and the like are made of several nodes.
  bell: one(
    (x) => g.exp(g.neg(g.square(x))),
    (x) => Math.exp(-x * x),
    (x) => -2 * x * Math.exp(-x * x),
    (x) => (4 * x * x + 2) * Math.exp(-x * x),
  ),
  rootOfSquare: one(
    (x) => g.sqrt(g.add(g.square(x), 1)),
    (x) => Math.hypot(x, 1),
    (x) => x / Math.hypot(x, 1),
    (x) => Math.hypot(x, 1) ** -3,
  ),
  add: two(g.add, (a, b) => [a + b, 1, 1, 0, 0, 0]),
  sub: two(g.sub, (a, b) => [a - b, 1, -1, 0, 0, 0]),
  mul,
  quotient: two(
    (a, b) => g.div(a, g.add(g.square(b), 2)),
    (a, b) => {
      const d = b * b + 2;
      return [
        a / d,
        1 / d,
        (-2 * a * b) / d ** 2,
        0,
        (2 * Math.abs(b)) / d ** 2,
        (2 * Math.abs(a) * (3 * b * b + 2)) / d ** 3,
      ];
    },
  ),
  // The choice is by an operand's data, the same on both sides: see below.
  maximum: two(g.maximum, (a, b) => [Math.max(a, b), a > b ? 1 : 0, b > a ? 1 : 0, 0, 0, 0]),
};

/** Where values get larger, their sine is taken, so that products don't explode. */
const most = 3;

type Shape = readonly number[];
const shapes: Shape[] = [[], [3], [1], [2, 3], [2, 1], [1, 3], [4, 2, 3], [4, 1, 1], [2, 2, 1]];

interface NodePlan {
  readonly kind: string;
  readonly picks: readonly number[];
}

interface Plan {
  readonly leaves: readonly { readonly shape: Shape; readonly seed: number }[];
  readonly nodes: readonly NodePlan[];
}

const structural = ["sum0", "meanLast", "flatten", "transpose", "where"];
const plans = (nodes: { minLength: number; maxLength: number }): fc.Arbitrary<Plan> =>
  fc.record({
    leaves: fc.array(fc.record({ shape: fc.constantFrom(...shapes), seed: fc.integer({ min: 0, max: 999 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    nodes: fc.array(
      fc.record({
        kind: fc.constantFrom(...Object.keys(kinds), ...Object.keys(kinds), ...structural),
        picks: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 3, maxLength: 3 }),
      }),
      { ...nodes, size: "max" },
    ),
  });

function broadcast(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const result = [];
  for (let axis = 0; axis < rank; axis++) {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) return null;
    result.push(Math.max(left, right));
  }
  return result;
}

interface Built {
  readonly leaves: Variable[];
  readonly y: Variable;
  readonly tapes: Tape[];
  readonly leafTapes: Tape[];
}

/** The same graph twice: of Variables, and of tapes. */
function build({ leaves, nodes }: Plan): Built {
  const variables = leaves.map(({ shape, seed }) => new Variable(spread(sizeOf(shape), [-1.5, 1.5], seed), { shape }));
  const pairs = variables.map((variable, k) => {
    const { shape, seed } = leaves[k] ?? { shape: [], seed: 0 };
    return { variable, tape: reference.leaf(shape, spread(sizeOf(shape), [-1.5, 1.5], seed)) };
  });
  const leafTapes = pairs.map(({ tape }) => tape);
  const tapes = [...leafTapes];
  const put = (variable: Variable, tape: Tape): void => {
    tapes.push(tape);
    pairs.push({ variable, tape });
  };
  const pick = (number: number): { variable: Variable; tape: Tape } => {
    // Recent ones are picked more often, so that graphs get deep.
    const back = Math.floor((number / 1_000_001) ** 2 * pairs.length);
    const pair = pairs[pairs.length - 1 - back];
    if (pair === undefined) throw new Error("nothing to pick");
    return pair;
  };
  for (const { kind, picks } of nodes) {
    const [a, b] = [pick(picks[0] ?? 0), pick(picks[1] ?? 0)];
    const shape = broadcast(a.tape.shape, b.tape.shape);
    const rank = a.tape.shape.length;
    if (kind === "sum0" || kind === "meanLast") {
      if (rank === 0) continue;
      const axis = kind === "sum0" ? 0 : rank - 1;
      // Sums of a few elements grow: they are scaled down.
      const length = a.tape.shape[axis] ?? 1;
      const summed = kind === "sum0" ? a.variable.sum(0).mul(1 / 4) : a.variable.mean(-1);
      put(summed, reference.sumAlong(a.tape, axis, kind === "sum0" ? 1 / 4 : 1 / length));
    } else if (kind === "flatten") {
      const count = a.tape.values.length;
      put(
        a.variable.reshape([-1]),
        reference.rearranged(
          a.tape,
          [count],
          Array.from({ length: count }, (_, place) => place),
        ),
      );
    } else if (kind === "transpose") {
      if (rank !== 2) continue;
      const [rows = 1, columns = 1] = a.tape.shape;
      const places = Array.from(
        { length: rows * columns },
        (_, place) => (place % rows) * columns + Math.floor(place / rows),
      );
      put(a.variable.transpose(), reference.rearranged(a.tape, [columns, rows], places));
    } else if (kind === "where") {
      if (shape === null) continue;
      // By places and not by values, which differ between float32 and float64.
      const condition = Float32Array.from(
        { length: shape[shape.length - 1] ?? 1 },
        (_, i) => (i + (picks[2] ?? 0)) % 2,
      );
      const conditionShape = shape.length === 0 ? [] : [condition.length];
      const chooser = reference.leaf(conditionShape, condition);
      put(
        g.where(new Variable(condition, { shape: conditionShape, requiresGrad: false }), a.variable, b.variable),
        reference.elementwise([chooser, a.tape, b.tape], (c, x, y) => ({
          value: c === 1 ? x : y,
          slopes: [0, c, 1 - c],
          curvatures: [],
        })),
      );
    } else {
      const chosen = kinds[kind];
      if (chosen === undefined) throw new Error(`no kind ${kind}`);
      if (chosen.operands === 1) put(chosen.f(a.variable), reference.elementwise([a.tape], chosen.local));
      else {
        if (shape === null || sizeOf(shape) > 1000) continue;
        // Where two operands may be closer than rounding, float32 and float64 could choose differently.
        const { f, local } = kind === "maximum" && !isClear(a.tape, b.tape) ? mul : chosen;
        put(f(a.variable, b.variable), reference.elementwise([a.tape, b.tape], local));
      }
    }
    const last = pairs[pairs.length - 1];
    if (last?.tape.values.some((value) => Math.abs(value) > most) === true) {
      put(sin.f(last.variable), reference.elementwise([last.tape], sin.local));
    }
  }
  const last = pairs[pairs.length - 1];
  if (last === undefined) throw new Error("no node");
  // All leaves lead to the result.
  let { variable: y, tape } = last;
  for (const { variable, tape: leafTape } of pairs.slice(0, leaves.length)) {
    if (broadcast(y.shape, variable.shape) === null) continue;
    y = y.mul(variable);
    tape = reference.elementwise([tape, leafTape], mul.local);
    tapes.push(tape);
  }
  return { leaves: variables, y, tapes, leafTapes };
}

/** Whether the greater of each pair of elements is so by more than any rounding. */
function isClear(a: Tape, b: Tape): boolean {
  const difference = reference.elementwise([a, b], (x = NaN, y = NaN) => ({
    value: x - y,
    slopes: [1, 1],
    curvatures: [],
  }));
  return difference.values.every((value, i) => Math.abs(value) > 2 * (difference.errors[i] ?? NaN));
}

async function gradientsOf({ leaves, y }: Built): Promise<Float32Array[]> {
  y.backward({ retainGrad: false });
  return Promise.all(leaves.map(async ({ grad, size }) => (await grad?.read()) ?? new Float32Array(size)));
}

/** How much of what the reference allows is used, at most; NaN where something isn't finite. */
function usedOf(found: readonly Float32Array[], leafTapes: readonly Tape[]): number {
  let used = 0;
  found.forEach((gradient, k) => {
    const { gradients, gradientErrors } = leafTapes[k] ?? { gradients: [], gradientErrors: [] };
    expect(gradient.length).toBe(gradients.length);
    gradient.forEach((slope, i) => {
      const error = Math.abs(slope - (gradients[i] ?? NaN));
      // Numbers below the smallest normal one may be flushed to 0.
      const ratio = error / ((gradientErrors[i] ?? NaN) + 2 ** -120);
      if (!(ratio <= used)) used = ratio;
    });
  });
  return used;
}

describe("random graphs", () => {
  const biggest = { leaves: 0, nodes: 0 };

  test("each leaf's gradient is the reference's, to what float32 rounding allows; the same graph gives the same bits", async () => {
    await fc.assert(
      fc.asyncProperty(plans({ minLength: 1, maxLength: 200 }), async (plan) => {
        const built = build(plan);
        reference.backward(built.tapes);
        const [y, gradients] = await Promise.all([built.y.read(), gradientsOf(built)]);
        const { values = [], errors = [] } = built.tapes[built.tapes.length - 1] ?? {};
        y.forEach((value, i) => {
          expect(Math.abs(value - (values[i] ?? NaN))).toBeLessThanOrEqual((errors[i] ?? NaN) + 2 ** -120);
        });
        expect(usedOf(gradients, built.leafTapes)).toBeLessThanOrEqual(1);
        const again = build(plan);
        expect(await again.y.read()).toEqual(y);
        expect(await gradientsOf(again)).toEqual(gradients);
        biggest.nodes = Math.max(biggest.nodes, plan.nodes.length);
        biggest.leaves = Math.max(biggest.leaves, plan.leaves.length);
      }),
      { numRuns: 40, endOnFailure: true },
    );
    expect(biggest.nodes).toBeGreaterThan(100);
    expect(biggest.leaves).toBeGreaterThan(1);
  });

  test("the tolerance is tight: most graphs allow for less than 0.1 % of the gradients", () => {
    const relative = fc.sample(plans({ minLength: 50, maxLength: 100 }), { numRuns: 20, seed: 7 }).map((plan) => {
      const built = build(plan);
      reference.backward(built.tapes);
      const sum = (list: Float64Array): number => list.reduce((a, b) => a + Math.abs(b), 0);
      const allowed = built.leafTapes.reduce((total, { gradientErrors }) => total + sum(gradientErrors), 0);
      return allowed / built.leafTapes.reduce((total, { gradients }) => total + sum(gradients), 0);
    });
    relative.sort((a, b) => a - b);
    expect(relative[Math.floor(relative.length / 2)]).toBeLessThan(1e-3);
  });
});
