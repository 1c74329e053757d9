/** What was computed before a throw is given back at once, and can still be read where somebody has it. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  exp,
  Function,
  grad,
  GpuArray,
  init,
  noGrad,
  square,
  stats,
  sum,
  valueAndGrad,
  Variable,
} from "../../src/index.js";
import { Doubled } from "../reference/kernels.js";
import { growth, n, vector } from "../reference/growth.js";
import { firstOf } from "../reference/numbers.js";
import { collect } from "../trouble.js";

beforeAll(async () => {
  await init();
});

beforeEach(collect);

const stop = (..._: unknown[]): never => {
  throw new Error("stop");
};
const stopped = (f: () => unknown): void => {
  expect(f).toThrow("stop");
};

class StopsForward extends Function {
  override forward(x: GpuArray): Variable {
    square(exp(x));
    return stop();
  }
}

class StopsBackward extends Function {
  override forward(x: GpuArray) {
    return square(x);
  }
  override backward(): never {
    square(exp(this.input));
    return stop();
  }
}

describe("50 steps that throw leave nothing", () => {
  const cases: [string, (w: Variable, c: Variable) => void][] = [
    ["noGrad", (w) => noGrad(() => stop(square(exp(w))))],
    ["noGrad in noGrad", (w) => noGrad(() => noGrad(() => stop(square(exp(w)))))],
    ["noGrad behind another one", (w) => noGrad(() => stop(square(noGrad(() => exp(w)))))],
    ["grad", (w) => grad((x) => stop(square(exp(x))))(w)],
    ["grad by what needs no gradient", (_, c) => grad((x) => stop(square(exp(x))))(c)],
    ["grad with a leaf from outside", (w, c) => valueAndGrad((x) => stop(square(exp(x.mul(w)))))(c)],
    ["grad of grad", (w, c) => grad(grad((x) => stop(square(exp(x.mul(w))))))(c)],
    ["a backward that grad runs", (_, c) => grad((x) => new StopsBackward().call(exp(x)))(c)],
    ["a forward", (w) => new StopsForward().call(w)],
    [
      "a backward",
      (w) => {
        using loss = new StopsBackward().call(w);
        loss.backward();
      },
    ],
    ["update", (w) => w.update((w) => stop(sum(square(exp(w)))))],
  ];
  test.each(cases)("%s", (_, step) => {
    const [w, c] = [vector(), vector(0.25, false)];
    expect(growth(() => stopped(() => step(w, c)), 50)).toBe(0);
  });
});

describe("what somebody has is read as before", () => {
  const change: [string, (w: Variable) => void][] = [
    ["at once", () => undefined],
    ["after the leaf has changed", (w) => void w.assign(new Float32Array(n))],
    ["after the leaf was disposed", (w) => w.dispose()],
  ];
  test.each(change)("what was assigned in noGrad, %s", async (_, change) => {
    const w = vector();
    const list: Variable[] = [];
    stopped(() =>
      noGrad(() => {
        list.push(exp(w));
        list.push(square(list[0]!), new Doubled().call(w), new Variable(3));
        stop();
      }),
    );
    change(w);
    const [a, b, c, d] = list as [Variable, Variable, Variable, Variable];
    expect(await firstOf(a)).toBeCloseTo(Math.exp(0.5), 5);
    expect(await firstOf(b)).toBeCloseTo(Math.E, 5);
    expect([await firstOf(c), await d.item()]).toEqual([1, 3]);
    square(c).dispose();
    expect(await firstOf(c)).toBe(1);
  });

  test.each(change)("what was assigned in grad, with its graph, %s", async (what, change) => {
    const [w, c] = [vector(), vector(0.25, false)];
    const list: Variable[] = [];
    stopped(() =>
      grad((x) => {
        list.push(x, x.mul(w), exp(w), new Doubled().call(w));
        list.push(square(list[1]!));
        return stop();
      })(c),
    );
    change(w);
    const read = await Promise.all(list.map(firstOf));
    [0.25, 0.125, Math.exp(0.5), 1, 0.125 ** 2].forEach((expected, k) => {
      expect(read[k]).toBeCloseTo(expected, 5);
    });
    if (what !== "at once") return;
    sum(list[4]!).backward();
    expect(await firstOf(w.grad!)).toBeCloseTo(2 * 0.125 * 0.25, 6);
  });

  test("what a forward has caught, made by a Kernel", async () => {
    class Catches extends Function {
      override forward(x: GpuArray): Variable {
        const made: Variable[] = [];
        stopped(() => noGrad(() => stop(made.push(new Doubled().call(x)))));
        return square(made[0]!);
      }
    }
    expect(await firstOf(new Catches().call(vector(0.5, false)))).toBe(1);
  });

  test("what was there before", async () => {
    const w = vector();
    const [a, b] = [exp(w), noGrad(() => square(w))];
    stopped(() => noGrad(() => stop(square(a), square(b))));
    stopped(() => grad((x) => stop(square(a).mul(x), square(b)))(w));
    w.assign(new Float32Array(n));
    expect(await firstOf(a)).toBeCloseTo(Math.exp(0.5), 5);
    expect(await firstOf(b)).toBe(0.25);
  });

  test("and the graph of what was there before", async () => {
    const w = vector();
    const a = square(w);
    const live = stats().liveBytes;
    stopped(() => grad((x) => stop(exp(a.mul(x))))(1));
    expect(stats().liveBytes).toBe(live);
    sum(a).backward();
    expect(await firstOf(w.grad!)).toBe(1);
  });
});
