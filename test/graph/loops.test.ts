/** Loops that dispose what they are done with stay within a few arrays of memory, within one task; what is held stays. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  add,
  broadcastTo,
  exp,
  fuse,
  grad,
  GpuArray,
  init,
  mul,
  noGrad,
  reshape,
  sin,
  square,
  stats,
  sum,
  transpose,
  valueAndGrad,
  Variable,
} from "../../src/index.js";
import { Cube } from "../reference/cube.js";
import { collect } from "../trouble.js";
import { firstOf } from "../reference/numbers.js";
import { growth, n, vector } from "../reference/growth.js";
import { Doubled } from "../reference/kernels.js";

beforeAll(async () => {
  await init();
});

beforeEach(collect);

/** Says that it can be computed again, as all that is the library's. */
class Repeatable extends Doubled {
  override get repeatable() {
    return true;
  }
}

describe("a simulation whose states are disposed when the next is there", () => {
  const simulations: [
    string,
    () => { step: () => void; state: () => Variable; next: (state: number[]) => number[] },
  ][] = [
    [
      "of one Function",
      () => {
        let x = vector(0.5, false);
        const step = (): void => {
          const next = sin(x);
          x.dispose();
          x = next;
        };
        return { step, state: () => x, next: ([x = 0]) => [Math.sin(x)] };
      },
    ],
    [
      "of several",
      () => {
        let x = vector(0.5, false);
        const step = (): void => {
          const next = sin(x.mul(1.5).add(0.1));
          x.dispose();
          x = next;
        };
        return { step, state: () => x, next: ([x = 0]) => [Math.sin(x * 1.5 + 0.1)] };
      },
    ],
    [
      "of two states that need each other",
      () => {
        let [x, v] = [vector(0.5, false), vector(0.1, false)];
        const step = (): void => {
          const nextV = v.sub(x.mul(0.1));
          const nextX = x.add(nextV.mul(0.1));
          x.dispose();
          v.dispose();
          [x, v] = [nextX, nextV];
        };
        const next = ([x = 0, v = 0.1]: number[]): number[] => {
          const nextV = v - x * 0.1;
          return [x + nextV * 0.1, nextV];
        };
        return { step, state: () => x, next };
      },
    ],
    [
      "of the last two states",
      () => {
        let [before, x] = [vector(0.1, false), vector(0.5, false)];
        const step = (): void => {
          const next = x.mul(1.9).sub(before);
          before.dispose();
          [before, x] = [x, next];
        };
        return { step, state: () => x, next: ([x = 0, before = 0.1]) => [x * 1.9 - before, x] };
      },
    ],
    [
      "under noGrad, beside a leaf",
      () => {
        const w = vector(0.9);
        let x = noGrad(() => mul(w, 1));
        const step = (): void => {
          const next = noGrad(() => sin(x.mul(w).add(0.1)));
          x.dispose();
          x = next;
        };
        return { step, state: () => x, next: ([x = 0]) => [Math.sin(x * 0.9 + 0.1)] };
      },
    ],
  ];

  test.each(simulations)("%s: four arrays, and the right numbers", async (name, make) => {
    const { step, state, next } = make();
    expect(growth(step, 200)).toBeLessThanOrEqual(4);
    let expected = name.startsWith("under") ? [0.9] : [0.5];
    for (let k = 0; k < 200; k++) expected = next(expected);
    expect(Math.abs((await firstOf(state()))! - (expected[0] ?? NaN))).toBeLessThan(1e-3);
  });
});

