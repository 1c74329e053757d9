/** The walk: in which order Functions are visited, how gradients add up, and what a failure leaves behind. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  Function,
  FunctionReusedError,
  init,
  noGrad,
  NotDifferentiableError,
  NotImplementedError,
  ShapeError,
  Variable,
  type GpuArray,
  type Result,
} from "../../src/index.js";
import { dispatchesOf, expectClose, gradOf, variable } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

/** a + b, which writes down when its backward is called. */
class Noted extends Function {
  readonly #log: string[];
  readonly #label: string;

  constructor(log: string[], label = "") {
    super();
    this.#log = log;
    this.#label = label;
  }

  override forward(a: GpuArray, b: GpuArray): Variable {
    return g.add(a, b);
  }

  override backward(gy: Variable): Variable[] {
    this.#log.push(this.#label);
    return [gy, gy];
  }
}

/** x and 2x. */
class Both extends Function {
  override forward(x: GpuArray): Variable[] {
    return [g.mul(x, 1), g.mul(x, 2)];
  }

  override backward(first: Variable, second: Variable): Variable {
    return first.add(second.mul(2));
  }
}

/** x², with a backward of one's choice. */
class Wrong extends Function {
  readonly #backward: (gy: Variable, x: Variable) => unknown;

  constructor(backward: (gy: Variable, x: Variable) => unknown) {
    super();
    this.#backward = backward;
  }

  override forward(x: GpuArray): Variable {
    return g.square(x);
  }

  override backward(gy: Variable): Result {
    return this.#backward(gy, this.input) as Result;
  }
}

describe("the walk", () => {
  test("30 doublings are 30 calls of backward, and the gradient is 2^30", async () => {
    const log: string[] = [];
    const x = new Variable(1);
    let y = x;
    for (let k = 0; k < 30; k++) y = new Noted(log).call(y, y);
    expect(await y.item()).toBe(2 ** 30);
    y.backward();
    expect(log).toHaveLength(30);
    expect(await gradOf(x)).toEqual([2 ** 30]);
  });

  test("30 doublings by add are 30 dispatches forward, and two for each node backward", async () => {
    const x = variable([5], [1, 2]);
    let y = x;
    expect(
      dispatchesOf(() => {
        for (let k = 0; k < 30; k++) y = y.add(y);
      }),
    ).toBe(30);
    expect(
      dispatchesOf(() => {
        y.backward();
      }),
    ).toBeLessThanOrEqual(60);
    expect(await gradOf(x)).toEqual(new Array(5).fill(2 ** 30));
  });

  test("a node is visited after all that used its output, whatever the order of use", async () => {
    const log: string[] = [];
    const x = new Variable(2);
    const a = new Noted(log, "a").call(x, x);
    const b = new Noted(log, "b").call(a, x);
    const c = new Noted(log, "c").call(a, b);
    const d = new Noted(log, "d").call(c, a);
    const y = new Noted(log, "y").call(a, d);
    y.backward();
    expect(log).toEqual(["y", "d", "c", "b", "a"]);
    // a = 2x, b = 3x, c = 5x, d = 7x, y = 9x
    expect(await y.item()).toBe(18);
    expect(await gradOf(x)).toEqual([9]);
    expect(await gradOf(a)).toEqual([4]);
  });

  test("DeZero's diamond: y = a² + a² of a = x² is 32 at 2, its gradient 64", async () => {
    const x = new Variable(2);
    const a = x.square();
    const y = a.square().add(a.square());
    y.backward();
    expect(await y.item()).toBe(32);
    expect(await gradOf(x)).toEqual([64]);
  });

  test("a Variable used twice by one Function receives both gradients", async () => {
    const x = new Variable([3, -1]);
    x.mul(x).backward();
    expect(await gradOf(x)).toEqual([6, -2]);
    const z = new Variable(2);
    g.where([1, 0], z, z.mul(5)).backward();
    expect(await gradOf(z)).toEqual([6]);
  });

  test("a chain of 100,000 nodes, forward and backward, without stack overflow", async () => {
    const x = new Variable(0.5);
    let y = x;
    for (let k = 0; k < 100_000; k++) y = y.add(1);
    expect(y.generation).toBe(100_000);
    expect(await y.item()).toBe(100_000.5);
    y.backward({ retainGrad: false });
    expect(await gradOf(x)).toEqual([1]);
    expect(g.graph(y).nodes).toHaveLength(300_001);
  });

  test("a fan of 10,000 uses of one Variable", async () => {
    const x = new Variable([1, 2]);
    let y = x.mul(0);
    for (let k = 0; k < 10_000; k++) y = y.add(x);
    y.backward({ retainGrad: false });
    expect([...(await y.read())]).toEqual([10_000, 20_000]);
    expect(await gradOf(x)).toEqual([10_000, 10_000]);
  });

  test("10,000 inputs of one Function, all the same Variable", async () => {
    class Count extends Function {
      override forward(...x: GpuArray[]): Variable {
        return g.mul(x[0] ?? NaN, x.length);
      }
      override backward(gy: Variable): Variable[] {
        return this.inputs.map(() => gy);
      }
    }
    const x = new Variable(3);
    const y = new Count().call(...new Array<Variable>(10_000).fill(x));
    y.backward();
    expect(await y.item()).toBe(30_000);
    expect(await gradOf(x)).toEqual([10_000]);
  });

  test("outputs that nobody used count as zero", async () => {
    for (const [used, expected] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const x = new Variable([1, 2, 3]);
      const f = new Both();
      f.call(x);
      const y = f.outputs[used];
      y?.backward();
      expect(await gradOf(x)).toEqual([expected, expected, expected]);
      expect(f.outputs[1 - used]?.grad).toBeNull();
    }
  });

  test("all outputs used, their gradients come together", async () => {
    const x = new Variable(3);
    const f = new Both();
    f.call(x);
    const [a = x, b = x] = f.outputs;
    a.mul(b).backward();
    // y = 2x²
    expect(await gradOf(x)).toEqual([12]);
    expect(await gradOf(a)).toEqual([6]);
    expect(await gradOf(b)).toEqual([3]);
  });
});

