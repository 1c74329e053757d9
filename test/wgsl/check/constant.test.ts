/** What a driver would refuse of a constant, or of a name or a statement, is told before, with its place; what is valid passes. */
import { describe, expect, test } from "vitest";
import { WgslError } from "../../../src/base/errors.js";
import { check } from "../../../src/wgsl/check/check.js";
import { mathFunction } from "../../../src/wgsl/check/outside.js";
import { parse } from "../../../src/wgsl/language/parser.js";
import { SourceText } from "../../../src/wgsl/language/source-text.js";

/** The message's first line behind the name, or "valid". */
function verdict(text: string): string {
  const source = new SourceText(text, "test");
  try {
    check(source, parse(source), mathFunction);
    return "valid";
  } catch (error) {
    if (!(error instanceof WgslError)) throw error;
    const [message = "", line = ""] = error.message.split("\n");
    expect(line.trim()).toBe(text.split("\n")[(error.line ?? 0) - 1]?.trim());
    return message.replace("test, ", "");
  }
}

/** On line 2 of a function of x: f32, i: i32, u: u32, v: vec2f; before it stands `before`. */
function inFunction(statements: string, before = ""): string {
  return verdict(`fn f(x: f32, i: i32, u: u32, v: vec2f) {\n${statements}\n}\n${before}`);
}

