/** findNonFinite after leaves were changed in place, and of results without a graph: never a wrong diagnosis. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { findNonFinite, fuse, init, ModifiedError, noGrad, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const changes: Record<string, (w: Variable) => unknown> = {
  update: (w) => w.update((a) => a.add(3)),
  assign: (w) => w.assign([3, 4]),
  "assign of what isn't finite": (w) => w.assign([NaN, 4]),
  descend: (w) => {
    w.grad = [-3, 1];
    return w.descend(1);
  },
};

describe.each(Object.entries(changes))("after %s", (_, change) => {
  test.each([
    ["a function", "Log", (w: Variable) => g.sum(w.log())],
    ["a fused one", "Fused", fuse((w: Variable) => w.log().mul(2))],
  ] as const)("%s that may have made it is named, with what was changed", async (_, name, f) => {
    const w = new Variable([0, 4], { name: "w" });
    const y = f(w);
    expect(await findNonFinite(y)).toMatchObject([{ kind: "function", name: "Log" }]);
    change(w);
    const error: unknown = await findNonFinite(y).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModifiedError);
    expect(String(error)).toContain(`the result of ${name} isn't finite`);
    expect(String(error)).toContain("w [2] was changed in place");
  });

  test("what was computed of what is unchanged is told as before", async () => {
    const [w, x] = [new Variable([0, 4], { name: "w" }), new Variable([0, 1], { name: "x" })];
    const y = x.log().mul(w);
    change(w);
    const found = await findNonFinite(y);
    expect(found).toMatchObject([{ kind: "function", name: "Log", operands: [{ name: "x", value: 0 }] }]);
    const v = new Variable([0, 4], { name: "v" });
    const z = g.sum(v.reshape([2, 1]).mul(v).log());
    change(v);
    expect(await findNonFinite(z)).toMatchObject([{ name: "Log", operands: [{ name: "Mul", value: 0 }] }]);
  });

  test("the leaf is not blamed for what is in it now", async () => {
    const w = new Variable([1, 4], { name: "w" });
    const y = g.sum(w.add(2));
    change(w);
    expect(await findNonFinite(y)).toBeNull();
  });
});

test("the usual flow: the step is done, and the loss is not finite", async () => {
  const w = new Variable([0, 4], { name: "w" });
  const y = g.sum(w.log());
  y.backward();
  w.descend(0.1);
  await expect(findNonFinite(y)).rejects.toThrow(/result of Log isn't finite.*before assign\(\), descend\(\)/);
});

test("an operand of a gradient that isn't read and was changed has no value", async () => {
  const w = new Variable([1, 2], { name: "w" });
  const y = w.add(1).mul([2, 1e38]).mul([1, 1e38]);
  w.assign([5, 6]);
  const found = (await findNonFinite(y, { gradients: true })) ?? [];
  expect(found.length).toBeGreaterThan(0);
  for (const { operands } of found) {
    for (const operand of operands)
      if (operand.name === "w") expect(operand).toMatchObject({ value: null, range: null });
  }
});

test("a result without a graph is no leaf: its Function is named, and that no more is known", async () => {
  const x = new Variable([0, 1]);
  for (const y of [
    noGrad(() => g.log(x).mul(2)),
    g.log(new Variable([0, 1], { requiresGrad: false })).mul(2),
    new Variable([1, 1]).sub(noGrad(() => g.log(x).mul(2))),
  ]) {
    expect((await findNonFinite(y))?.[0]).toMatchObject({ kind: "unknown", name: "Mul", index: [0], operands: [] });
  }
  expect(await findNonFinite(new Variable([NaN], { name: "d" }))).toMatchObject([{ kind: "leaf", name: "d" }]);
});

describe("what fuse says", () => {
  test("a string may be made of a Variable", async () => {
    const f = fuse((x: Variable) => {
      const name = `${x}`; // eslint-disable-line @typescript-eslint/restrict-template-expressions
      return name === "" ? x : x.mul(2);
    });
    expect(await f(3).item()).toBe(6);
    expect(() => fuse((x: Variable) => x.mul(Math.sin(x as never)))(1)).toThrow(/used as a number/);
  });

  test("an operand that is missing is named, and who misses it", () => {
    const product = fuse((a: Variable, b: Variable) => a.mul(b));
    expect(() => product(1)).toThrow(/takes 2 operands and was given 1.*operand 1 is missing.*Mul: operand 1/);
    expect(() => fuse((a: Variable, b: Variable) => b.mul(a))(1)).toThrow(/takes 2 operands and was given 1/);
    expect(() => new Variable(1).mul(undefined as never)).toThrow(/Mul: operand 1 is missing/);
    expect(product(1, 2).shape).toEqual([]);
  });
});
