/** What has no gradient in a function, by noGrad, detach() or a comparison, has none where the function is fused. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { exp, findNonFinite, fuse, grad, greater, init, mul, noGrad, sum, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

type Unary = (x: Variable) => Variable;

const held: Record<string, Unary> = {
  "noGrad(() => exp(x))": (x) => x.mul(noGrad(() => exp(x))),
  "exp(x).detach()": (x) => x.mul(exp(x).detach()),
  "exp(x.detach())": (x) => x.mul(exp(x.detach())),
};

const nested: Record<string, (f: Unary) => Unary> = {
  fused: (f) => fuse(f),
  "fused in a fused function": (f) => {
    const inner = fuse(f);
    return fuse((x) => inner(x));
  },
  "fused three deep": (f) => {
    const inner = fuse(f);
    const middle = fuse((x) => inner(x).mul(1));
    return fuse((x) => middle(x).add(0));
  },
};

/** The gradient of `f` at `at`, by a pass, and its derivative once more. */
async function gradients(f: Unary, at: readonly number[]): Promise<number[][]> {
  const x = new Variable([...at]);
  sum(f(x)).backward();
  const once = grad((v: Variable) => f(v));
  const graph = new Variable([...at]);
  sum(f(graph)).backward({ createGraph: true });
  const second = grad((v: Variable) => sum(once(v)));
  return [
    [...((await x.grad?.read()) ?? [])],
    [...(await once(new Variable([...at])).read())],
    [...((await graph.grad?.read()) ?? [])],
    [...(await second(new Variable([...at])).read())],
  ];
}

describe.each(Object.entries(nested))("%s", (_, wrap) => {
  test.each(Object.entries(held))("x times %s has the gradient exp(x), and a second one of 0", async (_name, f) => {
    const [pass, once, graph, second] = await gradients(wrap(f), [0.5, -1]);
    const expected = [Math.exp(0.5), Math.exp(-1)];
    for (const found of [pass, once, graph]) {
      found?.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[k] ?? NaN, 5);
      });
      expect(found).toHaveLength(2);
    }
    expect(second).toEqual([0, 0]);
  });

  test("a comparison has none either", async () => {
    const f: Unary = (x) => x.mul(greater(x, 0)).mul(x);
    const [pass] = await gradients(wrap(f), [3, -1]);
    expect(pass?.map((value) => value + 0)).toEqual([6, 0]);
  });
});

test("a result that is all detached has no gradient, fused or not", () => {
  const x = new Variable([1, 2]);
  expect(fuse((v: Variable) => v.mul(2).detach())(x).requiresGrad).toBe(false);
  expect(fuse((v: Variable) => v.detach())(x).requiresGrad).toBe(false);
});

test("detach() of a Variable from outside would keep its numbers: it is refused, and detached before it is read", async () => {
  const w = new Variable([2, 3]);
  expect(() => fuse((x: Variable) => x.mul(w.detach()))(new Variable([1, 1]))).toThrow(/detach it before/);
  const constant = w.detach();
  const f = fuse((x: Variable) => x.mul(constant));
  expect([...(await f([1, 1]).read())]).toEqual([2, 3]);
});

test("what made a NaN is found behind a detached part", async () => {
  const f = fuse((x: Variable) => x.mul(mul(x.sub(1).log().detach(), 2)));
  const [first] = (await findNonFinite(f(new Variable([0, 3])))) ?? [];
  expect(first?.name).toBe("Log");
});

/** Expressions of one operand, with parts that are held, and parts that are functions fused on their own. */
const expression = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant<Tree>({ kind: "x" }),
    fc.record({ kind: fc.constant("unary" as const), f: fc.constantFrom("sin", "tanh", "square"), a: tie("tree") }),
    fc.record({
      kind: fc.constant("binary" as const),
      f: fc.constantFrom("add", "mul"),
      a: tie("tree"),
      b: tie("tree"),
    }),
    fc.record({ kind: fc.constantFrom("noGrad" as const, "detach" as const, "fused" as const), a: tie("tree") }),
  ),
})).tree;

type Tree =
  | { kind: "x" }
  | { kind: "unary"; f: string; a: Tree }
  | { kind: "binary"; f: string; a: Tree; b: Tree }
  | { kind: "noGrad" | "detach" | "fused"; a: Tree };

/** The expression as a function. @param fuses whether its fused parts are fused */
function build(tree: Tree, fuses: boolean): Unary {
  switch (tree.kind) {
    case "x":
      return (x) => x.mul(1);
    case "unary": {
      const a = build(tree.a, fuses);
      return (x) => a(x)[tree.f as "sin"]();
    }
    case "binary": {
      const [a, b] = [build(tree.a, fuses), build(tree.b, fuses)];
      return (x) => a(x)[tree.f as "add"](b(x));
    }
    case "noGrad": {
      const a = build(tree.a, fuses);
      return (x) => noGrad(() => a(x));
    }
    case "detach": {
      const a = build(tree.a, fuses);
      return (x) => a(x).detach();
    }
    case "fused":
      return fuses ? fuse(build(tree.a, true)) : build(tree.a, false);
  }
}

test("random expressions have the gradients of the unfused ones, first and second", async () => {
  await fc.assert(
    fc.asyncProperty(expression, async (tree) => {
      const plain: Unary = (x) => build(tree, false)(x).add(x);
      const fused = fuse((x: Variable) => build(tree, true)(x).add(x));
      const at = [0.3, -0.7];
      const [expected, found] = [await gradients(plain, at), await gradients(fused, at)];
      expected.flat().forEach((value, k) => {
        const other = found.flat()[k] ?? NaN;
        expect(Math.abs(other - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)));
      });
      expect(found.flat()).toHaveLength(expected.flat().length);
    }),
    { numRuns: 30 },
  );
});