describe("backward, again", () => {
  test("twice doubles a leaf's gradient exactly, and leaves the intermediates' right", async () => {
    const x = variable([7], [-2, 2]);
    const a = x.exp();
    const b = a.mul(x).tanh();
    const y = b.add(a.square());
    y.backward();
    const [first, ofA, ofB, ofY] = [await gradOf(x), await gradOf(a), await gradOf(b), await gradOf(y)];
    y.backward();
    expect(await gradOf(x)).toEqual(first.map((slope) => 2 * slope));
    expect(await gradOf(a)).toEqual(ofA);
    expect(await gradOf(b)).toEqual(ofB);
    expect(await gradOf(y)).toEqual(ofY);
    const exact = [...(await x.read())].map((v) => {
      const t = Math.tanh(Math.exp(v) * v);
      return (1 - t * t) * Math.exp(v) * (v + 1) + 2 * Math.exp(2 * v);
    });
    expectClose(first, exact, 1e-5);
  });

  test("through another output of the same graph adds to the leaf, and sets the intermediate", async () => {
    const x = new Variable(3);
    const a = x.square();
    a.mul(2).backward();
    a.mul(5).backward();
    expect(await gradOf(a)).toEqual([5]);
    expect(await gradOf(x)).toEqual([2 * 6 + 5 * 6]);
  });

  test("starts from the grad that was set, of any kind of data", async () => {
    for (const start of [[10, 100], Float32Array.of(10, 100), new Variable([10, 100])]) {
      const x = new Variable([3, 4]);
      const y = x.square();
      y.grad = start;
      y.backward();
      expect(await gradOf(x)).toEqual([60, 800]);
    }
    const y = new Variable([3, 4]).square();
    expect(() => (y.grad = [1, 2, 3])).toThrow(ShapeError);
    expect(y.grad).toBeNull();
  });

  test("clearGrad starts the leaf from zero", async () => {
    const x = new Variable(3);
    const y = x.square();
    y.backward();
    x.clearGrad();
    expect(x.grad).toBeNull();
    y.backward();
    expect(await gradOf(x)).toEqual([6]);
  });

  test("with retainGrad: false only leaves have a gradient", async () => {
    const x = new Variable(3);
    const a = x.square();
    const b = a.exp().log();
    b.backward({ retainGrad: false });
    expect(a.grad).toBeNull();
    expect(b.grad).toBeNull();
    expectClose(await gradOf(x), [6], 1e-6);
  });

  test("without createGraph a gradient has no graph, with it it has", async () => {
    const x = new Variable(3);
    const y = x.pow(3);
    y.backward();
    expect(x.grad?.creator).toBeNull();
    expect(x.grad?.requiresGrad).toBe(false);
    x.clearGrad();
    y.backward({ createGraph: true });
    const slope = x.grad;
    expect(slope?.requiresGrad).toBe(true);
    x.clearGrad();
    slope?.backward();
    expectClose(await gradOf(x), [18], 1e-6);
  });

  test("a gradient penalty: the gradient of a value and of its squared gradient together", async () => {
    const x = new Variable([1, 2]);
    const y = x.pow(3).sum();
    y.backward({ createGraph: true });
    const slope = x.grad ?? new Variable(NaN);
    x.clearGrad();
    y.add(slope.square().sum()).backward();
    // 3x² + 2 · 3x² · 6x
    expectClose(await gradOf(x), [3 + 36, 12 + 36 * 8], 1e-6);
  });
});

