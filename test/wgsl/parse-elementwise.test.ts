import { describe, expect, test } from "vitest";
import { ArgumentError, WgslError } from "../../src/base/errors.js";
import { parseElementwise } from "../../src/wgsl/parse-elementwise.js";

describe("element-wise WGSL", () => {
  test("is read: its name, its inputs, and what its backward wants", () => {
    const { name, inputs, outputs, backward } = parseElementwise(`
      // fn no_forward(x: f32) -> f32 is a comment, and so is /* this */
      fn gauss_forward(x: f32, m: f32) -> f32 { return exp(-(x - m) * (x - m)); }
      fn gauss_backward(x: f32, m: f32, y: f32, gy: f32) -> vec2<f32> {
        let g = -2.0 * gy * y * (x - m);
        return vec2f(g, -g);
      }`);
    expect({ name, inputs, outputs, backward }).toEqual({
      name: "gauss",
      inputs: ["x", "m"],
      outputs: 1,
      backward: ["x", "m", "y", "gy"],
    });
  });

  test("may lack a backward, which is derived, or be said to have none", () => {
    const source = "fn half_forward(x: f32) -> f32 { return 0.5 * x; }";
    expect(parseElementwise(source).backward).toEqual(["gy"]);
    expect(parseElementwise(source).derived?.wgsl).toContain("return gy * 0.5;");
    expect(parseElementwise(source, false).backward).toBeNull();
    expect(parseElementwise(source, false).differentiable).toBe(false);
  });

  test("calls gpugrad's exp and so on, on the same lines, but for what the compiler computes", () => {
    const source = `
      const wave_k = exp(1.0);
      fn wave_forward(x: f32) -> f32 {
        const half = sin(0.5);
        return half * wave_k * sin(vec2f(x, 2.0)).y * cosh(x) + exp(pow(x, 2));
      }`;
    const { wgsl } = parseElementwise(source, false);
    const lines = wgsl.split("\n");
    expect(lines.slice(0, 4)).toEqual(source.split("\n").slice(0, 4));
    expect(lines[4]).toBe(
      "        return half * wave_k * wave_sin_vec2(vec2f(x, 2.0)).y * cosh(x) + math_exp(math_pow(x, 2));",
    );
    expect(lines.at(-1)).toBe("fn wave_sin_vec2(v0: vec2f) -> vec2f { return vec2f(math_sin(v0.x), math_sin(v0.y)); }");
  });

  test("may have helpers, constants and types that begin with its name", () => {
    const source = `
      const swish_one = 1.0;
      struct swish_Pair { a: f32, b: f32 }
      fn swish_half(x: f32) -> f32 { const half = 0.5; return half * x; }
      fn swish_forward(x: f32) -> f32 { return swish_half(x) * swish_one; }`;
    expect(parseElementwise(source).name).toBe("swish");
  });

  test.each([
    ["no forward", "fn swish(x: f32) -> f32 { return x; }", null, "NAME_forward"],
    ["two forwards", "fn a_forward(x: f32) -> f32 { return x; }\nfn b_forward(x: f32) -> f32 { return x; }", 2, "two"],
    ["a vector of whole numbers for a result", "\nfn a_forward(x: f32) -> vec2i { return vec2i(1); }", 2, "f32"],
    ["an integer for a parameter", "fn a_forward(x: i32) -> f32 { return 1.0; }", 1, "x: f32"],
    ["no parameter", "fn a_forward() -> f32 { return 1.0; }", 1, "1 to 4"],
    ["an input called gy", "fn a_forward(gy: f32) -> f32 { return gy; }", 1, "gy"],
    ["a binding", "fn a_forward(x: f32) -> f32 { return x; }\n@group(0) @binding(9) var<uniform> u: f32;", 2, "@group"],
    ["private state", "var<private> a_s: f32;\nfn a_forward(x: f32) -> f32 { return x; }", 1, "var<private"],
    [
      "a helper without the prefix",
      "fn a_forward(x: f32) -> f32 { return x; }\n\nfn half(x: f32) -> f32 { return x; }",
      3,
      "a_half",
    ],
    ["a name of gpugrad's own", "fn math_forward(x: f32) -> f32 { return x; }", 1, "math"],
    [
      "a backward of another result",
      "fn a_forward(x: f32, b: f32) -> f32 { return x; }\nfn a_backward(gy: f32) -> f32 { return gy; }",
      2,
      "vec2f",
    ],
    [
      "a backward with an unknown parameter",
      "fn a_forward(x: f32) -> f32 { return x; }\nfn a_backward(z: f32) -> f32 { return z; }",
      2,
      "parameter z",
    ],
  ])("with %s is refused, with the line", (_, source, line, message) => {
    let error: unknown = null;
    try {
      parseElementwise(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(WgslError);
    expect((error as WgslError).line).toBe(line);
    expect((error as WgslError).message).toContain(message);
  });

  test("must be text", () => {
    expect(() => parseElementwise(12)).toThrow(ArgumentError);
  });
});

test("with several outputs, an input isn't called as one of these or their gradients", () => {
  for (const name of ["y0", "gy1"]) {
    const source = `fn polar_forward(x: f32, ${name}: f32) -> vec2f { return vec2f(x, ${name}); }`;
    expect(() => parseElementwise(source)).toThrow(
      new RegExp(`line 1, column 26: an input .* can't be called ${name}`),
    );
  }
});
