/** The element-wise functions: values, gradients, and what they cost. Edges such as relu at 0 are in edges.test.ts. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  gradCheck,
  init,
  noGrad,
  NotDifferentiableError,
  Variable,
  type Operand,
  type Shape,
} from "../../src/index.js";
import {
  broadcastMap,
  dispatchesOf,
  expectClose,
  expectWithinUlp,
  gradOf,
  pipelinesOf,
  sizeOf,
  spread,
  variable,
} from "../reference/numbers.js";
import { binaryOperations, comparisons, unaryOperations } from "../reference/operations.js";

beforeAll(async () => {
  await init();
});

const unaryList = Object.entries(unaryOperations);
const binaryList = Object.entries(binaryOperations);
const comparisonList = Object.entries(comparisons);

const shapes: Shape[] = [[], [1], [0], [3], [4], [5], [2, 3], [4, 1, 3], [2, 0, 3], [1023]];
const pairs: [Shape, Shape][] = [
  [[], []],
  [[7], [7]],
  [
    [2, 3],
    [2, 3],
  ],
  [[3], []],
  [[], [3]],
  [[1], [5]],
  [
    [3, 1],
    [1, 4],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[0], [1]],
  [[], [0]],
  [
    [2, 0],
    [2, 1],
  ],
  [[1025], [1]],
];

describe.each(unaryList)("%s", (name, { f, float64, ranges: [range = [0, 1]] }) => {
  test("agrees with float64 to 2 ULP, at every shape", async () => {
    for (const shape of shapes) {
      const values = spread(sizeOf(shape), range);
      const y = f(new Variable(values, { shape }));
      expect(y.shape).toEqual(shape);
      expectWithinUlp(await y.read(), Array.from(values, float64), 2);
    }
  });

  test("takes numbers and arrays, and is a method too", async () => {
    const values = spread(6, range);
    const x = new Variable(values, { shape: [2, 3] });
    const expected = await f(x).read();
    const method = x[name as keyof typeof unaryOperations]();
    expect(await method.read()).toEqual(expected);
    expect(method.creator?.name.toLowerCase()).toBe(name);
    const nested = [Array.from(values.slice(0, 3)), Array.from(values.slice(3))];
    expect(await f(nested).read()).toEqual(expected);
    expect(await f(values).read()).toEqual(expected);
    expect(await f(values[1] ?? 0).item()).toBe(expected[1]);
  });

  test("gradients of first and second order agree with differences, at several shapes", async () => {
    for (const shape of [[], [2, 3]]) await gradCheck((x) => f(x), [variable(shape, range)]);
  });

  test("the gradient of nothing is nothing", async () => {
    const x = variable([0], range);
    f(x).backward();
    expect(await gradOf(x)).toEqual([]);
  });

  test("is one dispatch forward and one backward", () => {
    const x = variable([5], range);
    let y = x;
    expect(dispatchesOf(() => (y = f(x)))).toBe(1);
    y.grad = variable([5], [1, 2], 1, false);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(1);
  });

  test("no gradient is computed for an input that needs none", () => {
    const y = f(variable([5], range, 0, false));
    expect(y.requiresGrad).toBe(false);
    expect(y.creator).toBeNull();
    expect(() => {
      y.backward();
    }).toThrow(NotDifferentiableError);
  });
});

describe.each([...binaryList, ...comparisonList])(
  "%s",
  (name, { f, float64, ranges: [aRange = [0, 1], bRange = [0, 1]] }) => {
    test("agrees with float64 to 2 ULP, at every pair of shapes that broadcast", async () => {
      for (const [aShape, bShape] of pairs) {
        const a = spread(sizeOf(aShape), aRange);
        const b = spread(sizeOf(bShape), bRange, 1);
        // Equal elements too.
        if (name in comparisons && b.length > 1) b.set(a.slice(0, 1), 1);
        const y = f(new Variable(a, { shape: aShape }), new Variable(b, { shape: bShape }));
        const expected = broadcastMap(float64, [
          { shape: aShape, values: a },
          { shape: bShape, values: b },
        ]);
        expect(y.shape).toEqual(expected.shape);
        expectWithinUlp(await y.read(), expected.values, 2);
      }
    });

    test("takes numbers and arrays on either side, and is a method too", async () => {
      const a = spread(3, aRange);
      const b = spread(3, bRange, 1);
      const [a0 = NaN] = a;
      const [b0 = NaN] = b;
      const x = new Variable(a);
      const expected = await f(x, new Variable(b)).read();
      const method = (other: Operand): Variable =>
        x[name as keyof typeof binaryOperations | keyof typeof comparisons](other);
      expect(await method(b).read()).toEqual(expected);
      expect(await f(a, Array.from(b)).read()).toEqual(expected);
      const right = Array.from(a, (value) => float64(value, b0));
      expectWithinUlp(await f(x, b0).read(), right, 2);
      expectWithinUlp(await method(b0).read(), right, 2);
      expectWithinUlp(
        await f(a0, new Variable(b)).read(),
        Array.from(b, (value) => float64(a0, value)),
        2,
      );
      expectWithinUlp(await f(a0, b0).read(), [float64(a0, b0)], 2);
    });

    test("a new constant compiles nothing, and neither does a new length", () => {
      const x = variable([3], aRange);
      f(x, 1.25);
      f(0.75, x);
      expect(
        pipelinesOf(() => {
          f(x, 1.5);
          f(0.5, x);
          f(variable([1000], aRange), 1.75);
        }),
      ).toBe(0);
    });
  },
);

describe.each(binaryList)("%s", (name, { f, ranges: [aRange = [0, 1], bRange = [0, 1]] }) => {
  test("gradients of first and second order agree with differences, where shapes are the same and where they broadcast", async () => {
    const some: [Shape, Shape][] = [
      [[5], [5]],
      [
        [3, 1],
        [1, 2],
      ],
      [[2, 3], [3]],
      [[], [3]],
    ];
    for (const [aShape, bShape] of some) {
      await gradCheck((a, b) => f(a, b), [variable(aShape, aRange), variable(bShape, bRange, 1)]);
    }
  });

  test("gradients with a constant on one side agree with differences", async () => {
    await gradCheck((a) => f(a, bRange[1]), [variable([3], aRange)]);
    await gradCheck((b) => f(aRange[0], b), [variable([3], bRange)]);
  });

  // The gradient of a sum's operand is the sum's own: no shader writes it.
  const passed = ({ add: 2, sub: 1 } as Record<string, number>)[name] ?? 0;

  test("is one dispatch forward and at most one backward, which writes both gradients", async () => {
    const a = variable([5], aRange);
    const b = variable([5], bRange, 1);
    let y = a;
    expect(dispatchesOf(() => (y = f(a, b)))).toBe(1);
    y.grad = variable([5], [1, 2], 1, false);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(passed === 2 ? 0 : 1);
    expect(await gradOf(a)).toHaveLength(5);
    expect(await gradOf(b)).toHaveLength(5);
  });

  test("no gradient is computed for an input that needs none, broadcast or not", async () => {
    const a = variable([2, 3], aRange);
    const b = variable([3], bRange, 1, false);
    const y = f(a, b);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(passed > 0 ? 0 : 1);
    expect(b.grad).toBeNull();
    const both = f(variable([2, 3], aRange), variable([3], bRange, 1));
    expect(
      dispatchesOf(() => {
        both.backward();
      }),
    ).toBeGreaterThan(passed > 0 ? 0 : 1);
    expect(await gradOf(a)).toHaveLength(6);
    expect(f(a.detach(), b).creator).toBeNull();
  });
});

describe.each(comparisonList)("%s", (_name, { f }) => {
  test("has no gradient", () => {
    const y = f(variable([3], [-1, 1]), variable([3], [-1, 1], 1));
    expect(y.requiresGrad).toBe(false);
    expect(y.creator).toBeNull();
    expect(() => {
      y.backward();
    }).toThrow(NotDifferentiableError);
  });

  test("passes no gradient on, but lets other uses of its inputs have theirs", async () => {
    const x = new Variable([1, 2, 3]);
    const y = g.mul(f(x, 2), x);
    y.backward();
    expect(await gradOf(x)).toEqual([...(await f(x, 2).read())]);
  });
});

describe("where", () => {
  const choose = (c: number, a: number, b: number): number => (c !== 0 ? a : b);
  const triples: [Shape, Shape, Shape][] = [
    [[5], [5], [5]],
    [[], [3], []],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
    [[3], [2, 3], []],
    [[0], [1], []],
  ];

  test("chooses by condition, at every triple of shapes that broadcast", async () => {
    for (const [cShape, aShape, bShape] of triples) {
      const c = spread(sizeOf(cShape), [-1, 1]).map((x) => (x > 0 ? x : 0));
      const a = spread(sizeOf(aShape), [-2, 2], 1);
      const b = spread(sizeOf(bShape), [-2, 2], 2);
      const y = g.where(
        new Variable(c, { shape: cShape }),
        new Variable(a, { shape: aShape }),
        new Variable(b, { shape: bShape }),
      );
      const expected = broadcastMap(choose, [
        { shape: cShape, values: c },
        { shape: aShape, values: a },
        { shape: bShape, values: b },
      ]);
      expect(y.shape).toEqual(expected.shape);
      expectWithinUlp(await y.read(), expected.values, 0);
    }
  });

  test("is a method of the operand that the condition chooses, as in PyTorch", async () => {
    const a = new Variable([1, 2]);
    expect(await a.where(g.greater(a, 1), -1).read()).toEqual(Float32Array.of(-1, 2));
  });

  test("gradients agree with differences, where operands broadcast too", async () => {
    for (const [aShape, bShape] of [
      [[5], [5]],
      [[2, 3], [3]],
      [[3, 1], []],
    ] satisfies [Shape, Shape][]) {
      await gradCheck(
        (a, b) => g.where([1, 0, 1, 0, 1].slice(0, Math.max(aShape.at(-1) ?? 1, bShape.at(-1) ?? 1)), a, b),
        [variable(aShape, [-2, 2]), variable(bShape, [-2, 2], 1)],
      );
    }
  });

  test("the operand that isn't chosen gets 0, even where the other is NaN or infinite", async () => {
    const a = new Variable([NaN, 1]);
    const b = new Variable([2, Infinity]);
    const y = g.where([0, 1], a, b);
    expect([...(await y.read())]).toEqual([2, 1]);
    y.backward();
    expect(await gradOf(a)).toEqual([0, 1]);
    expect(await gradOf(b)).toEqual([1, 0]);
  });

  test("is one dispatch forward and one backward", () => {
    const [a, b] = [variable([5], [-1, 1]), variable([5], [-1, 1], 1)];
    let y = a;
    expect(dispatchesOf(() => (y = g.where([1, 0, 0, 1, 1], a, b)))).toBe(1);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(1);
  });
});

describe("third derivatives, against closed forms", () => {
  const points = [-1.3, -0.4, 0.25, 0.9, 1.7];
  const positive = [0.4, 0.9, 1.6];
  const derivativesOf = async (f: (x: Variable) => Variable, at: readonly number[], order: number) => {
    const x = new Variable(at);
    let y = f(x);
    for (let k = 0; k < order; k++) {
      x.clearGrad();
      y.backward({ createGraph: true });
      y = x.grad ?? new Variable(NaN);
    }
    return y.read();
  };
  const e = Math.exp;
  const s = (x: number): number => 1 / (1 + e(-x));
  const cases: [name: string, f: (x: Variable) => Variable, third: (x: number) => number, at: readonly number[]][] = [
    ["square", (x) => x.square().mul(x), () => 6, points],
    ["exp", (x) => x.mul(2).exp(), (x) => 8 * e(2 * x), points],
    [
      "tanh",
      (x) => x.tanh(),
      (x) => {
        const t = Math.tanh(x);
        return (1 - t * t) * (6 * t * t - 2);
      },
      points,
    ],
    ["sigmoid", (x) => x.sigmoid(), (x) => s(x) * (1 - s(x)) * (1 - 6 * s(x) + 6 * s(x) ** 2), points],
    ["1 / x", (x) => g.div(1, x), (x) => -6 / x ** 4, points],
    [
      "x / (1 + x²)",
      (x) => x.div(x.square().add(1)),
      (x) => (-6 * (x ** 4 - 6 * x ** 2 + 1)) / (1 + x * x) ** 4,
      points,
    ],
    ["x to a number", (x) => x.pow(3.5), (x) => 3.5 * 2.5 * 1.5 * Math.sqrt(x), positive],
    ["a negative x to the 5th", (x) => x.pow(5), (x) => 60 * x * x, points],
    ["a number to the x", (x) => g.pow(3, x), (x) => Math.log(3) ** 3 * 3 ** x, points],
    [
      "x to the x",
      (x) => x.pow(x),
      (x) => {
        const l = 1 + Math.log(x);
        return x ** x * (l ** 3 + (3 * l) / x - 1 / x ** 2);
      },
      positive,
    ],
    ["where", (x) => g.where(x.greater(0.5), x.pow(3), x.mul(2).exp()), (x) => (x > 0.5 ? 6 : 8 * e(2 * x)), points],
  ];

  test.each(cases)("%s", async (_name, f, third, at) => {
    // Seven digits are kept at each step; where terms cancel, some are lost.
    const scale = Math.max(...at.map((x) => Math.abs(third(Math.fround(x)))));
    const expected = at.map((x) => third(Math.fround(x)));
    expectClose(await derivativesOf(f, at, 3), expected, 3e-6, 3e-6 * scale);
  });
});

describe("what is computed", () => {
  test("a chain of element-wise nodes is one dispatch per node, each way", () => {
    const x = variable([100], [-1, 1]);
    let y = x;
    expect(dispatchesOf(() => (y = x.square().exp().mul(x).add(1).tanh()))).toBe(5);
    // x is used twice: its two gradients are added, which is one more. add passes its own on, which is one less.
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(5);
  });

  test("nothing is remembered under noGrad", () => {
    const x = variable([3], [-1, 1]);
    const y = noGrad(() => x.mul(x).exp());
    expect(y.creator).toBeNull();
    expect(y.requiresGrad).toBe(false);
  });

  test("a node above inputs without gradients is not visited", () => {
    const x = variable([3], [-1, 1]);
    const c = variable([3], [-1, 1], 1, false).exp().square();
    const y = x.mul(c);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBe(1);
    expect(c.grad).toBeNull();
  });

  test("operands whose shapes don't broadcast are refused, naming the function and both shapes", () => {
    const bad = (): Variable => g.add(variable([2, 3], [0, 1]), variable([4], [0, 1]));
    expect(bad).toThrow(g.ShapeError);
    expect(bad).toThrow(/add.*\[2, 3\].*\[4\]/);
  });

  test("what is no operand is refused", () => {
    for (const wrong of ["1", null, undefined, {}, true, 1n]) {
      expect(() => g.add(1, wrong as Operand)).toThrow(g.ArgumentError);
    }
  });
});
