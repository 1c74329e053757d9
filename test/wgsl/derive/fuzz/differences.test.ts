import { describe, expect, test } from "vitest";
import { differences } from "./differences.js";

describe("differences", () => {
  test("give slopes to ten digits where the function is smooth, and say how far off they are", () => {
    const xs = [0.7, -1.2];
    const found = differences(([x = 0, y = 0]) => Math.sin(3 * x) * Math.exp(y) + x * x * y, xs);
    const expected = [3 * Math.cos(2.1) * Math.exp(-1.2) - 2 * 0.7 * 1.2, Math.sin(2.1) * Math.exp(-1.2) + 0.49];
    found.forEach((difference, k) => {
      if (difference === "kink") throw new Error("no kink is here");
      expect(Math.abs(difference.value - expected[k]!)).toBeLessThan(Math.min(1e-10, difference.error));
      expect(difference.error).toBeLessThan(1e-7);
    });
  });

  test.each<[string, (x: number) => number]>([
    ["a bend", (x) => Math.abs(x - 1)],
    ["a small bend", (x) => x * x + 0.01 * Math.max(0, x - 1)],
    ["a jump", (x) => Math.floor(x)],
    ["a jump nearby", (x) => (x > 1 + 1e-7 ? x : 0)],
    ["a bend nearby", (x) => Math.abs(x - 1 - 1e-6)],
    ["a pole", (x) => 1 / (x - 1 + 1e-9)],
    ["no number on one side", (x) => Math.sqrt(x - 1)],
  ])("say that there is %s", (_, f) => {
    expect(differences(([x = 0]) => f(x), [1])).toEqual(["kink"]);
  });

  test.each([1e-4, 1e-3, 0.0035, 0.01, 0.1])("aren't misled by a bend at a distance of %d", (distance) => {
    const [found] = differences(([x = 0]) => 2 * x + Math.max(0, x - distance), [0]);
    expect(found).not.toBe("kink");
    expect((found as { value: number }).value).toBeCloseTo(2, 9);
  });
});
