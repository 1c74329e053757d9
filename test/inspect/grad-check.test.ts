/** gradCheck: it passes right gradients, and catches one that is wrong by 1 %, in every operation. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  elementwise,
  Function,
  grad,
  gradCheck,
  GradCheckError,
  init,
  UndecidedError,
  Variable,
  type GpuArray,
  type Shape,
} from "../../src/index.js";
import { variable, type Range } from "../reference/numbers.js";
import { binaryOperations, unaryOperations } from "../reference/operations.js";
import { wgslFunctions } from "../reference/wgsl-functions.js";

beforeAll(async () => {
  await init();
});

type Differentiable = (...x: Variable[]) => Variable;

/** The same function, with the gradient of one input wrong: by 1 %, or by 0.01 where it is 0. */
class Planted extends Function {
  readonly #f: Differentiable;
  readonly #wrong: number;

  constructor(f: Differentiable, wrong: number) {
    super();
    this.#f = f;
    this.#wrong = wrong;
  }

  override forward(...x: GpuArray[]): Variable {
    return this.#f(...x.map((array) => new Variable(array)));
  }

  override backward(gy: Variable): Variable[] {
    const weighed: Differentiable = (...x) => {
      const y = this.#f(...x);
      return y.requiresGrad ? g.sum(g.mul(y, gy)) : g.sum(g.mul(x[0] ?? 0, 0));
    };
    const right = grad(weighed, { argnums: this.inputs.map((_, index) => index) })(...this.inputs);
    return right.map((slope, index) => (index === this.#wrong ? this.spoil(slope) : slope));
  }

  protected spoil(slope: Variable): Variable {
    return slope.mul(1.01);
  }
}

class PlantedInZero extends Planted {
  protected override spoil(slope: Variable): Variable {
    return slope.add(0.01);
  }
}

interface Case {
  readonly f: Differentiable;
  readonly ranges: readonly Range[];
  /** Of the inputs, small enough to check each element. */
  readonly shapes: readonly Shape[];
  readonly largeShapes: readonly Shape[];
}

const same = (f: Differentiable, ranges: readonly Range[]): Case => ({
  f,
  ranges,
  shapes: ranges.map(() => [2, 2]),
  largeShapes: ranges.map(() => [10, 20]),
});

const one = (f: (x: Variable) => Variable, shape: Shape, largeShape: Shape): Case => ({
  f: (...x) => f(x[0] ?? new Variable(NaN)),
  ranges: [[0.5, 2]],
  shapes: [shape],
  largeShapes: [largeShape],
});

const pairRanges: Range[] = [
  [0.5, 1],
  [1.2, 2],
];

function choose(f: typeof g.maximum, a = new Variable(NaN), b = new Variable(NaN)): Variable {
  return f(
    a,
    g.mul(
      b,
      condition(b).map((c) => 0.1 + 4 * c),
    ),
  );
}

const condition = (x: Variable): number[] => Array.from({ length: x.shape.at(-1) ?? 1 }, (_, i) => i % 2);

const cases: Record<string, Case> = {
  ...Object.fromEntries(
    [...Object.entries(unaryOperations), ...Object.entries(binaryOperations)].map(([name, { f, ranges }]) => [
      name,
      same(f, ranges),
    ]),
  ),
  where: same(
    (a = new Variable(NaN), b = new Variable(NaN)) => g.where(condition(a), a, b),
    [
      [0.5, 2],
      [-2, -0.5],
    ],
  ),
  // Which is chosen alternates, so that each input has a gradient.
  maximum: same((a, b) => choose(g.maximum, a, b), pairRanges),
  minimum: same((a, b) => choose(g.minimum, a, b), pairRanges),
  sum: one((x) => g.sum(x), [2, 3], [20, 30]),
  "sum along an axis": one((x) => g.sum(x, 1), [2, 3], [20, 30]),
  mean: one((x) => g.mean(x), [2, 3], [20, 30]),
  // Elements further apart than the differences reach.
  max: one((x) => g.max(g.mul(x, [[1], [9]]), 0), [2, 3], [2, 100]),
  min: one((x) => g.min(g.mul(x, [[1], [9]]), 0), [2, 3], [2, 100]),
  reshape: one((x) => g.reshape(x, [-1]), [2, 3], [20, 30]),
  transpose: one((x) => g.transpose(x), [2, 3], [20, 30]),
  broadcastTo: one((x) => g.broadcastTo(x, [3, ...x.shape]), [2], [100]),
  sumTo: one((x) => g.sumTo(x, [1, x.shape[1] ?? 1]), [2, 3], [2, 100]),
};

async function failureOf(work: Promise<unknown>): Promise<GradCheckError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GradCheckError)) throw new Error(`gradCheck should have failed, but gave ${String(error)}`);
  return error;
}

