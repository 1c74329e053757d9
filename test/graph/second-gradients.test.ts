/** Gradients with a graph of their own stay where somebody may read them, when what was computed from them is disposed. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { elementwise, exp, fuse, init, noGrad, square, sum, Variable } from "../../src/index.js";
import { growth, vector } from "../reference/growth.js";
import { firstOf } from "../reference/numbers.js";
import { Cube } from "../reference/cube.js";
import { collect } from "../trouble.js";

beforeAll(async () => {
  await init();
});

beforeEach(collect);

/** What the task that waits for it has made is found by the second collection alone. */
async function collectAll(): Promise<void> {
  await collect();
  await collect();
}

const weights = (): Variable => new Variable([[2], [0.5]], { requiresGrad: false });

const own = elementwise("fn own_forward(x: f32) -> f32 { return x * x * x; }");
const fused = fuse((x: Variable) => square(x).sin());
const functions: [string, (w: Variable) => Variable][] = [
  ["tanh", (w) => w.tanh()],
  ["square", square],
  ["a line of tanh", (w) => w.tanh().reshape([2, 1]).mul(weights()).mul(3).mul(weights())],
  ["exp", exp],
  ["sin(w) w", (w) => w.sin().mul(w)],
  ["a fused function", fused],
  ["an own function", own],
  ["an own Function made of others", (w) => new Cube().call(w)],
  ["reshape", (w) => square(w).reshape([2, 1])],
  ["pow", (w) => w.pow(3)],
];

/** The gradient of a sum, of whichever order. */
async function expected(f: (w: Variable) => Variable): Promise<Float32Array> {
  const w = new Variable([0.5, 0.25]);
  sum(f(w)).backward();
  return w.grad!.read();
}

const penalties: [string, (loss: Variable, penalty: Variable, w: Variable) => void][] = [
  ["their sum", (loss, penalty) => loss.add(penalty).dispose()],
  [
    "the penalty, then the loss",
    (loss, penalty) => {
      penalty.dispose();
      loss.dispose();
    },
  ],
  [
    "the loss, then the penalty",
    (loss, penalty) => {
      loss.dispose();
      penalty.dispose();
    },
  ],
];

describe.each(functions)("the gradient of %s", (_, f) => {
  test.each(penalties)("is a leaf's own after dispose() of %s, also where the leaf changes", async (_, dispose) => {
    const w = new Variable([0.5, 0.25]);
    const loss = sum(f(w));
    loss.backward({ createGraph: true });
    dispose(loss, sum(w.grad!.square()), w);
    const before = await expected(f);
    expect(await w.grad!.read()).toEqual(before);
    w.descend(0.5);
    expect(await w.read()).toEqual(Float32Array.from([0.5, 0.25], (x, k) => x - 0.5 * before[k]!));
    expect(await w.grad!.read()).toEqual(before);
  });

  test.each(penalties)("can be had again where it was cleared: dispose() of %s", async (_, dispose) => {
    const w = new Variable([0.5, 0.25]);
    const loss = sum(f(w));
    loss.backward({ createGraph: true });
    const g = w.grad!;
    const penalty = sum(g.square());
    w.clearGrad();
    penalty.backward();
    const second = await w.grad!.read();
    dispose(loss, penalty, w);
    await collectAll();
    expect(await w.grad!.read()).toEqual(second);
    expect(await g.read()).toEqual(await expected(f));
  });
});

test("more is differentiated from a leaf's gradient after a penalty was disposed", async () => {
  const w = new Variable([0.5, 0.25]);
  const loss = sum(w.pow(3));
  loss.backward({ createGraph: true });
  loss.add(sum(w.grad!.square())).dispose();
  const again = sum(w.grad!.mul(2));
  w.clearGrad();
  again.backward();
  expect(await w.grad!.read()).toEqual(Float32Array.of(6, 3));
});

test.each(["first", "second", "last"])(
  "gradients of three orders, of which the %s result is disposed",
  async (which) => {
    const w = new Variable([0.5, 0.25]);
    const one = sum(w.pow(4));
    one.backward({ createGraph: true });
    const first = w.grad!;
    w.clearGrad();
    const two = sum(first);
    two.backward({ createGraph: true });
    const second = w.grad!;
    w.clearGrad();
    const three = sum(second.mul(first));
    three.backward({ createGraph: true });
    const four = sum(w.grad!.square());
    for (const [name, result] of [
      ["first", one],
      ["second", two],
      ["last", three],
    ] as const) {
      if (which === name || which === "last") result.dispose();
    }
    four.dispose();
    expect(await firstOf(first)).toBeCloseTo(0.5, 5);
    expect(await firstOf(second)).toBeCloseTo(3, 5);
    // (12 w² · 4 w³)′ = 240 w⁴
    expect(await firstOf(w.grad!)).toBeCloseTo(15, 4);
  },
);