describe("steps that dispose their result leave nothing", () => {
  const raw = new Float32Array(n).fill(2);
  const fused = fuse((x: Variable) => square(exp(x)));
  const cases: [string, (w: Variable, c: Variable) => void][] = [
    ["data among operands", (_, c) => sum(add(mul(c, raw), raw)).dispose()],
    ["an array of the user's among operands", (_, c) => mul(c, GpuArray.constant(2, [n])).dispose()],
    [
      "data that reductions and views are given",
      () => {
        for (const y of [sum(raw), transpose(raw), reshape(raw, [2, n / 2]), broadcastTo(raw, [2, n])]) y.dispose();
      },
    ],
    ["data that an own Function is given", () => new Cube().call(raw).dispose()],
    ["data that a fused function is given", () => fused(raw).dispose()],
    ["data that grad is given", () => grad((x) => square(x).mul(x))(raw).dispose()],
    [
      "data that valueAndGrad is given beside a leaf",
      (w) => {
        const [value, gradient] = valueAndGrad((w, x) => sum(square(w.mul(x))))(w, raw);
        value.dispose();
        gradient.dispose();
      },
    ],
    [
      "data that update is given, and makes",
      (w) => {
        w.update((w, r) => w.sub(r.mul(0.1)), raw);
        w.update((w, r) => w.sub(sum(r)), raw);
        w.update((w) => w.sub(mul(w, raw)));
      },
    ],
    [
      "noGrad inside of a loss",
      (w) => {
        const loss = sum(w.mul(noGrad(() => square(exp(w)))));
        loss.backward({ retainGrad: false });
        loss.dispose();
      },
    ],
    ["noGrad inside of what has no graph", (_, c) => square(noGrad(() => square(exp(c)))).dispose()],
    ["an own Function without a graph", (_, c) => square(new Cube().call(exp(c))).dispose()],
    ["one of a Kernel that is repeatable", (_, c) => square(new Repeatable().call(exp(c))).dispose()],
    ["noGrad in the function of grad", (_, c) => grad((x) => sum(x.mul(noGrad(() => exp(x)))))(c).dispose()],
    [
      "two results of which one was used",
      (w) => {
        const two = fuse((x: Variable) => [square(x), exp(x)])(w);
        sum(two[0]!).dispose();
        two[1]!.dispose();
      },
    ],
    [
      "a gradient that was computed, and one that was data, to start from",
      (w, c) => {
        for (const start of [c.mul(2), raw]) {
          const y = square(w);
          y.grad = start;
          y.backward({ retainGrad: false });
          w.clearGrad();
          y.dispose();
        }
      },
    ],
    [
      "a gradient penalty",
      (w) => {
        const loss = sum(square(exp(w)));
        loss.backward({ createGraph: true });
        const gradient = w.grad!;
        w.clearGrad();
        const total = loss.add(sum(square(gradient)));
        total.backward({ retainGrad: false });
        total.dispose();
      },
    ],
    [
      "createGraph whose gradient is dropped",
      (w) => {
        const loss = sum(square(exp(w)));
        loss.backward({ createGraph: true });
        w.clearGrad();
        loss.dispose();
      },
    ],
    [
      "a gradient's product with a vector",
      (w, c) => {
        const loss = sum(square(exp(w)));
        loss.backward({ createGraph: true });
        const product = sum(w.grad!.mul(c));
        w.clearGrad();
        product.backward({ retainGrad: false });
        loss.dispose();
        product.dispose();
      },
    ],
  ];

  test.each(cases)("%s", (_, step) => {
    const [w, c] = [vector(), vector(0.25, false)];
    const loop = (): void => {
      step(w, c);
      w.clearGrad();
    };
    expect(growth(loop, 50)).toBe(0);
  });

  const descend = (w: Variable, by: Variable): Variable => w.sub(by.mul(0.001));
  const gradientOf = (loss: Variable): void => {
    loss.backward({ retainGrad: false });
    loss.dispose();
  };
  const updates: [string, (w: Variable, v: Variable) => void][] = [
    [
      "noGrad inside of a loss, disposed with it",
      (w) => {
        using target = noGrad(() => square(exp(w)));
        gradientOf(sum(w.mul(target)));
        target.dispose();
        w.update(descend, w.grad);
      },
    ],
    [
      "a detach inside of a loss",
      (w) => {
        gradientOf(sum(w.mul(square(exp(w)).detach())));
        w.update(descend, w.grad);
      },
    ],
    [
      "a detach inside of a loss that is disposed afterwards",
      (w) => {
        using loss = sum(w.mul(square(exp(w)).detach()));
        loss.backward({ retainGrad: false });
        w.update(descend, w.grad);
      },
    ],
    [
      "noGrad inside of a fused loss",
      (w) => {
        gradientOf(sum(fuse((x: Variable) => x.mul(noGrad(() => exp(x))))(w)));
        w.update(descend, w.grad);
      },
    ],
    [
      "a gradient that another leaf is updated by",
      (w, v) => {
        gradientOf(sum(square(w)));
        v.update((v, g) => v.mul(0.9).add(g), w.grad);
        w.update(descend, v);
      },
    ],
    [
      "a gradient that two leaves are updated by, one after the other",
      (w, v) => {
        gradientOf(sum(square(w)));
        const gradient = w.grad;
        v.update((v, g) => v.mul(0.9).add(g), gradient);
        w.update(descend, gradient);
      },
    ],
  ];

  test.each(updates)("and update the leaf: %s", (_, step) => {
    const [w, v] = [vector(), vector(0, false)];
    const loop = (): void => {
      step(w, v);
      w.clearGrad();
    };
    expect(growth(loop, 50)).toBe(0);
  });

  test("a gradient that was looked at before it is given to update stays", async () => {
    const [w, v] = [vector(), vector(0, false)];
    gradientOf(sum(square(w)));
    expect(w.grad).not.toBeNull();
    const held = w.grad!;
    v.update((v, g) => v.add(g), held);
    w.clearGrad();
    expect(await firstOf(held)).toBe(1);
    expect(await firstOf(v)).toBe(1);
  });
});

test("an old trajectory is read in a number of dispatches that grows as its length", async () => {
  for (const count of [200, 800]) {
    const states = [vector(0.5, false).mul(1)];
    for (let k = 1; k < count; k++) states.push(sin(states[k - 1]!));
    states[count - 1]!.dispose();
    const before = stats().dispatches;
    let expected = 0.5;
    const exact = states.map((_, k) => (expected = k === 0 ? 0.5 : Math.sin(expected)));
    for (let k = count - 2; k >= 0; k--) {
      expect(Math.abs((await firstOf(states[k]!))! - (exact[k] ?? NaN))).toBeLessThan(1e-4);
    }
    expect(stats().dispatches - before).toBeLessThan(10 * count);
  }
});