describe.each(Object.entries(cases))("%s", (name, { f, ranges, shapes, largeShapes }) => {
  test.each(ranges.map((_, index) => index))("input %i: a gradient wrong by one percent is caught", async (wrong) => {
    const planted: Differentiable = (...x) =>
      (name === "sign" ? new PlantedInZero(f, wrong) : new Planted(f, wrong)).call(...x);
    for (const some of [shapes, largeShapes]) {
      const inputs = ranges.map((range, k) => variable(some[k] ?? [], range, k));
      const { mismatch, message } = await failureOf(gradCheck(planted, inputs, { order: 1 }));
      const { input, element, gradient, difference } = mismatch;
      expect(input).toBe(wrong);
      if (some === shapes) expect(element).toBeTypeOf("number");
      else expect(element).toBeNull();
      if (name !== "sign") {
        expect(gradient / difference).toBeGreaterThan(1.008);
        expect(gradient / difference).toBeLessThan(1.012);
      }
      expect(message).toContain(`input ${wrong}`);
      expect(message).toContain(String(gradient));
      expect(message).toContain(String(difference));
    }
  });

  test("the right gradient passes, large and small", async () => {
    for (const some of [shapes, largeShapes]) {
      const inputs = ranges.map((range, k) => variable(some[k] ?? [], range, k));
      await gradCheck((...x) => new Planted(f, -1).call(...x), inputs, { order: 1 });
    }
  });
});

describe("functions such as people write in WGSL", () => {
  test.each(Object.entries(wgslFunctions))("%s: the right gradient passes, 0.1 % is found", async (_, f) => {
    const right = elementwise(f.wgsl);
    const wrong = elementwise(f.wgsl.replace("gy *", "1.001 * gy *"));
    // Among the seventh numbers there is a ray that nearly touches: differences there are noisier than they look.
    for (const seed of [0, 1, 2, 3, 6]) {
      const inputs = f.ranges.map((range, k) => variable([32], range, 10 * seed + 3 * k));
      const { checked, undecided } = await gradCheck((...x) => right(...x), inputs, { order: 1 });
      expect(undecided.length).toBeLessThan(checked / 6);
      await failureOf(gradCheck((...x) => wrong(...x), inputs, { order: 1 }));
    }
  });
});

