/** Whose exp, sin and so on a user's source calls, with exact math and with native math. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { add, elementwise, exp, fuse, grad, init, mul, sin, Variable, type Operand } from "../../src/index.js";
import { gradOf } from "../reference/numbers.js";

// Where the driver's sine and exponential function are far from gpugrad's.
const xs = [0.7, 20.1, 58.3, 80.7].map(Math.fround);
const leaf = (): Variable => new Variable(xs, { requiresGrad: true });

const values = async (f: (x: Variable) => Variable): Promise<number[]> => [...(await f(leaf()).read())];

async function slopes(f: (x: Variable) => Variable): Promise<number[]> {
  const x = leaf();
  f(x).backward();
  return gradOf(x);
}

const curvatures = (f: (x: Variable) => Variable): Promise<number[]> => values(grad(grad((x) => f(x).sum())));

const always = elementwise<[Operand]>("fn always_forward(x: f32) -> f32 { return math_sin(x) + math_exp(0.5 * x); }");
const chosen = elementwise<[Operand]>("fn chosen_forward(x: f32) -> f32 { return sin(x) + exp(0.5 * x); }");
const builtIn = (x: Variable): Variable => add(sin(x), exp(mul(x, 0.5)));
const byHand = elementwise<[Operand]>(`
  fn hand_forward(x: f32) -> f32 { return math_sin(x) + math_exp(0.5 * x); }
  fn hand_backward(x: f32, gy: f32) -> f32 { return gy * (math_cos(x) + 0.5 * math_exp(0.5 * x)); }`);
const vectors = elementwise<[Operand]>("fn vectors_forward(x: f32) -> f32 { return dot(sin(vec2f(x)), vec2f(0.5)); }");

const orders = [values, slopes, curvatures];

describe("in an own source", () => {
  let exact: number[][] = [];
  let native: number[][] = [];

  beforeAll(async () => {
    await init({ math: "exact" });
    exact = await Promise.all(orders.map((of) => of(builtIn)));
    await init({ math: "native" });
    native = await Promise.all(orders.map((of) => of(builtIn)));
  });

  afterAll(async () => {
    await init({ math: "exact" });
  });

  test("exact and native math differ here, so that it shows whose it is", () => {
    exact.forEach((numbers, k) => {
      expect(numbers).not.toEqual(native[k]);
    });
  });

  for (const math of ["exact", "native"] as const) {
    describe(`with ${math} math`, () => {
      beforeAll(async () => {
        await init({ math });
      });

      test("math_sin and math_exp are gpugrad's, and so are their derivatives of any order", async () => {
        for (const [k, of] of orders.entries()) expectNear(await of(always), exact[k]);
        expectNear(await slopes(byHand), exact[1]);
      });

      test("sin and exp are those of the mode, and so are their derivatives", async () => {
        const wanted = math === "exact" ? exact : native;
        for (const [k, of] of orders.entries()) expectNear(await of(chosen), wanted[k]);
        expectNear(await values(vectors), await values(sin));
      });

      test("both stand in one shader, fused", async () => {
        const wanted = math === "exact" ? exact : native;
        const fused = fuse((x: Variable) => mul(always(x), 0.5).add(mul(builtIn(x), 0.5)));
        for (const [k, of] of orders.entries()) {
          expectNear(
            await of(fused),
            exact[k]?.map((value, i) => value / 2 + (wanted[k]?.[i] ?? NaN) / 2),
          );
        }
      });

      test("variables called as gpugrad's functions stand for themselves", async () => {
        const shadows = elementwise(`
          fn shadows_part(/* math_sin */ math_sin: f32) -> f32 { return sin(math_sin) + math_exp(0.5 * math_sin); }
          fn shadows_forward(x: f32) -> f32 {
            const math_two = 2;
            var math_exp: array<f32, math_two>;
            math_exp[1] = exp(0.5 * x);
            { let math_exp = sin(x); let math_cos = cos(x) + math_exp; let all = exp(math_cos); }
            for (var math_exact_exp = 0; math_exact_exp < math_two; math_exact_exp++) { math_exp[0] += exp(0.0); }
            return math_exp[1] + shadows_part(x) - exp(0.5 * x) + 0.0 * math_exp[0];
          }`);
        // What is written without math_ is added and taken away again.
        const plain = elementwise("fn plain_forward(x: f32) -> f32 { return sin(x) + math_exp(0.5 * x); }");
        for (const of of orders) expectNear(await of(shadows), await of(plain));
      });
    });
  }

  test("the shown gradient has the functions as a user writes them", async () => {
    const shown = elementwise("fn shown_forward(x: f32) -> f32 { return sin(x) * math_sin(x); }").gradient ?? "";
    expect(shown).toContain("(cos(x) *");
    expect(shown).toContain("* math_cos(x)");
    expect(shown).not.toContain("exact");
    await init({ math: "native" });
    const copied = elementwise<[Operand]>(`${always.wgsl}\n${always.gradient}`);
    expectNear(await slopes(copied), exact[1]);
  });
});

/** Within what contraction and the order of a sum change. */
function expectNear(found: readonly number[], wanted: readonly number[] = []): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, k) => {
    const at = wanted[k] ?? NaN;
    expect(Math.abs(value - at), `element ${k}: ${value}, ${at}`).toBeLessThanOrEqual(2e-7 * Math.max(Math.abs(at), 1));
  });
}