describe("a constant without a value is told", () => {
  test.each([
    ["exp(100f)", 7, "exp has no value"],
    ["exp(100.0)", 7, "more than an f32 can hold"],
    ["exp(50.0) * exp(50.0)", 17, "more than an f32 can hold"],
    ["exp2(128.0)", 7, "more than an f32"],
    ["sqrt(-1.0)", 7, "sqrt has no value"],
    ["x * pow(x, sqrt(-1.0))", 18, "sqrt has no value"],
    ["log(0.0)", 7, "log has no value"],
    ["log2(-1.0)", 7, "log2 has no value"],
    ["acos(2.0)", 7, "acos has no value"],
    ["acosh(0.5)", 7, "acosh has no value"],
    ["atanh(1.0)", 7, "atanh has no value"],
    ["inverseSqrt(0.0)", 7, "inverseSqrt has no value"],
    ["pow(-1.0, 0.5)", 7, "pow has no value"],
    ["pow(0.0, -1.0)", 7, "pow has no value"],
    ["normalize(vec2(0.0, 0.0))", 7, "normalize has no value"],
    ["normalize(vec2f())", 7, "normalize has no value"],
    ["dot(vec2f(1e20), vec2f(1e20))", 7, "dot has no value"],
    ["fma(1e20f, 1e20f, 1.0)", 7, "fma has no value"],
    ["degrees(1e38f)", 7, "degrees has no value"],
    ["ldexp(1f, 128)", 7, "ldexp has no value"],
    ["clamp(x, 1.0, 0.0)", 7, "clamp's lower bound is above"],
    ["clamp(v, vec2f(0, 1), vec2f(1, 0))", 7, "clamp's lower bound is above"],
    ["smoothstep(0.5, 0.5, x)", 7, "smoothstep's edges are equal"],
    ["ldexp(x, 300)", 7, "ldexp's exponent"],
    ["extractBits(u, 30u, 5u)", 7, "reaches beyond the 32 bits"],
    ["insertBits(u, 1u, 3u, 30u)", 7, "reaches beyond the 32 bits"],
    ["bitcast<f32>(0x7f800000u)", 7, "no finite number"],
    ["1e38f * 1e38f", 13, "more than an f32"],
    ["1.0 / 0.0", 11, "divided by 0"],
    ["1e40f", 7, "more than an f32 can hold"],
    ["x * 1e40", 11, "more than an f32 can hold"],
    ["vec2f(1e39, 1)", 13, "more than an f32 can hold"],
    ["0x1.00000001p0f", 7, "is no f32"],
    ["i / 0", 11, "can't be divided by 0"],
    ["u % 0u", 11, "can't be divided by 0"],
    ["vec2i(i) / vec2(1, 0)", 18, "can't be divided by 0"],
    ["1 / 0", 11, "can't be divided by 0"],
    ["i << 32", 12, "a shift by 32 or more"],
    ["u >> 33u", 12, "a shift by 32 or more"],
    ["3i << 30", 10, "more than an i32 can hold"],
    ["3u << 31", 10, "more than a u32 can hold"],
    ["4294967296u", 7, "more than a u32 can hold"],
    ["2147483648i", 7, "more than an i32 can hold"],
    ["3000000000", 7, "more than an i32 can hold"],
    ["i + 3000000000", 11, "more than an i32 can hold"],
    ["2147483647 + 1", 18, "more than an i32 can hold"],
    ["u + -1", 11, "less than a u32 can hold"],
    ["max(u, -1)", 14, "less than a u32 can hold"],
    ["u32(-1)", 11, "less than a u32 can hold"],
    ["array<u32, 2>(-1, 2)", 21, "less than a u32 can hold"],
    ["g(-1)", 9, "less than a u32 can hold"],
    ["array(1.0, 2)[2]", 21, "no element 2 of 2"],
    ["v[2]", 9, "no element 2 of 2"],
    ["v[-1]", 9, "no element -1 of 2"],
    ["mat2x3f()[2]", 17, "no element 2 of 2"],
    ["array<f32, -2>()", 18, "an array's length"],
    ["array<f32, 0>()", 18, "an array's length"],
    ["array<f32, 2.0>()", 18, "an array's length"],
    ["select(1.0, 1.0 / 0.0, x > 1.0)", 23, "divided by 0"],
    ["x > 1.0 && 1 / 0 == 1", 22, "can't be divided by 0"],
  ])("%s", (expression, column, message) => {
    const found = inFunction(`let a=${expression};`, "fn g(a: u32) -> u32 { return a; }");
    expect(found).toContain(message);
    expect(found).toContain(`line 2, column ${column}: `);
  });

  test.each([
    "exp(88.0)",
    "exp(-1000.0)",
    "1e40 / 1e39",
    "1e-50f",
    "1e-50 * x",
    "1e38 * x * 1e38",
    "x / 0",
    "x / 0.0",
    "x % 0.0",
    "sqrt(-0.0)",
    "atan2(0.0, 0.0)",
    "pow(10.0, 38.0)",
    "clamp(x, 0, 1)",
    "clamp(0.5, 1, 1)",
    "smoothstep(1.0, 0.5, x)",
    "ldexp(x, 128)",
    "ldexp(x, -2000)",
    "normalize(v)",
    "dot(vec2(1e20, 1), vec2(1e20, 1)) * 1e-10",
    "false && 1 / 0 == 1",
    "true || 1 / 0 == 1",
    "1u - 2u",
    "2747636419u * 2654435769u",
    "2147483647i + 1i",
    "-2147483648",
    "abs(-2147483647i - 1)",
    "~0u",
    "0xffffffffu",
    "3000000000 * x",
    "9223372036854775807 * x",
    "1 << u",
    "i << 31",
    "i32(1e10)",
    "u32(-1.5)",
    "u32(-1i)",
    "i32(4294967295u)",
    "extractBits(-2, 0u, 4u)",
    "bitcast<f32>(0x3f800000u)",
    "bitcast<f32>(u)",
    "array(1, 2, 3)[2] * x",
    "v[i]",
    "vec3(1, 2, 3)[i]",
    "frexp(1.5).exp + 1",
    "mat2x2(1, 2, 3, 4) * v",
    "round(2.5) + f32(all(vec2(true)))",
    "math_exp(100.0)",
  ])("%s has one", (expression) => {
    expect(inFunction(`let a = ${expression};`)).toBe("valid");
  });

  test("what isn't chosen while the shader is compiled has no size of its own", () => {
    expect(inFunction("const a = array(1, 2, 3); let b = x + a[2];")).toBe("valid");
    expect(inFunction("const a = array(1, 2, 3); let b = x + a[i];")).toContain("+ doesn't go between f32 and i32");
    expect(inFunction("let a = array(1, 2, 3); let b = x + a[2];")).toContain("+ doesn't go between f32 and i32");
    expect(inFunction("var a: array<array<f32, 2>, 1> = array(array(1, 2));")).toBe("valid");
  });
});