test("two leaves, whose gradients make a penalty", async () => {
  const [u, v] = [new Variable([0.5, 2]), new Variable([3, 4])];
  const loss = sum(square(u).mul(v));
  loss.backward({ createGraph: true });
  loss.add(sum(u.grad!.mul(v.grad!))).dispose();
  expect(await u.grad!.read()).toEqual(Float32Array.of(3, 16));
  expect(await v.grad!.read()).toEqual(Float32Array.of(0.25, 4));
});

describe("steps with a gradient penalty leave nothing", () => {
  let data: Variable;
  beforeAll(() => {
    data = vector(2, false);
  });
  const rate = (w: Variable, g: Variable): Variable => w.sub(g.mul(0.001));
  const steps: [string, (w: Variable) => void][] = [
    [
      "cleared before the second pass",
      (w) => {
        const loss = sum(w.tanh());
        loss.backward({ createGraph: true });
        const total = loss.add(sum(w.grad!.square()));
        w.clearGrad();
        total.backward();
        w.update(rate, w.grad);
        w.clearGrad();
        total.dispose();
      },
    ],
    [
      "cleared at the end",
      (w) => {
        const loss = sum(w.tanh());
        loss.backward({ createGraph: true });
        const total = loss.add(sum(w.grad!.square()));
        total.backward();
        w.update(rate, w.grad);
        total.dispose();
        w.clearGrad();
      },
    ],
    [
      "without a second pass, cleared at the end",
      (w) => {
        const loss = sum(w.tanh());
        loss.backward({ createGraph: true });
        const total = loss.add(sum(w.grad!.square()));
        total.dispose();
        w.update(rate, w.grad);
        w.clearGrad();
      },
    ],
    [
      "the penalty and the loss apart, cleared at the start",
      (w) => {
        w.clearGrad();
        const loss = sum(w.tanh());
        loss.backward({ createGraph: true });
        const penalty = sum(w.grad!.square());
        penalty.dispose();
        loss.dispose();
        w.descend(0.001);
      },
    ],
    [
      "behind products with data",
      (w) => {
        const loss = sum(w.tanh().mul(data).mul(3).mul(data));
        loss.backward({ createGraph: true });
        const total = loss.add(sum(w.grad!.square()));
        w.clearGrad();
        total.backward();
        w.update(rate, w.grad);
        w.clearGrad();
        total.dispose();
      },
    ],
    [
      "with an own Function",
      (w) => {
        const loss = sum(new Cube().call(w));
        loss.backward({ createGraph: true });
        const total = loss.add(sum(w.grad!.square()));
        w.clearGrad();
        total.backward();
        w.update(rate, w.grad);
        w.clearGrad();
        total.dispose();
      },
    ],
  ];
  test.each(steps)("%s", (_, step) => {
    const w = vector(0.5);
    expect(
      growth(() => {
        step(w);
      }, 50),
    ).toBeLessThanOrEqual(4);
  });

  test("nor does a leaf that is disposed before the penalty", () => {
    const step = (): void => {
      const w = vector(0.5);
      const loss = sum(w.tanh());
      loss.backward({ createGraph: true });
      const total = loss.add(sum(w.grad!.square()));
      w.dispose();
      total.dispose();
    };
    expect(growth(step, 50)).toBeLessThanOrEqual(4);
  });
});

describe("the result of an own Function that is made of others", () => {
  const uses: [string, (w: Variable) => Variable][] = [
    ["of a leaf", (w) => new Cube().call(w)],
    ["of what was computed", (w) => new Cube().call(w.mul(1))],
    ["twice", (w) => new Cube().call(new Cube().call(w).pow(1 / 3))],
  ];
  test.each(uses)("%s, can be read when the collector came before dispose()", async (_, use) => {
    for (const when of ["never", "before", "after"]) {
      const w = new Variable([0.5, 2]);
      const cube = use(w);
      if (when === "before") await collectAll();
      const loss = sum(cube.mul(1.5));
      loss.backward();
      if (when === "after") await collectAll();
      loss.dispose();
      const [a, b] = await cube.read();
      expect([when, a, b]).toEqual([when, expect.closeTo(0.125, 5), expect.closeTo(8, 4)]);
      w.clearGrad();
      sum(cube.mul(2)).backward();
      expect(await firstOf(w.grad!)).toBeCloseTo(1.5, 4);
      noGrad(() => cube.mul(2)).dispose();
      expect(await firstOf(cube)).toBeCloseTo(0.125, 5);
    }
  });
});
