import { expect, test } from "vitest";
import * as errors from "../../src/base/errors.js";

const { isGpugradError } = errors;
const classes = Object.entries(errors).filter(([name]) => name.endsWith("Error") && name !== "isGpugradError") as [
  string,
  new (message: string, ...rest: unknown[]) => Error & { code: string },
][];

test("there is a class for every code, and no code has two", () => {
  const codes = classes.map(([, Class]) => new Class("what happened", {}).code);
  expect(codes.length).toBe(19);
  expect(new Set(codes).size).toBe(codes.length);
});

test.each(classes)("%s says its name, whatever a minifier did to the class", (name, Class) => {
  const error = new Class("what happened", {});
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe(`${name}: what happened`);
  expect(isGpugradError(error)).toBe(true);
  expect(Object.keys(error)).not.toContain("name");
});

test("bad arguments are the language's own errors as well", () => {
  expect(new errors.ArgumentError("")).toBeInstanceOf(TypeError);
  expect(new errors.ReleasedError("")).toBeInstanceOf(TypeError);
  expect(new errors.OtherDeviceError("")).toBeInstanceOf(TypeError);
  expect(new errors.ShapeError("")).toBeInstanceOf(RangeError);
  expect(new errors.LimitError("", 2, 1)).toBeInstanceOf(RangeError);
});

test("other errors, and what only looks like one, aren't gpugrad's", () => {
  for (const other of [new Error("x"), { code: "wgsl", message: "x" }, null, "wgsl"])
    expect(isGpugradError(other)).toBe(false);
});