describe("what is remembered", () => {
  test("noGrad builds no graph, gives back the result, and ends where an exception is thrown", () => {
    const x = new Variable(3);
    const y = noGrad(() => x.square());
    expect(y.creator).toBeNull();
    expect(y.requiresGrad).toBe(false);
    expect(() =>
      noGrad(() => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(x.square().creator).not.toBeNull();
    noGrad(() => {
      noGrad(() => 1);
      expect(x.square().creator).toBeNull();
    });
    expect(x.square().creator).not.toBeNull();
  });

  test("noGrad refuses an async function, and remembering goes on", () => {
    const x = new Variable(3);
    expect(() => noGrad(() => Promise.resolve(1))).toThrow(ArgumentError);
    expect(x.square().creator).not.toBeNull();
  });

  test("detach gives the same numbers, through which no gradient goes", async () => {
    const x = new Variable([3, 4], { name: "x" });
    const a = x.square();
    const d = a.detach();
    expect(await d.read()).toEqual(await a.read());
    expect(d.creator).toBeNull();
    a.mul(d).backward();
    // d counts as a constant: 2x · x²
    expect(await gradOf(x)).toEqual([54, 128]);
    expect(d.grad).toBeNull();
  });

  test("unchain makes a leaf, where the walk ends", async () => {
    const x = new Variable(3);
    const a = x.square();
    const y = a.mul(2);
    a.unchain();
    expect(a.creator).toBeNull();
    expect(a.generation).toBe(0);
    y.backward();
    expect(x.grad).toBeNull();
    expect(await gradOf(a)).toEqual([2]);
  });

  test("a leaf has generation 0, an output one more than the latest of the inputs", () => {
    const x = new Variable(1);
    const a = x.exp();
    const b = a.exp().exp();
    expect([x, a, b, x.add(b), b.add(a).neg(), noGrad(() => b.exp())].map(({ generation }) => generation)).toEqual([
      0, 1, 3, 4, 5, 0,
    ]);
    expect(b.creator?.generation).toBe(2);
  });

  test("requiresGrad: false spreads, until a Variable with a gradient comes in", async () => {
    const c = new Variable([1, 2], { requiresGrad: false });
    const still = c.exp().mul(3).sum();
    expect(still.requiresGrad).toBe(false);
    expect(still.creator).toBeNull();
    expect(() => {
      still.backward();
    }).toThrow(NotDifferentiableError);
    const x = new Variable(2);
    const y = c.mul(x).sum();
    y.backward();
    expect(c.grad).toBeNull();
    expect(await gradOf(x)).toEqual([3]);
  });
});

describe("a Function", () => {
  test("can be called once", () => {
    const f = new g.Square();
    f.call(1);
    expect(() => f.call(2)).toThrow(FunctionReusedError);
    expect(() => f.call(2)).toThrow(/Square/);
  });

  test("takes numbers and arrays among its inputs", async () => {
    const x = new Variable([1, 2]);
    const y = new Noted([]).call(x, [10, 20]);
    expect([...(await y.read())]).toEqual([11, 22]);
    expect(await new Noted([]).call(1, Float32Array.of(2)).item()).toBe(3);
    expect(() => new Noted([]).call(x, "1" as unknown as number)).toThrow(ArgumentError);
  });

  test("knows its inputs and outputs after the call, and says so before", () => {
    const f = new Both();
    expect(() => f.input).toThrow(ArgumentError);
    expect(() => f.output).toThrow(ArgumentError);
    const x = new Variable(1);
    const y = f.call(x);
    expect(f.inputs).toEqual([x]);
    expect(f.outputs[0]).toBe(y);
    expect(f.outputs).toHaveLength(2);
    expect(f.outputs.every(({ creator }) => creator === f)).toBe(true);
  });

  test("without forward or backward says which it lacks", () => {
    class Nothing extends Function {}
    expect(() => new Nothing().call(1)).toThrow(NotImplementedError);
    expect(() => new Nothing().call(1)).toThrow(/Nothing has no forward/);
    class Half extends Function {
      override forward(x: GpuArray): Variable {
        return g.square(x);
      }
    }
    const y = new Half().call(new Variable(1));
    expect(() => {
      y.backward();
    }).toThrow(/Half has no backward/);
  });
});

describe("a wrong backward", () => {
  const cases: [string, (gy: Variable, x: Variable) => unknown, new (message: string) => Error, RegExp][] = [
    ["gives two gradients for one input", (gy) => [gy, gy], ArgumentError, /Wrong\.backward.* 1 .*gave 2/],
    ["gives none", () => [], ArgumentError, /Wrong\.backward.*gave 0/],
    ["gives another shape", (gy) => gy.sum(), ShapeError, /Wrong\.backward.*\[\].*\[3\]/],
    ["gives a number", () => 1, ArgumentError, /Wrong\.backward.*not 1/],
    ["gives nothing", () => undefined, ArgumentError, /Wrong\.backward.*not undefined/],
    ["throws", () => JSON.parse("{") as unknown, SyntaxError, /JSON/],
  ];

  test.each(cases)("that %s is told by a typed error, and changes no grad", async (_what, wrong, type, message) => {
    for (const createGraph of [false, true]) {
      const x = new Variable([1, 2, 3]);
      const before = new Variable([7, 8, 9]);
      x.grad = before;
      const a = new Wrong(wrong).call(x);
      const side = x.mul(2);
      const y = a.exp().add(side.exp());
      const failing = (): void => {
        y.backward({ createGraph });
      };
      expect(failing).toThrow(type);
      expect(failing).toThrow(message);
      expect(x.grad).toBe(before);
      expect(await gradOf(x)).toEqual([7, 8, 9]);
      for (const untouched of [a, side, y]) expect(untouched.grad).toBeNull();
      // The graph is whole: what doesn't need the wrong one works.
      x.clearGrad();
      side.backward();
      expect(await gradOf(x)).toEqual([2, 2, 2]);
    }
  });

  test("that gives null says that this input has no gradient", async () => {
    const x = new Variable([1, 2, 3]);
    const y = new Wrong(() => null).call(x).add(x);
    y.backward();
    expect(await gradOf(x)).toEqual([1, 1, 1]);
  });

  test("that gives its own argument, or the input, does no harm", async () => {
    const x = new Variable([1, 2, 3]);
    const a = new Wrong((gy) => gy).call(x);
    const b = new Wrong((_gy, v) => v).call(a);
    b.backward();
    b.backward();
    expect([...(await x.read())]).toEqual([1, 2, 3]);
    expect(await gradOf(a)).toEqual([1, 4, 9]);
    expect(await gradOf(x)).toEqual([2, 8, 18]);
  });
});
