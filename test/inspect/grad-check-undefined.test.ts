/** gradCheck where a function is NaN or infinite: nothing is decided there, and beside it all that is wrong is found. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  broadcastTo,
  div,
  elementwise,
  equal,
  exp,
  fuse,
  gradCheck,
  GradCheckError,
  init,
  log,
  mul,
  pow,
  reshape,
  sqrt,
  sum,
  tanh,
  transpose,
  UndecidedError,
  Variable,
  where,
  type Differentiable,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

type Unary = (x: Variable) => Variable;

/** The function of one input, called with the inputs. */
const of =
  (f: Unary): Differentiable =>
  (x = new Variable(NaN)) =>
    f(x);

/** The elements of the first input that are undecided at this order. */
async function undecidedOf(f: Unary, input: readonly number[] | readonly number[][], order = 1): Promise<unknown[]> {
  const { undecided, largestError } = await gradCheck(of(f), [new Variable(input)], { order });
  expect(largestError).toBeLessThan(0.00025);
  return undecided.filter((place) => place.order === order && place.input === 0).map(({ element }) => element);
}

/** Passes x on; its gradient is right but at an `x` of 0.5. */
const planted = elementwise(
  `fn planted_forward(x: f32) -> f32 { return x; }
   fn planted_backward(x: f32, gy: f32) -> f32 { return gy * select(1.0, 1.01, x == 0.5); }`,
  { derivative: (gy, x) => gy.mul(where(equal(x, 0.5), 1.01, 1)) },
);

/** Right at the first order; its derivative's derivative is 2 % off. */
const plantedInSecond = elementwise(
  `fn curved_forward(x: f32) -> f32 { return x * x; }
   fn curved_backward(x: f32, gy: f32) -> f32 { return 2.0 * x * gy; }`,
  { derivative: (gy, x) => gy.mul(x.mul(2.04).sub(x.detach().mul(0.04))) },
);

const acos = elementwise("fn own_acos_forward(x: f32) -> f32 { return acos(x); }");

const peak = elementwise("fn peak_forward(x: f32) -> f32 { return math_sqrt(-abs(x - 1.0)); }");

describe("where all is NaN or infinite, nothing is decided, whatever the gradient", () => {
  const backwards = ["gy * 5.0", "gy * math_exp(x)", "gy * math_exp(x) * 0.0", "gy * 0.0", "-gy"];
  test.each(backwards)("exp at 100, backward %s", async (backward) => {
    const f = elementwise(
      `fn q_forward(x: f32) -> f32 { return math_exp(x); }
       fn q_backward(x: f32, gy: f32) -> f32 { return ${backward}; }`,
    );
    await expect(gradCheck(f, [[100]], { order: 1 })).rejects.toThrow(UndecidedError);
    await expect(gradCheck(fuse(f), [[100]], { order: 1 })).rejects.toThrow(UndecidedError);
    await expect(gradCheck((x) => f(x.detach()), [[100]], { order: 1 })).rejects.toThrow(UndecidedError);
  });

  test.each<[string, Unary, number[]]>([
    ["a sum with an infinite member", (x) => sum(exp(x)), [100, 0.3]],
    ["a sum with a NaN", (x) => sum(sqrt(x)), [-1, 0.3]],
    ["a maximum with an infinity", (x) => exp(x).max(), [100, 0.3]],
    ["inputs that aren't finite", (x) => tanh(x), [Infinity, -Infinity, NaN]],
    ["a hole at the point alone", (x) => div(x, x), [0]],
    ["nothing but the point", (x) => peak(x), [1]],
    ["many, along directions", (x) => log(x), Array.from({ length: 100 }, () => -1)],
  ])("%s", async (_, f, input) => {
    await expect(gradCheck(of(f), [input], { order: 1 })).rejects.toThrow(UndecidedError);
  });
});

