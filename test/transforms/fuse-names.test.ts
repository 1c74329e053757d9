/** Functions of the same name in one fused function: each is itself. */
import { beforeAll, describe, expect, test } from "vitest";
import { elementwise, fuse, grad, init, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const own = (name: string, body: string, rest = ""): ((x: Variable) => Variable) =>
  elementwise<[x: Variable]>(`${rest}\nfn ${name}_forward(x: f32) -> f32 { return ${body}; }`);

type Unary = (x: Variable) => Variable;

describe("a fused function gives what the same gives unfused, to order 3", () => {
  const cube = own("f", "x * x * x");
  const cases: [string, Unary][] = [
    ["of two that are called the same", (x) => own("f", "x * x")(x).mul(cube(x))],
    [
      "of three, with helpers that are called the same",
      (x) => {
        const parts = ["1.0", "2.0", "3.0"].map((k) =>
          own("g", "g_part(x) * x", `fn g_part(x: f32) -> f32 { return ${k} * x; }`)(x),
        );
        return parts.reduce((a, b) => a.mul(b));
      },
    ],
    ["of one that is called as another's derivative", (x) => cube(x).mul(own("f_by_x", "sin(x)")(x))],
    ["of one that is called as its second derivative", (x) => cube(x).mul(own("f_by_x_by_x", "cos(x)")(x))],
    [
      "where the name to go to is taken, too",
      (x) => cube(x).mul(own("f", "x + 1.0")(x)).mul(own("f_v2", "x + 2.0")(x)),
    ],
  ];
  test.each(cases)("%s", async (_, f) => {
    const fused = fuse(f);
    const orders = (g: Unary): Unary[] => {
      const first = grad(g) as Unary;
      const second = grad((x: Variable) => first(x).sum()) as Unary;
      return [g, first, second, grad((x: Variable) => second(x).sum())];
    };
    const sums = (g: Unary): Unary[] => orders((x) => g(x).sum());
    const numbers = [0.3, -0.7, 1.9];
    for (const [k, unfused] of sums(f).entries()) {
      const [want, found] = await Promise.all(
        [unfused, sums(fused)[k] ?? f].map((g) => g(new Variable(numbers)).read()),
      );
      found?.forEach((value, i) => {
        expect(Math.abs(value / (want?.[i] ?? NaN) - 1), `order ${k}`).toBeLessThan(1e-5);
      });
    }
  });

  test("and numbers are those of the closed form", async () => {
    // x³ sin x: its second derivative is 6x sin x + 6x² cos x - x³ sin x.
    const f = fuse((x: Variable) => cube(x).mul(own("f_by_x", "sin(x)")(x)));
    const first = grad((x: Variable) => f(x).sum()) as Unary;
    const second = grad((x: Variable) => first(x).sum()) as Unary;
    const x = 1.3;
    const want = 6 * x * Math.sin(x) + 6 * x * x * Math.cos(x) - x ** 3 * Math.sin(x);
    expect((await second(new Variable([x])).read())[0]).toBeCloseTo(want, 4);
  });
});