describe("gradCheck", () => {
  test("names the element that is wrong", async () => {
    class WrongInOne extends Planted {
      protected override spoil(slope: Variable): Variable {
        return slope.mul([1, 1, 1.01, 1]);
      }
    }
    const f: Differentiable = (...x) => new WrongInOne(g.mul, 1).call(...x);
    const { mismatch } = await failureOf(gradCheck(f, [variable([4], [1, 2]), variable([4], [1, 2], 1)]));
    expect(mismatch.input).toBe(1);
    expect(mismatch.element).toBe(2);
  });

  test("catches 1 % in half a million elements, and lets the right gradient pass", async () => {
    const inputs = [variable([2 ** 19], [-1, 1])];
    for (const f of [g.exp, (x: Variable) => g.sum(g.exp(x))] as Differentiable[]) {
      await gradCheck(f, inputs, { order: 1, directions: 2 });
      await failureOf(gradCheck((...x) => new Planted(f, 0).call(...x), inputs, { order: 1, directions: 1 }));
    }
  });

  test("catches an error that is in the second derivative alone, and not when only the first is asked for", async () => {
    class WrongInSecond extends Function {
      override forward(x: GpuArray): Variable {
        return g.sin(x);
      }
      override backward(gy: Variable): Variable {
        return g.mul(gy, new Planted(g.cos, 0).call(this.input));
      }
    }
    const f: Differentiable = (x = new Variable(NaN)) => new WrongInSecond().call(x);
    const inputs = [variable([3], [0.5, 1])];
    await gradCheck(f, inputs, { order: 1 });
    const { message } = await failureOf(gradCheck(f, inputs));
    expect(message).toContain("derivative 2");
  });

  test("catches a derivative that disagrees by 1 % with the backward shader", async () => {
    const cube = elementwise(
      `fn cube_forward(x: f32) -> f32 { return x * x * x; }
       fn cube_backward(x: f32, gy: f32) -> f32 { return 3.0 * x * x * gy; }`,
      { derivative: (gy, x = gy) => gy.mul(x.square()).mul(3.03) },
    );
    const { message } = await failureOf(gradCheck((x) => cube(x), [variable([3], [0.5, 1])], { order: 1 }));
    expect(message).toMatch(/shader gives .* derivative/);
  });

  test("catches a sign error, a missing gradient and NaN", async () => {
    const wrong = (slope: (gy: Variable, x: Variable) => Variable | null): Differentiable => {
      class Wrong extends Function {
        override forward(x: GpuArray): Variable {
          return g.square(x);
        }
        override backward(gy: Variable): Variable | null {
          return slope(gy, this.input);
        }
      }
      return (x = new Variable(NaN)) => new Wrong().call(x);
    };
    const inputs = [variable([3], [0.5, 1])];
    await gradCheck(
      wrong((gy, x) => gy.mul(x).mul(2)),
      inputs,
    );
    await failureOf(
      gradCheck(
        wrong((gy, x) => gy.mul(x).mul(-2)),
        inputs,
      ),
    );
    await failureOf(
      gradCheck(
        wrong(() => null),
        inputs,
      ),
    );
    const { mismatch } = await failureOf(
      gradCheck(
        wrong((gy) => gy.mul(NaN)),
        inputs,
      ),
    );
    expect(mismatch.gradient).toBeNaN();
  });

  test("catches a function that loses the graph", async () => {
    await failureOf(gradCheck((x) => x.mul(x.detach()), [variable([3], [0.5, 1])], { order: 1 }));
    await failureOf(gradCheck((x) => x.detach(), [variable([3], [0.5, 1])], { order: 1 }));
  });

  test("tells how many derivatives it compared, and the largest difference", async () => {
    const report = await gradCheck((a, b) => a.mul(b), [variable([2, 3], [1, 2]), variable([3], [1, 2], 1)]);
    // From order 2 on, the six gradients that the backward is given are operands, too.
    expect(report.checked).toBe(6 + 3 + (6 + 3 + 6));
    expect(report.largestError).toBeLessThan(0.00025);
    expect(report.kinks).toEqual([]);
    expect(report.undecided).toEqual([]);
    const large = await gradCheck((a) => a.exp(), [variable([100], [1, 2])], { order: 1, directions: 3 });
    expect(large.checked).toBe(3);
  });

  test("finds an error of 0.05 % with its defaults", async () => {
    const line = (slope: number): Differentiable => {
      const f = elementwise(
        `fn line_forward(x: f32) -> f32 { return 2.0 * x; }
         fn line_backward(gy: f32) -> f32 { return ${slope} * gy; }`,
      );
      return (x = new Variable(NaN)) => f(x);
    };
    const inputs = [variable([5], [-3, 3])];
    await gradCheck(line(2.0001), inputs, { order: 1 });
    for (const slope of [2.001, 1.999]) await failureOf(gradCheck(line(slope), inputs, { order: 1 }));
  });

  test("finds a backward that is wrong as a function of the gradient it is given", async () => {
    class Bar extends Function {
      override forward(x: GpuArray): GpuArray {
        return x;
      }
      override backward(gy: Variable): Variable {
        return gy.mul(1.5);
      }
    }
    class Foo extends Function {
      override forward(x: GpuArray): Variable {
        return g.mul(new Variable(x), 2);
      }
      override backward(gy: Variable): Variable {
        return new Bar().call(gy).mul(2);
      }
    }
    const foo: Differentiable = (x = new Variable(NaN)) => new Foo().call(x);
    const inputs = [variable([3], [0.5, 1])];
    await gradCheck(foo, inputs, { order: 1 });
    for (const order of [2, 3]) {
      const { mismatch, message } = await failureOf(gradCheck(foo, inputs, { order }));
      expect(mismatch.input).toBe(1);
      expect(mismatch.gradient / mismatch.difference).toBeCloseTo(1.5, 3);
      expect(message).toContain("derivative 2 by input 1 (the gradient given to derivative 1)");
    }
  });

  test("a gradient of 0 passes where the function is even, to its rounding", async () => {
    const { ranges, wgsl } = wgslFunctions["huber"] ?? { ranges: [], wgsl: "" };
    expect(ranges.length).toBe(2);
    const huber = elementwise(wgsl);
    const a = [2.3, -0.7, 1e-3, 100];
    await gradCheck((x, y) => huber(x, y), [a, a], { order: 1 });
  });

  test("reports kinks, ties and jumps with their positions, and takes what is between both sides", async () => {
    const inputs = [[-1, 0, 2]];
    for (const f of [g.abs, g.relu] as Differentiable[]) {
      const { kinks, undecided } = await gradCheck(f, inputs, { order: 1 });
      expect(kinks.map(({ order, input, element }) => ({ order, input, element }))).toEqual([
        { order: 1, input: 0, element: 1 },
      ]);
      expect(undecided).toEqual([]);
    }
    const tie = await gradCheck(
      (a, b) => g.maximum(a, b),
      [
        [1, 2],
        [1, 0],
      ],
      { order: 1 },
    );
    expect(tie.kinks.map(({ input, element }) => [input, element])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    const jump = await gradCheck((x) => g.sign(x).add(x), inputs, { order: 1 });
    expect(jump.kinks.map(({ element }) => element)).toEqual([1]);
  });

  test("finds a gradient that is no side's at a kink, and a wrong one beside a kink or a jump", async () => {
    const absolute = (slope: string, value = "abs(x)"): Differentiable => {
      const f = elementwise(
        `fn absolute_forward(x: f32) -> f32 { return ${value}; }
         fn absolute_backward(x: f32, gy: f32) -> f32 { return gy * ${slope}; }`,
      );
      return (x = new Variable(NaN)) => f(x);
    };
    await failureOf(gradCheck(absolute("select(sign(x), 1.001, x == 0.0)"), [[0]], { order: 1 }));
    const near = [[0.001, -0.002, 0.01]];
    await gradCheck(absolute("sign(x)"), near, { order: 1 });
    await failureOf(gradCheck(absolute("1.001 * sign(x)"), near, { order: 1 }));
    const jump = "select(x, 9.0 + x, x > 0.0)";
    await gradCheck(absolute("1.0", jump), [[0, 0.001, -0.001]], { order: 1 });
    for (const x of [0, 0.001, -0.001]) {
      await failureOf(gradCheck(absolute("1.01", jump), [[x]], { order: 1 }));
    }
  });

  test("says where float32 can't tell", async () => {
    const { undecided, checked } = await gradCheck((x) => x.add([1e5, 0, 1e5]), [[0.5, 1, 0.25]], { order: 1 });
    expect(checked).toBe(3);
    expect(undecided).toEqual([
      { order: 1, input: 0, element: 0 },
      { order: 1, input: 0, element: 2 },
    ]);
    await failureOf(gradCheck((x) => x.add(1e3).add(x.detach()), [[0.5]], { order: 1 }));
  });

  test("where nothing can be decided, that is no pass", async () => {
    await expect(gradCheck((x) => x.add(1e5), [[0.5, 0.25]], { order: 1 })).rejects.toThrow(UndecidedError);
    await expect(gradCheck((x) => g.sqrt(x), [[0, 0]], { order: 1 })).rejects.toThrow(UndecidedError);
    // The first derivative is known, the second is lost in its rounding.
    const lost: Differentiable = (x = new Variable(NaN)) => x.mul(1e6).add(x.square().mul(50));
    await gradCheck(lost, [[0.5, 0.25]], { order: 1 });
    await expect(gradCheck(lost, [[0.5, 0.25]])).rejects.toThrow(/derivative 2/);
  });

  test("checks near 0 with steps as small as it takes", async () => {
    const inputs = [[1e-6, 1e-4, 0.01, 3]];
    await gradCheck((x) => g.log(x), inputs, { order: 1 });
    const { mismatch } = await failureOf(gradCheck((x) => new Planted((v) => g.log(v), 0).call(x), inputs));
    expect(mismatch.element).toBe(0);
  });

  test("passes right gradients of detail finer than its first steps, and finds wrong ones", async () => {
    const log = elementwise(
      `fn log_forward(x: f32) -> f32 { return math_log(x); }
       fn log_backward(x: f32, gy: f32) -> f32 { return gy / x; }`,
    );
    const hypotenuse = (x = new Variable(NaN), y = new Variable(NaN)): Variable => g.sqrt(x.square().add(y.square()));
    const fine: [f: Differentiable, inputs: number[][]][] = [
      [(x = new Variable(NaN)) => x.mul(1e6).tanh(), [[0]]],
      [(x = new Variable(NaN)) => x.mul(1e6).sigmoid(), [[1e-7, 0, 1e-5]]],
      // At 0 alone its second derivative jumps within all steps, and nothing is decided.
      [(x = new Variable(NaN)) => x.div(x.abs().add(1e-6)), [[0, 1e-6]]],
      [(x = new Variable(NaN)) => g.sqrt(x.square().add(1e-12)), [[1e-6]]],
      [
        hypotenuse,
        [
          [1e-6, 3e-9],
          [1e-6, 4e-9],
        ],
      ],
      // Its second derivative jumps at 0, the first doesn't.
      [(x = new Variable(NaN)) => x.div(x.abs().add(1)), [[0, 1e-3, -2]]],
      [(x = new Variable(NaN)) => g.reciprocal(x), [[1e-8, -1e-4]]],
      [(x = new Variable(NaN)) => log(x), [[1e3, 1e6, 1e-3, 1e-10]]],
    ];
    for (const [f, inputs] of fine) {
      await gradCheck(f, inputs, { order: 1 });
      await failureOf(gradCheck((...x) => new Planted(f, 0).call(...x), inputs, { order: 1 }));
    }
  });

  test("leaves the inputs alone", async () => {
    const x = variable([3], [1, 2]);
    const before = await x.read();
    await gradCheck((a) => a.exp(), [x]);
    expect(x.grad).toBeNull();
    expect(await x.read()).toEqual(before);
  });

  test("refuses what is no function", async () => {
    await expect(gradCheck(3 as unknown as Differentiable, [1])).rejects.toThrow(ArgumentError);
  });
});

describe("a right gradient isn't refused where the values are flattened on the way to them", () => {
  const cases: [string, (x: Variable) => Variable, number[], number?][] = [
    ["log of sigmoid", (x) => x.sigmoid().log(), [8, 10, 12, 14]],
    ["1 - sigmoid", (x) => g.sub(1, x.sigmoid()), [10, 12, 14]],
    ["1 - sigmoid at 12", (x) => g.sub(1, x.sigmoid()), [12]],
    ["1 - sigmoid at 13", (x) => g.sub(1, x.sigmoid()), [13]],
    ["the log-loss", (x) => g.sub(1, x.sigmoid()).log().neg(), [-8, -10, -12, -14]],
    ["tanh - 1", (x) => x.tanh().sub(1), [4, 6, 8]],
    ["log-softmax", (x) => x.sub(x.exp().sum().log()).mul([1, 0, 0]).sum(), [5, 0, -5]],
    ["log-softmax further out", (x) => x.sub(x.exp().sum().log()).mul([1, 0, 0]).sum(), [8, 0, -1]],
    ["a small part of a large sum", (x) => x.mul(1e-4).add(10).sub(10), [0.5, 0.2]],
    ["logsumexp", (x) => x.exp().sum().log(), [5, 0, -5, -7], 2],
  ];
  test.each(cases)("%s", async (_, f, values, order = 1) => {
    try {
      await gradCheck(f, [values], { order });
    } catch (error) {
      // Where nothing shows, it says so.
      expect(error).toBeInstanceOf(UndecidedError);
    }
  });

  test.each(cases.slice(0, 8).map(([name, f]) => [name, f] as const))(
    "and a wrong one is found where it shows: %s",
    async (_, f) => {
      const wrong = elementwise(
        `fn wrong_forward(x: f32) -> f32 { return x; }
       fn wrong_backward(gy: f32) -> f32 { return 1.01 * gy; }`,
        { derivative: (gy) => gy.mul(1.01) },
      );
      await expect(gradCheck((x) => f(wrong(x)), [[0.3, -0.4, 0.2]])).rejects.toThrow(GradCheckError);
    },
  );
});
