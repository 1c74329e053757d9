/** Values that others have published: micrograd's tests, DeZero's steps, textbooks. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { grad, init, noGrad, Variable } from "../../src/index.js";
import { expectClose, gradOf } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

describe("micrograd's tests (test/test_engine.py), with PyTorch's results", () => {
  test("test_sanity_check: y = -20, its gradient 46", async () => {
    const x = new Variable(-4);
    const z = g.mul(2, x).add(2).add(x);
    const q = z.relu().add(z.mul(x));
    const h = z.mul(z).relu();
    const y = h.add(q).add(q.mul(x));
    y.backward();
    expect(await y.item()).toBe(-20);
    expect(await gradOf(x)).toEqual([46]);
  });

  // micrograd's README publishes 24.7041, 138.8338 and 645.5773 of
  // PyTorch's float64; the digits beyond are from e = -7, g = e²/2 + 10/e² and dg/de = e - 20/e³, which is exact algebra.
  test("test_more_ops: g = 2421/98, its gradients 138.8338… and 645.5773…", async () => {
    const a = new Variable(-4);
    const b = new Variable(2);
    let c = a.add(b);
    let d = a.mul(b).add(b.pow(3));
    c = c.add(c.add(1));
    c = c.add(g.add(1, c).add(a.neg()));
    d = d.add(d.mul(2).add(b.add(a).relu()));
    d = d.add(g.mul(3, d).add(b.sub(a).relu()));
    const e = c.sub(d);
    const f = e.pow(2);
    let y = f.div(2);
    y = y.add(g.div(10, f));
    y.backward();
    expectClose(await y.read(), [24.70408163265306], 1e-6);
    expectClose(await gradOf(a), [138.8338192419825], 1e-6);
    expectClose(await gradOf(b), [645.5772594752186], 1e-6);
  });
});

describe("DeZero's test functions, at (1, 1)", () => {
  test.each<[string, (x: Variable, y: Variable) => Variable, number, [number, number]]>([
    ["Sphere", (x, y) => x.pow(2).add(y.pow(2)), 2, [2, 2]],
    ["Matyas", (x, y) => g.mul(0.26, x.pow(2).add(y.pow(2))).sub(g.mul(0.48, x).mul(y)), 0.04, [0.04, 0.04]],
    ["Goldstein-Price", goldsteinPrice, 1876, [-5376, 8064]],
  ])("%s", async (name, f, value, slopes) => {
    const x = new Variable(1);
    const y = new Variable(1);
    const z = f(x, y);
    z.backward();
    // Matyas is a small difference: its terms are 0.52 and 0.48.
    const absolute = name === "Matyas" ? 1.2e-7 : 0;
    expectClose(await z.read(), [value], 1e-6, absolute);
    expectClose(await gradOf(x), [slopes[0]], 1e-6, absolute);
    expectClose(await gradOf(y), [slopes[1]], 1e-6, absolute);
  });
});

function goldsteinPrice(x: Variable, y: Variable): Variable {
  const sum = x.add(y).add(1).pow(2);
  const first = g.sub(19, x.mul(14)).add(x.pow(2).mul(3)).sub(y.mul(14)).add(x.mul(y).mul(6)).add(y.pow(2).mul(3));
  const difference = x.mul(2).sub(y.mul(3)).pow(2);
  const second = g.sub(18, x.mul(32)).add(x.pow(2).mul(12)).add(y.mul(48)).sub(x.mul(y).mul(36)).add(y.pow(2).mul(27));
  return sum.mul(first).add(1).mul(difference.mul(second).add(30));
}

describe("Newton's method on x⁴ - 2x² from 2 (DeZero's step 33)", () => {
  // DeZero prints these.
  const published = [
    2, 1.4545454545454546, 1.1510467893775467, 1.0253259289766978, 1.0009084519430513, 1.0000012353089454,
    1.000000000002289, 1,
  ];
  const f = (x: Variable): Variable => x.pow(4).sub(x.pow(2).mul(2));

  test("with createGraph, step by step", async () => {
    const x = new Variable(2);
    let at = 2;
    for (const expected of published) {
      expectClose([at], [expected], 1e-6);
      const here = new Variable(at);
      f(here).backward({ createGraph: true });
      const slope = here.grad ?? x;
      here.clearGrad();
      slope.backward();
      const [first, [second = NaN]] = [await slope.item(), await gradOf(here)];
      at = Math.fround(at - first / second);
    }
    expect(at).toBe(1);
  });

  test("with grad(grad(f)), on the GPU alone, from many points at once", async () => {
    let x = new Variable([2, 1.5, 3, -2]);
    for (let step = 0; step < 12; step++) {
      const at = x;
      x = noGrad(() => at.sub(grad(f)(at).div(grad(grad(f))(at))));
    }
    expect([...(await x.read())]).toEqual([1, 1, 1, -1]);
  });
});

describe("derivatives of tanh", () => {
  const points = [-2, -0.7, 0, 0.3, 1, 1.9];
  // In t = tanh x; each is the one before, differentiated by t, times 1 - t².
  const closed: ((t: number) => number)[] = [
    (t) => 1 - t ** 2,
    (t) => -2 * t + 2 * t ** 3,
    (t) => -2 + 8 * t ** 2 - 6 * t ** 4,
    (t) => 16 * t - 40 * t ** 3 + 24 * t ** 5,
    (t) => 16 - 136 * t ** 2 + 240 * t ** 4 - 120 * t ** 6,
  ];
  const expected = closed.map((derivative) => points.map((x) => derivative(Math.tanh(Math.fround(x)))));

  test("the first five, with createGraph", async () => {
    const x = new Variable(points);
    let y = x.tanh();
    for (const derivative of expected) {
      x.clearGrad();
      y.backward({ createGraph: true });
      y = x.grad ?? new Variable(NaN);
      expectClose(await y.read(), derivative, 1e-6, 2e-5);
    }
  });

  test("the first five, by nesting grad", async () => {
    let f = (x: Variable): Variable => x.tanh();
    for (const derivative of expected) {
      const slope = grad(f);
      f = (x) => slope(x);
      expectClose(await f(new Variable(points)).read(), derivative, 1e-6, 2e-5);
    }
  });
});

describe("Rosenbrock, 100 (y - x²)² + (1 - x)²", () => {
  const rosenbrock = (x: Variable, y: Variable): Variable => y.sub(x.pow(2)).pow(2).mul(100).add(g.sub(1, x).pow(2));

  test("its gradient at (0, 2) is (-2, 400), as DeZero has it", async () => {
    const [x, y] = [new Variable(0), new Variable(2)];
    rosenbrock(x, y).backward();
    expect(await gradOf(x)).toEqual([-2]);
    expect(await gradOf(y)).toEqual([400]);
  });

  const rate = 0.001;
  const descended = (steps: number): [number, number] => {
    let [x, y] = [0, 2];
    for (let step = 0; step < steps; step++) {
      const slope = y - x * x;
      const gx = -400 * x * slope - 2 * (1 - x);
      [x, y] = [x - rate * gx, y - rate * 200 * slope];
    }
    return [x, y];
  };

  test("gradient descent from (0, 2) goes where it goes in float64, towards (1, 1)", async () => {
    // DeZero's step 28, after 10,000 steps.
    expectClose(descended(10_000), [0.9944984367782456, 0.9890050527419593], 1e-10);
    let [x, y] = [new Variable(0), new Variable(2)];
    let start = NaN;
    for (let step = 0; step < 1000; step++) {
      const value = rosenbrock(x, y);
      if (step === 0) start = await value.item();
      value.backward({ retainGrad: false });
      [x, y] = noGrad(() => [stepFrom(x), stepFrom(y)]);
      value.unchain();
    }
    expect(start).toBe(401);
    expectClose([await x.item(), await y.item()], descended(1000), 1e-4);
  });

  function stepFrom(v: Variable): Variable {
    return new Variable(v.sub(g.mul(v.grad ?? NaN, rate)).data);
  }
});
