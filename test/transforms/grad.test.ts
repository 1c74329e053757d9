/** grad and valueAndGrad: functions of functions, which nest. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  ArgumentError,
  grad,
  init,
  noGrad,
  ShapeError,
  valueAndGrad,
  Variable,
  type Differentiable,
} from "../../src/index.js";
import { expectClose, gradOf, variable } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const cube: Differentiable = (x) => x.mul(x).mul(x);

describe("grad", () => {
  test("is the slope as a function", async () => {
    const slope = grad(cube);
    expect(await slope(2).item()).toBe(12);
    expect([...(await slope([1, 2, 3]).read())]).toEqual([3, 12, 27]);
    expect([...(await slope(new Variable([[1], [2]])).read())]).toEqual([3, 12]);
    expect(slope(new Variable([[1], [2]])).shape).toEqual([2, 1]);
    expect([...(await slope(Float32Array.of(-1)).read())]).toEqual([3]);
  });

  test("nests: the second and third derivative of x³ are 6x and 6", async () => {
    expect(await grad(grad(cube))(2).item()).toBe(12);
    expect(await grad(grad(grad(cube)))(2).item()).toBe(6);
    expect(await grad(grad(grad(grad(cube))))(2).item()).toBe(0);
  });

  test("takes the gradient of the sum where the result has several elements", async () => {
    const slope = grad((x) => x.mul([1, 10, 100]));
    expect([...(await slope(2).read())]).toEqual([111]);
  });

  test("sees what the function uses from outside: grad by y of grad by x of x y", async () => {
    const mixed = grad((y) => grad((x) => x.mul(y))(3));
    expect(await mixed(2).item()).toBe(1);
    const deeper = grad((y) => grad((x) => x.square().mul(y.pow(3)))(3).mul(y));
    // d/dy (2 · 3 · y⁴) = 24 y³
    expectClose(await deeper(2).read(), [192], 1e-6);
  });

  test("does not confuse an inner argument with an outer one (perturbation confusion)", async () => {
    // d/dx (x · d/dy (x + y) at 1) at 1 = 1
    const slope = grad((x) => x.mul(grad((y) => x.add(y))(1)));
    expect(await slope(1).item()).toBe(1);
    // d/dx (x · d/dy (x y) at x) = d/dx x² = 2x
    expect(await grad((x) => x.mul(grad((y) => x.mul(y))(x)))(3).item()).toBe(6);
    // The inner function is differentiated by its argument alone, though both are x.
    expect(await grad((x) => grad((y) => y.mul(y).mul(x))(x))(3).item()).toBe(12);
  });

  test("by argnums: one, several in their order, negative ones", async () => {
    const f: Differentiable = (a, b, c) => a.mul(b).mul(c);
    const args = [2, 3, 5];
    expect(await grad(f, { argnums: 1 })(...args).item()).toBe(10);
    expect(await grad(f, { argnums: -1 })(...args).item()).toBe(6);
    const both = grad(f, { argnums: [2, 0] })(...args);
    expect(await Promise.all(both.map((slope) => slope.item()))).toEqual([6, 15]);
    const mixed = grad(f, { argnums: [-1, 1] })(...args);
    expect(await Promise.all(mixed.map((slope) => slope.item()))).toEqual([6, 10]);
    expect(grad(f, { argnums: [] })(...args)).toEqual([]);
  });

  test("refuses argnums that aren't there or twice there, and what is no function", () => {
    const f: Differentiable = (a, b) => a.mul(b);
    for (const argnums of [2, -3, 0.5, [0, 0], [0, -2], [7]]) {
      expect(() => grad(f, { argnums })(1, 2), String(argnums)).toThrow(ShapeError);
    }
    expect(() => grad(f)()).toThrow(ShapeError);
    expect(() => grad(f, { argnums: "0" as unknown as number })(1, 2)).toThrow(ArgumentError);
    for (const wrong of [null, 3, {}, "x"]) {
      expect(() => grad(wrong as unknown as Differentiable)).toThrow(ArgumentError);
      expect(() => valueAndGrad(wrong as unknown as Differentiable)).toThrow(ArgumentError);
    }
  });

  test("refuses a function whose result is no Variable, and says what it gave", () => {
    for (const [result, word] of [
      [3, /not 3/],
      [undefined, /not undefined/],
      [[new Variable(1)], /not an array/],
      [Promise.resolve(new Variable(1)), /not a Promise: is there an await missing/],
    ] as const) {
      const wrong = (() => result) as unknown as Differentiable;
      expect(() => grad(wrong)(1)).toThrow(ArgumentError);
      expect(() => grad(wrong)(1)).toThrow(word);
    }
  });

  test("is zero where the function doesn't use the argument, or loses the graph", async () => {
    expect([...(await grad((_a, b) => b.mul(2))([1, 2, 3], 1).read())]).toEqual([0, 0, 0]);
    expect(await grad(() => new Variable(7))(1).item()).toBe(0);
    expect(await grad((x) => x.detach())(1).item()).toBe(0);
    expect(await grad((x) => x.greater(0))(1).item()).toBe(0);
    expect(await grad(grad((x) => x.mul(3)))(1).item()).toBe(0);
    expect(await grad((x) => x)(5).item()).toBe(1);
  });

  test("leaves the grads of its arguments, and of what the function uses, alone", async () => {
    const x = new Variable(3);
    const w = new Variable(5);
    const slope = grad((v) => v.mul(v).mul(w))(x);
    expect(await slope.item()).toBe(30);
    expect(x.grad).toBeNull();
    expect(w.grad).toBeNull();
  });

  test("an error in the function comes through, and changes nothing", async () => {
    const failing = grad(() => {
      throw new Error("mine");
    });
    expect(() => failing(1)).toThrow("mine");
    expect(await grad(cube)(2).item()).toBe(12);
    expect(new Variable(1).square().creator).not.toBeNull();
  });
});

describe("grad and backward() together", () => {
  test("a gradient is a Variable: backward goes through it to arguments and to what the function used", async () => {
    const x = new Variable(3);
    const w = new Variable(5);
    const slope = grad((v) => v.pow(3).mul(w))(x);
    slope.backward();
    // slope = 3 x² w
    expectClose(await gradOf(x), [90], 1e-6);
    expectClose(await gradOf(w), [27], 1e-6);
  });

  test("the value too", async () => {
    const x = new Variable([1, 2]);
    const [value, slope] = valueAndGrad((v) => v.square().sum())(x);
    expect(await value.item()).toBe(5);
    expect([...(await slope.read())]).toEqual([2, 4]);
    value.add(slope.sum()).backward();
    expect(await gradOf(x)).toEqual([4, 6]);
  });

  test("backward inside of the function's own graph adds up with it", async () => {
    const x = new Variable(2);
    const y = x.mul(x);
    const slope = grad((v) => v.mul(y))(4);
    // slope = y = x²
    expect(await slope.item()).toBe(4);
    slope.backward();
    expect(await gradOf(x)).toEqual([4]);
  });

  test("under noGrad the gradient is right, and has no graph", async () => {
    const x = new Variable(2);
    const slope = noGrad(() => grad(cube)(x));
    expect(await slope.item()).toBe(12);
    expect(slope.creator).toBeNull();
    expect(await noGrad(() => grad(grad(cube))(x)).item()).toBe(12);
  });

  test("arguments that are numbers leave no graph behind", () => {
    expect(grad(cube)(2).creator).toBeNull();
    expect(valueAndGrad(cube)([1, 2])[1].requiresGrad).toBe(false);
  });
});

describe("valueAndGrad", () => {
  test("gives what the function gives, and its gradient", async () => {
    const [value, slope] = valueAndGrad(cube)(2);
    expect(await value.item()).toBe(8);
    expect(await slope.item()).toBe(12);
    const [product, slopes] = valueAndGrad((a, b) => a.mul(b), { argnums: [0, 1] })(2, [3, 4]);
    expect([...(await product.read())]).toEqual([6, 8]);
    expect([...((await slopes[0]?.read()) ?? [])]).toEqual([7]);
    expect([...((await slopes[1]?.read()) ?? [])]).toEqual([2, 2]);
  });

  test("nests in grad", async () => {
    const curvature = grad((x) => valueAndGrad(cube)(x)[1]);
    expect(await curvature(2).item()).toBe(12);
  });
});

describe("Hessian-vector products", () => {
  // f = Σ x³ + (Σ x)²: its Hessian is 6 diag(x) + 2.
  const f: Differentiable = (x) => x.pow(3).sum().add(x.sum().square());
  const numbers = [0.5, -1, 2];
  const direction = [1, -2, 0.5];
  const total = direction.reduce((a, b) => a + b, 0);
  const expected = numbers.map((x, i) => 6 * x * (direction[i] ?? NaN) + 2 * total);

  test("by grad of grad · v", async () => {
    const product = grad((x) => grad(f)(x).mul(direction).sum());
    expectClose(await product(numbers).read(), expected, 1e-6);
  });

  test("by backward through grad", async () => {
    const x = new Variable(numbers);
    f(x).backward({ createGraph: true });
    const slope = x.grad ?? new Variable(NaN);
    x.clearGrad();
    slope.mul(direction).sum().backward();
    expectClose(await gradOf(x), expected, 1e-6);
  });

  test("the whole Hessian, row by row, is symmetric", async () => {
    const h: Differentiable = (x) => x.exp().mul(x.sum().tanh()).sum();
    const x = variable([3], [-0.5, 0.5]);
    const rows = await Promise.all(
      [0, 1, 2].map(async (k) => {
        const unit = [0, 0, 0];
        unit[k] = 1;
        return [...(await grad((v) => grad(h)(v).mul(unit).sum())(x).read())];
      }),
    );
    rows.forEach((row, i) => {
      expectClose(
        row,
        rows.map((other) => other[i] ?? NaN),
        1e-5,
      );
    });
    expect(Math.abs(rows[0]?.[1] ?? 0)).toBeGreaterThan(0.1);
  });

  test("a mixed one, of several arguments", async () => {
    // d/db of (d/da (a² b³)) · v = 2a · 3b² · v
    const product = grad((b) => grad((a) => a.square().mul(b.pow(3)))(2).mul(10))(3);
    expectClose(await product.read(), [10 * 4 * 27], 1e-6);
    expectClose(await g.mul(product, 1).read(), [1080], 1e-6);
  });
});
