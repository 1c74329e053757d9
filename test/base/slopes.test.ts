/** Slopes from values, and how exact they are. Float64 and float32, no GPU. */
import { expect, test } from "vitest";
import { slopesOf } from "../../src/base/slopes.js";
import { samples, smooth } from "../reference/samples.js";

test("the estimate of its own error holds", () => {
  for (const [, f, x, slope] of smooth) {
    const { central } = slopesOf([samples(f, x)]);
    expect(Math.abs(central.value - slope)).toBeLessThanOrEqual(central.error);
  }
});

test("steps that rounding makes unequal do no harm", () => {
  const x = 1 + 2 ** -23;
  const slopes = slopesOf([samples((t) => t * t, x, 2 ** -15)]);
  expect(slopes.central.value / (2 * x)).toBeCloseTo(1, 3);
});
