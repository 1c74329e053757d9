/** A gradient on the way that somebody has looked at stays, and no more than that; one that nobody has seen goes with the loss. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  broadcastTo,
  exp,
  Function,
  fuse,
  GpuArray,
  init,
  max,
  mean,
  noGrad,
  square,
  sum,
  sumTo,
  Variable,
} from "../../src/index.js";
import { growth, n, vector } from "../reference/growth.js";
import { Doubled } from "../reference/kernels.js";
import { firstOf } from "../reference/numbers.js";
import { Cube } from "../reference/cube.js";
import { collect } from "../trouble.js";

beforeAll(async () => {
  await init();
});

beforeEach(collect);

class View extends Function {
  override forward(x: GpuArray) {
    return x.reshape([2, n / 2]);
  }
  override backward(gy: Variable) {
    return gy.reshape(this.input.shape);
  }
}

class PassOn extends Function {
  override forward(x: GpuArray) {
    return x;
  }
  override backward(gy: Variable) {
    return gy;
  }
}

/** With the arrays that a held gradient costs: what an own backward computed on the way stays with it. */
const functions: [string, number, (x: Variable) => Variable][] = [
  ["reshape", 1, (x) => x.reshape([2, n / 2])],
  ["transpose", 1, (x) => x.reshape([2, n / 2]).transpose()],
  ["broadcastTo and sumTo", 1, (x) => sumTo(broadcastTo(x.reshape([n]), [3, n]), [n])],
  ["max", 1, (x) => max(x.reshape([n, 1]), 1)],
  ["mean", 1, (x) => mean(x.reshape([n, 1]), 1)],
  ["a sum of the same", 1, (x) => x.add(x)],
  ["a fused function", 1, (x) => fuse((x: Variable) => square(exp(x)))(x)],
  ["a fused function that gives its operand", 1, (x) => fuse((x: Variable) => x)(x)],
  ["an own Function that passes the gradient on", 1, (x) => new PassOn().call(x)],
  ["an own Function of a Kernel", 1, (x) => new Doubled().call(x)],
  ["an own Function that gives a view", 2, (x) => new View().call(x)],
  ["an own Function made of others", 3, (x) => new Cube().call(x)],
];

describe.each(functions)("behind two times %s", (_, arrays, f) => {
  const steps = 10;
  const gradients = (w: Variable): { onTheWay: Variable[]; loss: Variable } => {
    const a = w.mul(2);
    const b = f(a);
    const c = f(b);
    const loss = sum(square(c));
    loss.backward();
    return { onTheWay: [a, b, c], loss };
  };

  test("unseen: nothing stays", () => {
    const w = vector();
    const step = (): void => {
      gradients(w).loss.dispose();
      w.clearGrad();
    };
    expect(growth(step, steps)).toBe(0);
  });

  test("those beside it are cleared: it is there", async () => {
    const { onTheWay, loss } = gradients(vector());
    const [a, b, c] = onTheWay as [Variable, Variable, Variable];
    a.clearGrad();
    c.clearGrad();
    expect(await firstOf(b.grad!)).not.toBe(0);
    expect(await firstOf(loss.grad!)).toBe(1);
  });

  test.each([0, 1, 2])("looked at: the gradient of number %i stays, and can be read", async (k) => {
    const w = vector();
    const step = (): Variable => {
      const { onTheWay, loss } = gradients(w);
      const gradient = onTheWay[k]!.grad!;
      loss.dispose();
      w.clearGrad();
      return gradient;
    };
    expect(growth(step, steps) / (steps - 1)).toBeLessThanOrEqual(arrays);
    const { onTheWay, loss } = gradients(w);
    const held = onTheWay[k]!.grad!;
    const before = await firstOf(held);
    loss.dispose();
    noGrad(() => held.mul(2)).dispose();
    w.clearGrad();
    w.assign(new Float32Array(n));
    expect(await firstOf(held)).toBe(before);
    expect(before).not.toBe(0);
  });
});

test("a gradient to start from that was computed goes with what had it", () => {
  const [w, c] = [vector(), vector(0.25, false)];
  const step = (): void => {
    const y = new View().call(w);
    y.grad = c.mul(2).reshape([2, n / 2]);
    y.backward();
    w.clearGrad();
    y.dispose();
  };
  expect(growth(step, 10)).toBe(0);
});
