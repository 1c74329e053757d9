import { expect, test } from "vitest";
import { describe as inWords, isList, madeBy, maker } from "../../src/base/describe.js";

test.each([
  [null, "null"],
  [undefined, "undefined"],
  ["three", 'the string "three"'],
  [-0.5, "-0.5"],
  [true, "true"],
  [7n, "the bigint 7"],
  [Symbol("x"), "a symbol"],
  [() => 1, "a function"],
  [[1], "an array"],
  [new Float64Array(2), "a Float64Array"],
  [new DataView(new ArrayBuffer(1)), "a DataView"],
  [{ a: 1 }, "an object"],
])("%o is said in words", (value, words) => {
  expect(inWords(value)).toBe(words);
});

test("a long string is cut", () => {
  expect(inWords("x".repeat(100))).toBe(`the string "${"x".repeat(40)}…"`);
});

test("what gpugrad made is named, and so is what another copy of gpugrad made", () => {
  expect(inWords({ [madeBy]: maker("Variable") })).toBe("a Variable");
  expect(inWords({ [madeBy]: { kind: "Variable", copy: {} } })).toMatch(/^a Variable of another copy of gpugrad/);
});

test("objects that throw when they are looked at are still objects", () => {
  for (const target of [{}, [1]]) {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    expect(inWords(proxy)).toBe("an object");
    expect(isList(proxy)).toBe(false);
  }
  expect(isList([1])).toBe(true);
});
