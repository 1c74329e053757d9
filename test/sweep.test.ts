/**
 * The accuracy that RELIABILITY.md promises, on a fixed sample of all bit patterns, special values and the regions where
 * errors are largest; and that an error of 2 ULP, planted in any function, is found. `npm run sweep` does all 2³².
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elementwise, init, type Variable } from "../src/index.js";
import { measured, nameOf } from "../sweep/figures.js";
import { Judges } from "../sweep/judges.js";
import { measure, type MeasureOptions } from "../sweep/measure.js";
import { fixedSample } from "../sweep/operands.js";
import * as reference from "../sweep/reference.js";
import { rowOf, rows, type Row } from "../sweep/table.js";

let judges: Judges;
let adapter: string;

beforeAll(async () => {
  adapter = nameOf((await init()).adapterInfo);
  judges = new Judges(2);
});

afterAll(() => {
  judges.end();
});

const names = rows.map(({ name }) => name);
const own = names.filter((name) => rowOf(name).driver === undefined);

/**
 * WGSL lets a driver's division be further off than any driver's is, and gradients add up errors. On the adapter that the
 * sweep's figures are from, which CI has too, everything is held to what was measured.
 */
function limitOf({ name, accuracy, gradient }: Row): Pick<MeasureOptions, "most"> {
  // What is derived is as exact as what was written by hand.
  const figure = measured[gradient?.derived === true ? name.replace("derived", "backward") : name];
  if (figure === undefined) throw new Error(`npm run sweep -- --only "${name}" was never run`);
  if (figure.adapter !== adapter) return {};
  return { most: Math.min(accuracy.ulp, figure.tally.largest + 0.05) };
}

/** How many ordinary results there must be; of random pairs, few are equal. */
const leastNormal: Readonly<Record<string, number>> = { relu: 50_000, sqrt: 50_000, equal: 50 };

describe("over the fixed sample", () => {
  test.each(names)("%s keeps its promise", async (name) => {
    const row = rowOf(name);
    const tally = await measure(row, fixedSample, judges, limitOf(row));
    expect(tally.deviations).toEqual([]);
    expect(tally.broken).toBe(0);
    // Both ordinary results and special values were there to be looked at.
    expect(tally.normal).toBeGreaterThan(leastNormal[name] ?? 10_000);
  });

  test("exp is monotonic, and its subnormal results are kept", async () => {
    const { falls, subnormal, flushed, subnormalLargest } = await measure(rowOf("exp"), fixedSample, judges);
    expect(falls).toBe(0);
    expect(subnormal).toBeGreaterThan(100);
    expect(flushed).toBe(0);
    expect(subnormalLargest).toBeLessThanOrEqual(1);
  });

  test("the errors are those of the full sweeps: neither larger nor of another function", async () => {
    for (const name of ["exp", "log", "sin", "tanh"]) {
      const { largest } = await measure(rowOf(name), fixedSample, judges);
      expect(largest, name).toBeLessThanOrEqual((measured[name]?.tally.largest ?? NaN) + 0.05);
      expect(largest, name).toBeGreaterThan(0.5);
    }
  });
});

describe("an error of 2 ULP", () => {
  const plus2 = elementwise(`
    fn planted_forward(x: f32) -> f32 {
      return bitcast<f32>(bitcast<u32>(x) + 2u);
    }
  `);
  const minus2 = elementwise(`
    fn planted_forward(x: f32) -> f32 {
      return bitcast<f32>(bitcast<u32>(x) - 2u);
    }
  `);
  test.each(names)("planted in %s is found", async (name) => {
    const row = rowOf(name);
    for (const plant of [plus2, minus2]) {
      const tally = await measure(row, fixedSample, judges, { ...limitOf(row), afterwards: (y: Variable) => plant(y) });
      expect(tally.broken).toBeGreaterThan(0);
      expect(tally.deviations).not.toEqual([]);
    }
  });

  test("is looked for in everything that has math of its own", () => {
    expect(own).toEqual(
      expect.arrayContaining(["exp", "log", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "erf", "pow", "atan2"]),
    );
  });
});

describe('init({ math: "native" })', () => {
  test("gives the driver's exp, whose errors WGSL allows, and back", async () => {
    const row = rowOf("exp");
    const exact = await measure(row, fixedSample, judges);
    try {
      await init({ math: "native" });
      const native = await measure(row, fixedSample, judges, { most: 3 + 2 * 104 });
      expect(native.at).not.toBe(exact.at);
      if (adapter === "google swiftshader") {
        // Its built-in exp: 64.8 ULP at x = -85.27, and 29 % of results off by more than 1 ULP.
        expect(native.largest).toBeGreaterThan(30);
        expect(native.overOne / native.normal).toBeGreaterThan(0.05);
      }
    } finally {
      await init({ math: "exact" });
    }
    expect(await measure(row, fixedSample, judges)).toEqual(exact);
  });

  test.each(names)("computes %s, roughly", async (name) => {
    const row = rowOf(name);
    try {
      await init({ math: "native" });
      const { normal, largest } = await measure(row, { stride: 2 ** 24 - 1, dense: 0, pairs: 1024 }, judges, {
        most: Infinity,
      });
      expect(normal).toBeGreaterThan(0);
      expect(largest).toBeGreaterThanOrEqual(0);
    } finally {
      await init({ math: "exact" });
    }
  });
});

describe("the float64 references", () => {
  test("erf is the published one", () => {
    // Abramowitz and Stegun, table 7.1; the last two by 1 - erfc.
    for (const [x, y] of [
      [0.02, 0.0225645747],
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [1.5, 0.9661051465],
      [2, 0.995322265],
    ] as const) {
      expect(reference.erf(x)).toBeCloseTo(y, 9);
      expect(reference.erf(-x)).toBe(-reference.erf(x));
    }
    expect(1 - reference.erf(3)).toBeCloseTo(2.209049699858544e-5, 15);
    expect(1 - reference.erf(5)).toBeCloseTo(1.5374597944280347e-12, 14);
  });

  test("sigmoid, softplus and the slopes lose no digits where their textbook forms do", () => {
    expect(reference.sigmoid(-700) / Math.exp(-700)).toBeCloseTo(1, 14);
    expect(reference.softplus(-40) / Math.exp(-40)).toBeCloseTo(1, 14);
    expect(reference.softplus(1000)).toBe(1000);
    expect(reference.tanhSlope(20) / (4 * Math.exp(-40))).toBeCloseTo(1, 14);
    expect(reference.sigmoidSlope(40) / Math.exp(-40)).toBeCloseTo(1, 14);
    expect(reference.tanhSlope(0)).toBe(1);
    expect(reference.sigmoidSlope(0)).toBe(0.25);
  });
});
