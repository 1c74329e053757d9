import { describe, expect, test } from "vitest";
import { withAllMath } from "../../src/wgsl/all-math.js";
import { joinMath as joined, type MathMode } from "../../src/wgsl/math.js";

const joinMath = (wgsl: string, mode: MathMode): string => joined(withAllMath(wgsl), mode);

/** How often a shader declares a function of this name. */
function declared(wgsl: string, name: string): number {
  return [...wgsl.matchAll(new RegExp(`\\bfn ${name}\\b`, "g"))].length;
}

describe("a shader that names gpugrad's math", () => {
  test("gets each function that it needs, and what that needs, once", () => {
    const whole = joinMath("fn f(x: f32) -> f32 { return math_sigmoid(x) + math_exp(x) + math_sigmoid(-x); }", "exact");
    for (const name of [
      "math_sigmoid",
      "math_exp",
      "math_exp_reduce",
      "math_quotient",
      "math_two_sum",
      "math_opaque",
    ]) {
      expect(declared(whole, name), name).toBe(1);
    }
    expect(declared(whole, "math_tan")).toBe(0);
  });

  test("gets a math_zero where the harness made none, and only then", () => {
    expect(declared(joinMath("fn f(x: f32) -> f32 { return math_exp(x); }", "exact"), "math_zero")).toBe(1);
    const own =
      "fn math_zero() -> u32 { return arrayLength(&result_0) >> 30u; }\nfn f(x: f32) -> f32 { return math_exp(x); }";
    expect(declared(joinMath(own, "exact"), "math_zero")).toBe(1);
  });

  test("gets the driver's where native math is wanted and the language has the function", () => {
    const native = joinMath("fn f(x: f32) -> f32 { return math_exp(x) + math_erf(x); }", "native");
    expect(declared(native, "math_erf")).toBe(1);
    // erf needs a part of gpugrad's exp, which there can only be one of.
    expect(declared(native, "math_exp")).toBe(1);
    expect(joinMath("fn f(x: f32) -> f32 { return math_sin(x); }", "native")).toContain(
      "fn math_sin(x: f32) -> f32 { return sin(x); }",
    );
  });

  test("stays as it is where it names none", () => {
    const plain = "fn f(x: f32) -> f32 { return x; }";
    expect(joinMath(plain, "exact")).toBe(plain);
  });

  test("keeps a name that gpugrad doesn't have, for the compiler to complain of", () => {
    const unknown = "fn f(x: f32) -> f32 { return math_bessel(x); }";
    expect(joinMath(unknown, "exact")).toBe(unknown);
  });
});