describe("what must be constant", () => {
  test.each([
    ["const k = x;", "", 11, "k is a const, and this isn't known"],
    ["const k = g();", "fn g() -> f32 { return 1; }", 11, "k is a const"],
    ["const k = math_exp(1.0);", "", 11, "k is a const"],
    ["let k = 1; switch i { case k: { } default: { } }", "", 28, "a case is constant"],
    ["switch i { case 3: { } case 1 + 2: { } default: { } }", "", 31, "there are two cases for 3"],
    ["switch i { case 1, 1: { } default: { } }", "", 20, "there are two cases for 1"],
    ["switch u { case -1: { } default: { } }", "", 17, "less than a u32"],
    ["const_assert max(1, 2) == 1;", "", 24, "this assertion is false"],
    ["const_assert x > 2;", "", 16, "known before the shader runs"],
    ["var k: u32 = -1;", "", 14, "less than a u32"],
    ["var k = 1u; k = -1;", "", 17, "less than a u32"],
    ["var k = 1; k /= 0;", "", 17, "can't be divided by 0"],
    ["var k = 1; k <<= 32u;", "", 18, "a shift by 32"],
  ])("is told where it isn't, or doesn't fit: %s", (statements, before, column, message) => {
    const found = inFunction(statements, before);
    expect(found).toContain(message);
    expect(found).toContain(`line 2, column ${column}: `);
  });

  test("outside of functions, too", () => {
    expect(verdict("const a = g();\nfn g() -> f32 { return 1; }")).toContain("column 11: a is constant");
    expect(verdict("const_assert 1 > 2;")).toContain("column 16: this assertion is false");
    expect(verdict("fn f() -> u32 {\n  return -1;\n}")).toContain("line 2, column 10: -1 is less than a u32");
  });

  test.each([
    "const a = 2; const b = sqrt(2.0) * a; { const a = a + 1; let c = a * b * x; }",
    "const k = 1; switch i { case k, k + 1: { } case 7 - 0: { } default: { } }",
    "switch i { case 1, default: { } }",
    "const_assert 3 > 2 && all(vec2(1, 2) == vec2(1, 2));",
    "for (var j = 0; j < 3; j++) { const k = 2 * 3; let y = k * j; }",
  ])("passes where it is: %s", (statements) => {
    expect(inFunction(statements)).toBe("valid");
  });
});

describe("a name that hides another", () => {
  test.each([
    ["let length = x; let a = length(v);", 25, "length is a variable here, and hides what could be called"],
    ["let f32 = x; let a: f32 = 1;", 21, "f32 is a variable here, and hides the type"],
    ["let f32 = x; let a = vec2<f32>(1);", 27, "f32 is a variable here"],
    ["let vec2f = x; let a = vec2f(1);", 24, "vec2f is a variable here"],
    ["let g = x; let a = g();", 20, "g is a variable here"],
    ["for (var min = 0; min < 3; min++) { let a = min(x, 1.0); }", 45, "min is a variable here"],
  ])("is told where that is used: %s", (statements, column, message) => {
    const found = inFunction(statements, "fn g() -> f32 { return 1; }");
    expect(found).toContain(message);
    expect(found).toContain(`line 2, column ${column}: `);
  });

  test.each(["let max = max(x, 1.0);", "{ let max = x; } let a = max(x, 1.0);", "let f32 = 1; let a = vec2f(x);"])(
    "is no mistake where it isn't: %s",
    (statements) => {
      expect(inFunction(statements)).toBe("valid");
    },
  );

  test("of a parameter is one", () => {
    expect(verdict("fn f(max: f32) -> f32 { return max(max, 1.0); }")).toContain("column 32: max is a variable here");
    expect(verdict("fn f(f32: i32, b: f32) -> f32 { return b; }")).toBe("valid");
  });
});

