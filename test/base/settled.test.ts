/** Which steps are small beside the detail of a gradient and of values. Float64, no GPU. */
import { expect, test } from "vitest";
import { isRugged, unsettled, type Ends } from "../../src/base/settled.js";
import { samples } from "../reference/samples.js";

const halvings = Array.from({ length: 14 }, (_, k) => 2 ** -k);

/** The gradient at x ± step and a little within, for steps that halve from 1. */
function endsOf(gradient: (x: number) => number, x: number): Ends[][] {
  return halvings.map((h) => [h, 0.7 * h].map((step) => ({ right: gradient(x + step), left: gradient(x - step) })));
}

const wave =
  (k: number) =>
  (x: number): number =>
    k * Math.cos(k * x);

test("where a gradient is smooth, no step reaches too far", () => {
  expect(
    unsettled(
      endsOf(() => 3, 1),
      3,
      0.003,
    ),
  ).toBe(0);
  expect(
    unsettled(
      endsOf((x) => 3 * x * x, 2),
      12,
      0.012,
    ),
  ).toBe(0);
  expect(unsettled(endsOf(Math.exp, -0.3), Math.exp(-0.3), 0.001)).toBe(0);
  // On both sides of a kink the mean is the same.
  expect(unsettled(endsOf(Math.sign, 0), 0, 0.01)).toBe(0);
});

test("steps within which a gradient turns about reach too far", () => {
  for (const k of [20, 200, 1000]) {
    const count = unsettled(endsOf(wave(k), 0.3), wave(k)(0.3), Math.abs(wave(k)(0.3)));
    expect(k * 2 ** -count).toBeLessThan(4);
    expect(k * 2 ** -count).toBeGreaterThan(0.5);
  }
  // To a kink beside the point: a step that reaches it just so shows nothing of it yet.
  const beside = endsOf((x) => (Math.abs(x) < 0.1 ? 1 : 2), 0);
  const count = unsettled(beside, 1, 0.001);
  expect(2 ** -count).toBeLessThan(0.2);
  expect(2 ** -count).toBeGreaterThan(0.05);
});

test("where a gradient turns about within all steps, no step is left", () => {
  for (const k of [123457, 1234577, 7654321]) {
    expect(unsettled(endsOf(wave(k), 0.3), wave(k)(0.3 + 0.7 * 2 ** -13), k)).toBe(halvings.length);
  }
  expect(
    unsettled(
      endsOf(() => NaN, 1),
      NaN,
      1,
    ),
  ).toBe(halvings.length);
});

test("one side counts alone where the other has no gradient", () => {
  expect(
    unsettled(
      endsOf((x) => (x < 1 ? NaN : 2 * x), 1),
      2,
      0.01,
    ),
  ).toBe(0);
});

test("values are rugged where they scatter at the finest steps as at all", () => {
  const saw = (k: number) => (x: number) => k * x - Math.floor(k * x);
  expect(isRugged([samples(saw(54321), 0.7)], 0)).toBe(true);
  expect(isRugged([samples((x) => Math.sin(1e6 * x), 0.7)], 0)).toBe(true);
  // What rounding explains is no detail.
  expect(isRugged([samples((x) => Math.sin(1e6 * x), 0.7)], 0.2)).toBe(false);
  expect(isRugged([samples((x) => 10 + 1e-6 * x, 0.7)], 0)).toBe(false);
  for (const f of [Math.exp, Math.abs, Math.sign, saw(3)]) {
    for (const x of [0, 0.7]) expect(isRugged([samples(f, x)], 0)).toBe(false);
  }
});
