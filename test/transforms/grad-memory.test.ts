/** What grad and valueAndGrad compute on the way goes with what they give, also where the gradient has a graph. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  exp,
  Function,
  fuse,
  grad,
  GpuArray,
  init,
  noGrad,
  sin,
  square,
  sum,
  valueAndGrad,
  Variable,
} from "../../src/index.js";
import { growth, n, vector } from "../reference/growth.js";
import { firstOf } from "../reference/numbers.js";
import { Cube } from "../reference/cube.js";
import { collect } from "../trouble.js";

beforeAll(async () => {
  await init();
});

beforeEach(collect);

/** Its backward leaves the gradient that it gets aside. */
class Constant extends Function {
  override forward(x: GpuArray) {
    return square(x);
  }
  override backward() {
    return exp(this.input);
  }
}

const disposeAll = (variables: readonly Variable[]): void => {
  for (const variable of variables) variable.dispose();
};
const model = (x: Variable, w: Variable): Variable => sin(x.mul(w)).mul(w).add(exp(w));

describe("a leaf that f uses from outside: 50 steps leave nothing", () => {
  const raw = new Float32Array(n).fill(2);
  const cases: [string, (w: Variable, c: Variable) => void][] = [
    ["one product", (w, c) => grad((x) => sum(square(x.mul(w))))(c).dispose()],
    ["a longer way", (w, c) => grad((x) => sum(square(exp(sin(x.mul(w))))))(c).dispose()],
    ["a result of several elements", (w, c) => grad((x) => square(exp(x.mul(w))))(c).dispose()],
    ["a gradient that is computed from the leaf alone", (w, c) => grad((x) => sum(x.mul(exp(w))))(c).dispose()],
    ["a gradient that doesn't depend on it", (w, c) => grad((x) => sum(square(x).add(exp(w))))(c).dispose()],
    ["an argument that is ignored", (w, c) => grad(() => sum(square(exp(w))))(c).dispose()],
    ["a number", (w) => grad((x) => sum(square(x.mul(w))))(3).dispose()],
    ["data", (w) => grad((x) => sum(square(x.mul(w))))(raw).dispose()],
    ["two arguments", (w, c) => disposeAll(grad((x, y) => sum(square(x.mul(w)).mul(y)), { argnums: [0, 1] })(c, 2))],
    ["the leaf as an argument, too", (w) => grad((x) => sum(square(x.mul(w))))(w).dispose()],
    ["value and gradient", (w, c) => disposeAll(valueAndGrad((x) => sum(square(x.mul(w))))(c))],
    [
      "gradient, then value",
      (w, c) => {
        const [value, gradient] = valueAndGrad((x) => sum(square(x.mul(w))))(c);
        gradient.dispose();
        value.dispose();
      },
    ],
    ["grad of grad", (w, c) => grad(grad((x) => x.mul(w).mul(x).mul(x)))(c).dispose()],
    ["the third derivative", (w, c) => grad(grad(grad((x) => sum(exp(x.mul(w))))))(c).dispose()],
    [
      "a Hessian's product with a vector",
      (w, c) => grad((x) => sum(grad((y) => sum(exp(y.mul(w))))(x).mul(c)))(c).dispose(),
    ],
    ["a fused function", (w, c) => grad(grad(fuse((x: Variable) => square(exp(x.mul(w))))))(c).dispose()],
    ["an own Function", (w, c) => grad((x) => sum(new Cube().call(x.mul(w))))(c).dispose()],
    [
      "an own Function that takes no gradient",
      (w, c) => grad((x) => sum(new Constant().call(exp(x.mul(w)))))(c).dispose(),
    ],
    ["noGrad in f", (w, c) => grad((x) => sum(square(x.mul(w)).mul(noGrad(() => exp(w)))))(c).dispose()],
    ["inside of noGrad", (w, c) => disposeAll(noGrad(() => valueAndGrad((x) => sum(square(x.mul(w))))(c)))],
    [
      "a loss made of derivatives, and an update",
      (w, c) => {
        const [u, slope] = valueAndGrad((x) => model(x, w))(c);
        const loss = sum(square(slope.sub(u)));
        loss.backward();
        loss.dispose();
        w.update((w, g) => w.sub(g.mul(0.001)), w.grad);
      },
    ],
    [
      "a loss of second derivatives, and an update",
      (w, c) => {
        const loss = sum(square(grad(grad((x) => model(x, w)))(c)));
        loss.backward({ retainGrad: false });
        loss.dispose();
        w.update((w, g) => w.sub(g.mul(0.001)), w.grad);
      },
    ],
    [
      "an argument that is updated before the gradient goes",
      (w, c) => {
        const gradient = grad((x) => sum(square(x.mul(w))))(c);
        c.update((c, g) => c.sub(g.mul(0.001)), gradient);
        gradient.dispose();
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

  test("and createGraph with two leaves, of which one gradient is used", () => {
    const [w, v] = [vector(), vector(0.25)];
    const loop = (): void => {
      const loss = sum(new Constant().call(exp(w.mul(v))));
      loss.backward({ createGraph: true, retainGrad: false });
      const penalty = sum(square(w.grad!));
      w.clearGrad();
      v.clearGrad();
      penalty.backward({ retainGrad: false });
      w.clearGrad();
      v.clearGrad();
      penalty.dispose();
      loss.dispose();
    };
    expect(growth(loop, 50)).toBe(0);
  });
});

describe("what is still held stays", () => {
  test("the gradient, and its own graph, when the value was disposed; and the other way round", async () => {
    const [w, c] = [vector(), vector(0.25, false)];
    const f = valueAndGrad((x) => sum(square(x.mul(w)).mul(x)));
    const [v0, g0] = f(c);
    v0.dispose();
    expect(await firstOf(g0)).toBeCloseTo(3 * 0.25 ** 2 * 0.25, 6);
    sum(g0).backward();
    expect(await firstOf(w.grad!)).toBeCloseTo(6 * 0.25 ** 2 * 0.5, 6);
    w.clearGrad();
    const [v1, g1] = f(c);
    g1.dispose();
    v1.backward();
    expect(await firstOf(w.grad!)).toBeCloseTo(2 * 0.5 * 0.25 ** 3, 6);
  });

  test("what f computed and its argument are read after all of it was disposed", async () => {
    for (const outer of [vector(), 0.5]) {
      const c = vector(0.25, false);
      let inside: Variable[] = [];
      const f = valueAndGrad((x) => {
        const y = square(x).mul(outer);
        inside = [x, y];
        return sum(exp(y));
      });
      const results = f(c);
      expect(await firstOf(inside[1]!)).toBe(0.03125);
      disposeAll(results);
      expect(await firstOf(inside[0]!)).toBe(0.25);
      disposeAll(f(c));
      expect(await firstOf(inside[1]!)).toBe(0.03125);
      disposeAll(f(c));
      c.assign(new Float32Array(n));
      await expect(inside[0]!.read()).rejects.toThrow(/can't be computed again since .* was changed in place/);
      await expect(inside[1]!.read()).rejects.toThrow(/can't be computed again since .* was changed in place/);
    }
  });

  test("what is held by keep() in f outlives all of it", async () => {
    const [w, c] = [vector(), vector(0.25, false)];
    let inside: Variable[] = [];
    const f = grad((x) => {
      const y = square(x.keep()).mul(w).keep();
      inside = [x, y];
      return sum(exp(y));
    });
    f(c).dispose();
    c.assign(new Float32Array(n));
    expect([await firstOf(inside[0]!), await firstOf(inside[1]!)]).toEqual([0.25, 0.03125]);
  });

  test("what an own backward keeps of a gradient that nobody needs", async () => {
    const kept: Variable[] = [];
    class Keeping extends Function {
      override forward(x: GpuArray, y: GpuArray) {
        return square(x).mul(y);
      }
      override backward(gy: Variable) {
        const [x, y] = this.inputs as [Variable, Variable];
        const ofY = square(x).mul(gy);
        kept.push(ofY);
        return [x.mul(y).mul(2).mul(gy), ofY];
      }
    }
    const [w, c] = [vector(), vector(0.25, false)];
    const gradient = grad((x) => sum(new Keeping().call(x, w)))(c);
    gradient.dispose();
    expect(await firstOf(kept[0]!)).toBe(0.0625);
  });

  test("data that an intermediate was computed from, in a graph that was disposed", async () => {
    const [w, raw] = [vector(), new Float32Array(n).fill(2)];
    const y = w.mul(raw);
    sum(square(y)).dispose();
    expect(await firstOf(y)).toBe(1);
  });
});