describe("beside finite elements", () => {
  const cases: [string, Unary, number[], undefinedAt: number[]][] = [
    ["sqrt", (x) => sqrt(x), [-1, 1, 0.5, -3], [0, 3]],
    ["log", (x) => log(x), [-1, 0.5, 0, 2], [0, 2]],
    ["a power", (x) => pow(x, 0.5), [0.5, -2], [1]],
    ["acos", (x) => acos(x), [0.5, 2], [1]],
    ["exp", (x) => exp(x), [0.5, 100], [1]],
    ["a quotient", (x) => div(1, x), [0, 0.5], [0]],
    ["fused", fuse((x: Variable) => sqrt(x).mul(3)), [-1, 0.5], [0]],
    ["a sum of finite values with an infinite input", (x) => sum(tanh(x)), [Infinity, 0.5, 2], [0]],
    ["sums of rows", (x) => sum(sqrt(reshape(x, [2, 2])), 1), [0.5, 1, -1, 2], [2, 3]],
    ["sums of columns", (x) => sum(sqrt(reshape(x, [2, 2])), 0), [0.5, 1, 2, -1], [1, 3]],
    ["extrema of rows", (x) => sqrt(reshape(x, [2, 2])).min(1), [0.5, 2, -1, 3], [2, 3]],
    ["transposed", (x) => transpose(sqrt(reshape(x, [2, 3]))), [0.5, -1, 1, 2, 3, -4], [1, 5]],
    ["broadcast", (x) => mul(broadcastTo(sqrt(x), [3, 2]), [[1], [2], [3]]), [-1, 0.5], [0]],
  ];

  test.each(cases)("%s: those alone are undecided, and a wrong one is found", async (_, f, input, undefinedAt) => {
    expect((await undecidedOf(f, input)).sort()).toEqual(undefinedAt);
    const wrong = gradCheck((x) => f(planted(x)), [input], { order: 1 });
    await expect(wrong).rejects.toThrow(GradCheckError);
    await expect(wrong).rejects.toMatchObject({ mismatch: { element: input.indexOf(0.5) } });
  });

  test("at orders 2 and 3, too", async () => {
    for (const order of [2, 3]) {
      expect(await undecidedOf((x) => log(x), [-1, 0.5, 2], order)).toContain(0);
      expect(await undecidedOf((x) => sum(exp(reshape(x, [2, 2])), 1), [0.5, 0.25, 100, 1], order)).toEqual([2, 3]);
    }
    const wrong: Unary = (x) => plantedInSecond(sqrt(x)).add(log(x));
    await gradCheck(of(wrong), [[-1, 0.5]], { order: 1 });
    await expect(gradCheck(of(wrong), [[-1, 0.5]])).rejects.toThrow(/derivative 2 by input 0, element 1/);
  });

  test("where derivatives are summed since the inputs' shapes differ", async () => {
    const f: Differentiable = (x = new Variable(NaN), k = new Variable(NaN)) => sqrt(x).mul(exp(k)).sum(1);
    const inputs = [
      [
        [0.5, 2],
        [-1, 3],
      ],
      [[0.3], [0.6]],
    ];
    // Of this seed, float32 tells all that is defined.
    const { undecided } = await gradCheck(f, inputs, { seed: 2 });
    for (const order of [1, 2]) {
      const places = undecided.filter((place) => place.order === order);
      expect(places.filter(({ input }) => input === 0).map(({ element }) => element)).toEqual([2, 3]);
      expect(places.filter(({ input }) => input === 1).map(({ element }) => element)).toEqual([1]);
    }
    await expect(gradCheck((x, k) => f(plantedInSecond(x), k), inputs)).rejects.toThrow(/derivative 2/);
  });

  test("along directions, which leave those out", async () => {
    const input = Array.from({ length: 100 }, (_, i) => (i === 7 || i === 60 ? -1 : i === 8 ? 0.5 : 1 + i / 50));
    const cases: [Unary, number[]][] = [
      [(x) => log(x), [7, 60]],
      [(x) => sum(log(reshape(x, [20, 5])), 1), [5, 6, 7, 8, 9, 60, 61, 62, 63, 64]],
    ];
    for (const [f, undefinedAt] of cases) {
      const { undecided, checked } = await gradCheck(of(f), [input], { order: 1 });
      const elements = undecided.map(({ element }) => element).filter((element) => element !== null);
      expect(elements).toEqual(undefinedAt);
      expect(checked).toBe(4 + undefinedAt.length);
      const wrong: Unary = (x) => f(mul(x, 1.5).sub(x.detach().mul(0.5)));
      await expect(gradCheck(of(wrong), [input], { order: 1 })).rejects.toThrow(GradCheckError);
    }
  });

  test("a gradient that isn't finite is wrong where the function is", async () => {
    const bad = (slope: string): Unary =>
      elementwise(
        `fn bad_forward(x: f32) -> f32 { return math_sqrt(x); }
         fn bad_backward(x: f32, gy: f32) -> f32 { return select(gy * 0.5 / math_sqrt(x), ${slope}, x == 4.0); }`,
      );
    for (const slope of ["math_log(-x)", "math_exp(100.0 * x)"]) {
      await expect(gradCheck(of(bad(slope)), [[-1, 4]], { order: 1 })).rejects.toThrow(/element 1/);
    }
  });

  test("one way to a gradient that is NaN at an element hides no other", async () => {
    const ways = elementwise(
      `fn ways_forward(x: f32) -> f32 { return sqrt(x); }
       fn ways_backward(x: f32, gy: f32) -> f32 { return gy * 0.5 / sqrt(x); }`,
      { derivative: (gy, x) => gy.mul(sqrt(x)) },
    );
    const nan = elementwise(
      `fn lost_forward(x: f32) -> f32 { return x; }
       fn lost_backward(gy: f32) -> f32 { return gy; }`,
      { derivative: (gy, x) => gy.mul(log(x.neg())) },
    );
    await expect(gradCheck(of(ways), [[-1, 2]], { order: 1 })).rejects.toThrow(/element 1: backward's shader gives/);
    await expect(gradCheck(of(nan), [[2]], { order: 1 })).rejects.toThrow(/its derivative NaN/);
  });
});

test("nothing to check is no pass", async () => {
  await expect(gradCheck(() => new Variable(1), [])).rejects.toThrow(/give the function's inputs/);
  await expect(gradCheck((x) => x, [[1]], { order: 0 })).rejects.toThrow(/from 1 to 10/);
  await expect(gradCheck(() => new Variable(1), [])).rejects.toThrow(ArgumentError);
  const large = Array.from({ length: 100 }, () => 1);
  await expect(gradCheck((x) => x, [large], { directions: 0 })).rejects.toThrow(/at least 1 of directions/);
});
