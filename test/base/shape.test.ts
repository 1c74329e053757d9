import { describe, expect, test } from "vitest";
import { ArgumentError, ShapeError } from "../../src/base/errors.js";
import {
  broadcastShapes,
  broadcastStrides,
  checkAxes,
  checkShape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
} from "../../src/base/shape.js";

describe("a shape", () => {
  test("has as many elements as the product of its lengths, one without axes, none with a length of 0", () => {
    expect([[], [3], [2, 3, 4], [5, 0, 7]].map(sizeOf)).toEqual([1, 3, 24, 0]);
  });

  test("is shown as NumPy shows it", () => {
    expect([[], [3], [2, 3]].map(showShape)).toEqual(["[]", "[3]", "[2, 3]"]);
  });

  test("has row-major strides", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
  });

  test("equals another one of the same lengths only", () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    for (const other of [[3, 2], [2], [2, 3, 1], []]) expect(sameShape([2, 3], other)).toBe(false);
  });

  test("from outside is copied and frozen, and -0 is 0", () => {
    const given = [2, -0];
    const checked = checkShape(given);
    given[0] = 7;
    expect(checked).toEqual([2, 0]);
    expect(Object.is(checked[1], 0)).toBe(true);
    expect(Object.isFrozen(checked)).toBe(true);
  });

  test.each([
    ["no array", 3, ArgumentError],
    ["a string in it", [2, "3"], ArgumentError],
    ["a hole in it", [2, , 3], ArgumentError], // eslint-disable-line no-sparse-arrays
    ["a negative length", [-1], ShapeError],
    ["a fraction", [1.5], ShapeError],
    ["NaN", [NaN], ShapeError],
    ["more elements than a number counts", [2 ** 30, 2 ** 30], ShapeError],
  ])("with %s is refused", (_, shape, error) => {
    expect(() => checkShape(shape)).toThrow(error);
  });
});

describe("broadcasting", () => {
  // NumPy's own examples: https://numpy.org/doc/stable/user/basics.broadcasting.html
  test.each([
    [
      [[256, 256, 3], [3]],
      [256, 256, 3],
    ],
    [
      [
        [8, 1, 6, 1],
        [7, 1, 5],
      ],
      [8, 7, 6, 5],
    ],
    [
      [[5, 4], [1]],
      [5, 4],
    ],
    [
      [[5, 4], [4]],
      [5, 4],
    ],
    [
      [
        [15, 3, 5],
        [15, 1, 5],
      ],
      [15, 3, 5],
    ],
    [
      [
        [15, 3, 5],
        [3, 1],
      ],
      [15, 3, 5],
    ],
    [
      [[2, 1], [1, 3], [1]],
      [2, 3],
    ],
    [[[0], [1]], [0]],
    [[[], []], []],
  ])("of %j gives %j", (shapes, result) => {
    expect(broadcastShapes(shapes, "f")).toEqual(result);
  });

  test.each([
    [[[3], [4]]],
    [
      [
        [2, 1],
        [8, 4, 3],
      ],
    ],
    [[[0], [2]]],
  ])("of %j is refused, with both shapes named", (shapes) => {
    expect(() => broadcastShapes(shapes, "f")).toThrow(ShapeError);
    expect(() => broadcastShapes(shapes, "f")).toThrow(`f: shapes ${shapes.map(showShape).join(" and ")}`);
  });

  test("steps 0 along every axis that is stretched or missing", () => {
    expect(broadcastStrides([3, 1], [2, 3, 4])).toEqual([0, 1, 0]);
    expect(broadcastStrides([2, 3], [2, 3])).toEqual([3, 1]);
    expect(broadcastStrides([], [2, 2])).toEqual([0, 0]);
  });
});

describe("axes", () => {
  test("are sorted, negative ones count from the end, and none means all", () => {
    expect(checkAxes([-1, 0], 3, "f")).toEqual([0, 2]);
    expect(checkAxes(1, 3, "f")).toEqual([1]);
    expect(checkAxes([], 3, "f")).toEqual([]);
    expect(checkAxes(null, 2, "f")).toEqual([0, 1]);
    expect(checkAxes(undefined, 2, "f")).toEqual([0, 1]);
  });

  test.each([[3], [-4], [1.5], [[0, 0]], [[0, -3]]])("%j are refused in three dimensions", (axes) => {
    expect(() => checkAxes(axes, 3, "f")).toThrow(ShapeError);
  });
});