describe("a statement that a driver refuses is told", () => {
  test.each([
    ["sin(x);", 1, "nothing is done with what sin gives"],
    ["vec2f(x);", 1, "nothing is done with what vec2f gives"],
    ["bitcast<u32>(x);", 1, "nothing is done with what bitcast gives"],
    ["g(x);", 1, "nothing is done with what g gives"],
    ["for (var k = 0; k < 2; sin(x)) { k++; }", 24, "nothing is done"],
    ["var k = x; k++;", 13, "++ counts whole numbers, not f32: use += 1"],
    ["var k = vec2i(); k--;", 19, "-- counts whole numbers, not vec2i"],
    ["loop { }", 1, "this loop never ends"],
    ["for (;;) { }", 1, "this loop never ends"],
    ["loop { continue; break; }", 1, "this loop never ends"],
    ["loop { loop { break; } }", 1, "this loop never ends"],
    ["loop { switch i { default: { break; } } }", 1, "this loop never ends"],
    ["loop { if x > 1 { break; } continuing { if x > 2 { return; } } }", 52, "continuing can't be left by a return"],
    ["loop { if x > 1 { break; } continuing { loop { return; } } }", 48, "continuing can't be left by a return"],
    [
      "loop { if x > 1 { continue; } let y = 1; continuing { let z = y; break if x > 2; } }",
      19,
      "jumps over the declaration of y",
    ],
    [
      "loop { switch i { case 1: { continue; } default: { } } let y = x; continuing { break if y > 2; } }",
      29,
      "the declaration of y",
    ],
    ["let p = &v.x;", 11, "no pointer to v"],
    ["var w = v; let p = &w.x;", 22, "no pointer to a component"],
    ["var w = v; let p = &w[0];", 22, "no pointer to a component"],
    ["let p = &x;", 10, "no pointer to x"],
    ["let m = mat2x2<i32>();", 9, "a matrix has elements of f32"],
    ["let h: f16 = 1;", 8, "f16 is not in every driver"],
    ["let h = 1h;", 9, "f16 is not in every driver"],
    ["let h = vec2h(1);", 9, "f16 is not in every driver"],
    ["var<private> a = 1;", 1, "can't be in <private>"],
    ["discard;", 1, "can't"],
  ])("%s", (statements, column, message) => {
    const found = inFunction(statements, "@must_use fn g(a: f32) -> f32 { return a; }");
    expect(found).toContain(message);
    expect(found).toContain(`line 2, column ${column}: `);
  });

  test.each([
    "g(x);",
    "_ = sin(x);",
    "var k = 1u; k--; var w = vec2i(); w.x++;",
    "loop { return; }",
    "loop { if x > 1 { return; } }",
    "loop { continuing { break if x > 1; } }",
    "while true { }",
    "loop { let y = 1; if x > 1 { continue; } continuing { let z = y; break if x > 2; } }",
    "loop { for (;;) { if x > 1 { continue; } break; } let y = 1; continuing { let z = y; break if x > 2; } }",
    "loop { if x > 1 { break; } continuing { loop { break; } } }",
    "var m = mat2x2f(); let p = &m[0]; p.xy = v; (*p).yx += 1;",
  ])("%s is fine", (statements) => {
    expect(inFunction(statements, "fn g(a: f32) -> f32 { return a; }")).toBe("valid");
  });

  test("so are structs, attributes and results that mean nothing", () => {
    expect(verdict("struct S { }")).toContain("column 1: S has no members");
    expect(verdict("fn f(@builtin(vertex_index) i: u32) { }")).toContain("column 6: @builtin is for an entry point's");
    expect(verdict("@must_use fn f() { }")).toContain("column 1: f gives nothing");
    expect(verdict("@compute @workgroup_size(1) fn f(@builtin(global_invocation_id) i: vec3u) { }")).toBe("valid");
  });
});

test("what modf and frexp give is called so, and never by a name that nobody wrote", () => {
  expect(inFunction("let m = modf(x); let a = m.frac;")).toContain(
    "the result of modf has no member frac: it has fract, whole",
  );
  expect(inFunction("let m = frexp(vec3f(x)); let a = ldexp(m, 1);")).toContain(
    "ldexp doesn't take (the result of frexp, ",
  );
});
