import { beforeAll, describe, expect, test } from "vitest";
import { Exp, init, Square, stats, Variable } from "../src/index.js";

beforeAll(async () => {
  await init();
});

describe("the seed's example", () => {
  test("every assertion of the seed holds", async () => {
    const A = new Square();
    const B = new Exp();
    const C = new Square();
    const x = new Variable(0.5);
    const a = A.call(x);
    const b = B.call(a);
    const y = C.call(b);
    expect(y.creator).toBe(C);
    expect(C.input).toBe(b);
    expect(C.input.creator).toBe(B);
    expect(B.input).toBe(a);
    expect(B.input.creator).toBe(A);
    expect(A.input).toBe(x);
    expect(x.creator).toBeNull();
    y.grad = 1;
    y.backward();
    const gradient = await x.grad?.item();
    expect(Math.abs((gradient ?? NaN) / 3.297442541400256 - 1)).toBeLessThan(3e-7);
    expect(stats().dispatches).toBe(6);
  });
});
