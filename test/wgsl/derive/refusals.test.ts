/** What can't be differentiated is refused with its line; and no source, however broken, gives another error. */
import { describe, expect, test } from "vitest";
import { WgslError } from "../../../src/base/errors.js";
import { parseElementwise } from "../../../src/wgsl/parse-elementwise.js";
import { randomProgram } from "./fuzz/program.js";
import { Random } from "./fuzz/random.js";

function gradientOf(wgsl: string): string {
  return parseElementwise(wgsl).derived?.wgsl ?? "";
}

describe("a gradient is refused", () => {
  test.each([
    [
      "of the bits of a value that changes",
      `fn f_forward(x: f32) -> f32 {
        let bits = bitcast<u32>(2.0 * x);
        return f32(bits);
      }`,
      2,
      /the bits of a value/,
    ],
    [
      "of what goes through a pointer",
      `fn f_add(sum: ptr<function, f32>, x: f32) { *sum += x; }
      fn f_forward(x: f32) -> f32 {
        var sum = 0.0;
        f_add(&sum, x);
        return sum;
      }`,
      4,
      /pointer/,
    ],
    [
      "of a value that a pointer reads",
      `fn f_forward(x: f32) -> f32 {
        var sum = x;
        let p = &sum;
        return *p;
      }`,
      3,
      /pointer/,
    ],
    [
      "of a part of gpugrad's math that has none",
      "fn f_forward(x: f32) -> f32 { return math_scale(x, 3); }",
      1,
      /math_scale/,
    ],
    [
      "where a function may discard",
      "fn f_forward(x: f32) -> f32 {\n if (x < 0.0) { discard; }\n return x; }",
      2,
      /discard/,
    ],
  ])("%s", (_, wgsl, line, message) => {
    try {
      gradientOf(wgsl);
    } catch (error) {
      expect(error).toBeInstanceOf(WgslError);
      expect(String(error)).toMatch(message);
      expect((error as WgslError).line).toBe(line);
      return;
    }
    throw new Error("there should be an error");
  });
});

test("the bits of what is constant may be used", () => {
  const wgsl = "fn f_forward(x: f32) -> f32 { return x * bitcast<f32>(0x3f800000u); }";
  expect(gradientOf(wgsl)).toContain("let t = bitcast<f32>(0x3f800000u);");
  const packed = "fn f_forward(x: f32) -> f32 { return x + unpack2x16float(pack2x16float(vec2f(x, 1.0))).x; }";
  expect(() => gradientOf(packed)).toThrow(/line 1, column \d+: the bits of a value .*pack2x16float what is constant/);
});

test("sources with tokens that are missing, doubled or changed places give typed errors only", () => {
  const random = new Random(Number(process.env["SEED"] ?? 1));
  let [refused, passed] = [0, 0];
  for (let k = 0; k < 400; k++) {
    const { source } = randomProgram(k % 40);
    const tokens = source.match(/\w+|\s+|[^\w\s]/g) ?? [];
    const at = random.whole(0, tokens.length - 2);
    const other = random.whole(0, tokens.length - 2);
    const token = tokens[at] ?? "";
    tokens[at] = random.pick(["", `${token} ${token}`, tokens[other] ?? "", "f32", "(", "}"]);
    try {
      gradientOf(tokens.join(""));
      passed++;
    } catch (error) {
      expect(error, tokens.join("")).toBeInstanceOf(WgslError);
      refused++;
    }
  }
  expect(Math.min(refused, passed)).toBeGreaterThan(20);
});
