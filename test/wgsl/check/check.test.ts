import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isGpugradError, WgslError } from "../../../src/base/errors.js";
import { check } from "../../../src/wgsl/check/check.js";
import { withAllMath } from "../../../src/wgsl/all-math.js";
import { joinMath } from "../../../src/wgsl/math.js";
import { parse } from "../../../src/wgsl/language/parser.js";
import { SourceText } from "../../../src/wgsl/language/source-text.js";
import type { Checked } from "../../../src/wgsl/check/symbols.js";
import { showType } from "../../../src/wgsl/check/types.js";

function checked(text: string): Checked {
  const source = new SourceText(text, "test");
  return check(source, parse(source), () => null);
}

/** The type of the value of the last `_ = …;`. */
function typeOf(expression: string, before = ""): string {
  const { declarations, types } = checked(`${before}\nfn test() { _ = ${expression}; }`);
  const f = declarations[declarations.length - 1];
  const [statement] = f?.kind === "function" ? f.body : [];
  if (statement?.kind !== "assignment") throw new Error("no assignment");
  const type = types.get(statement.value);
  return type === undefined ? "unknown" : showType(type);
}

function errorOf(text: string): WgslError {
  try {
    checked(text);
  } catch (error) {
    if (error instanceof WgslError) return error;
    throw error;
  }
  throw new Error("no mistake was found");
}

const elementwiseShaders = readdirSync("shaders").filter(
  (name) => name.endsWith(".wgsl") && readFileSync(`shaders/${name}`, "utf8").includes("_forward"),
);

describe("a source without a mistake", () => {
  test.each(elementwiseShaders)("such as shaders/%s and the math that it names, passes", (name) => {
    const whole = joinMath(withAllMath(readFileSync(`shaders/${name}`, "utf8")), "exact");
    expect(checked(whole).functions.size).toBeGreaterThan(0);
  });

  test.each([
    ["1", "a whole number"],
    ["1.0", "a number"],
    ["1e3", "a number"],
    ["0x1p2", "a number"],
    ["1f", "f32"],
    ["0x1f", "a whole number"],
    ["3u", "u32"],
    ["1 + 2.0", "a number"],
    ["1 + 2.0f", "f32"],
    ["2 * vec3f(1, 2, 3)", "vec3f"],
    ["vec3f(1) * vec3f(2) < vec3f(3)", "vec3<bool>"],
    ["vec2(1, 2)", "vec2 of whole numbers"],
    ["vec2(1u, 2)", "vec2u"],
    ["vec4f(vec2f(1, 2), 3, 4).wzyx", "vec4f"],
    ["vec3f().x", "f32"],
    ["vec3i(vec3f(1.5))", "vec3i"],
    ["mat2x3f() * vec2f(1, 2)", "vec3f"],
    ["vec3f() * mat2x3f()", "vec2f"],
    ["mat2x3f() * mat4x2f()", "mat4x3f"],
    ["2.0 * mat2x2f(1, 2, 3, 4)", "mat2x2f"],
    ["mat2x3f()[1]", "vec3f"],
    ["transpose(mat2x3f())", "mat3x2f"],
    ["determinant(mat3x3f())", "f32"],
    ["array<f32, 3>(1, 2, 3)[1]", "f32"],
    ["array(1.0, 2)", "array of 2 numbers"],
    ["array(1, x)", "array<f32, 2>", "const x = 2f;"],
    ["array(1, 2, 3)", "array of 3 whole numbers"],
    ["f_A[1] * 2f", "f32", "const f_A = array(1, 2, 3);"],
    ["vec2()", "vec2 of whole numbers"],
    ["array<f32, 1 << 2>()", "array<f32, 4>"],
    ["array<f32, max(3, 4)>()", "array<f32, 4>"],
    ["array<f32, N[1]>()", "array<f32, 2>", "const N = array(1, 2);"],
    ["array<f32, N>()", "array<f32, 4>", "const N = max(3, 4);"],
    ["array<f32, select(3, 4, N.y > 1)>()", "array<f32, 4>", "const N = vec2(1, 2);"],
    ["array<f32, S(2, 3).n + u32(2.5)>()", "array<f32, 5>", "struct S { m: f32, n: u32 }"],
    ["array<f32, ~0u % 7 + (5u ^ 1u)>()", "array<f32, 7>"],
    ["dot(vec3f(1), vec3f(2))", "f32"],
    ["dot(vec3i(1), vec3i(2))", "i32"],
    ["cross(vec3f(1), vec3f(2))", "vec3f"],
    ["length(vec2f(1))", "f32"],
    ["length(2f)", "f32"],
    ["mix(vec3f(1), vec3f(2), 0.5)", "vec3f"],
    ["clamp(2, 1, 3)", "a whole number"],
    ["sqrt(2)", "a number"],
    ["max(1u, 2u)", "u32"],
    ["select(1.0f, 2, true)", "f32"],
    ["select(vec2f(1), vec2f(2), vec2<bool>(true, false))", "vec2f"],
    ["modf(1.5f).whole", "f32"],
    ["frexp(vec2f(1)).exp", "vec2i"],
    ["bitcast<u32>(1f)", "u32"],
    ["bitcast<vec2f>(vec2u(1, 2))", "vec2f"],
    ["all(vec2f(1) == vec2f(1))", "bool"],
    ["1u << 2", "u32"],
    ["(3 & 5) | 2", "a whole number"],
    ["-vec2i(1, 2)", "vec2i"],
    ["pack4x8unorm(vec4f())", "u32"],
    ["unpack2x16float(1u)", "vec2f"],
    ["test_pair(1, vec2f()).b", "vec2f", "struct test_pair { a: f32, b: vec2f }"],
    ["f(1, 2)", "f32", "fn f(a: f32, b: f32) -> f32 { return a * b; }"],
    ["V(1, 2).y", "f32", "alias V = vec2<f32>;"],
    ["array<f32, N * 2>()", "array<f32, 6>", "const N = 3;"],
  ])("gives %s the type %s", (expression, type, before = "") => {
    expect(typeOf(expression, before)).toBe(type);
  });

  test.each([
    [
      "uses names before they are declared",
      "fn f() -> f32 { return g(N); }\nfn g(x: f32) -> f32 { return x; }\nconst N = 2.0;",
    ],
    ["shadows names in inner blocks", "fn f(x: f32) -> f32 { if x > 0 { let x = vec2f(1); return x.y; } return x; }"],
    ["may shadow a function that it doesn't call", "fn g() { }\nfn f() { let g = 1.0; _ = g; }"],
    ["returns on every way", "fn f(x: f32) -> f32 { if x > 0 { return 1; } else { return 2; } }"],
    ["returns out of a loop without an end", "fn f() -> f32 { loop { if true { return 1; } } }"],
    ["returns in every case", "fn f(i: i32) -> i32 { switch i { case 1: { return 1; } default: { return 2; } } }"],
    ["uses a loop's names in continuing", "fn f() { loop { let a = 1; continuing { break if a > 0; } } }"],
    ["has an array of a length with a name", "const N = 2; fn f() { var a: array<f32, N * 2>; a[3] = 1; }"],
    [
      "has arrays of a length with a name of its own, or of the block's",
      "const N = 2; fn f() { const N = 4; const M = N; var a: array<vec2f, M>; { const N = 5u; let b = array<i32, N>(1, 2, 3, 4, 5); } }",
    ],
    ["writes components and elements", "fn f() { var a = array<vec3f, 2>(); a[1].y += 2; }"],
    [
      "goes through pointers",
      "fn f(p: ptr<function, vec2f>) { (*p).x = 1; p.y = 2; }\nfn g() { var v = vec2f(); f(&v); }",
    ],
    ["counts down", "fn f() { for (var i = 3u; i > 0; i--) { continue; } }"],
    ["keeps a number without a size", "fn f() { const a = 2; let b = 1.5 * a; let c = 1u + a; _ = b; _ = c; }"],
  ])("%s", (_, source) => {
    expect(() => checked(source)).not.toThrow();
  });
});

describe("a mistake is told with its line", () => {
  test.each([
    ["fn f() -> f32 {\n  return y;\n}", 2, "y is not declared"],
    ["fn f() -> f32 {\n  return sine(1.0);\n}", 2, "there is no function sine"],
    ["fn f() -> f32 {\n  return sin;\n}", 2, "sin is a function: it needs its operands"],
    ["fn f(x: f23) { }", 1, "there is no type f23"],
    ["fn f(x: f32) -> f32 {\n  return x + 1u;\n}", 2, "+ doesn't go between f32 and u32"],
    ["fn f(x: f32) {\n  let i: i32 = x;\n}", 2, "i is i32, and can't hold f32"],
    ["fn f(x: f32) {\n  x = 1;\n}", 2, "x is a parameter, and can't be changed"],
    ["fn f() {\n  let a = 1;\n  a += 1;\n}", 3, "a was declared by let"],
    ["fn f() {\n  var v = vec3f();\n  v.xx = vec2f(1);\n}", 3, ".xx has x twice"],
    ["fn f() {\n  var v = vec3f();\n  v.xyx.xz += vec2f(1);\n}", 3, ".xyx has x twice"],
    ["fn f() {\n  let v = vec3f();\n  v.xy = vec2f(1);\n}", 3, "v was declared by let"],
    ["fn f() {\n  var v = vec3f();\n  v.xy = vec3f(1);\n}", 3, "what is assigned to is vec2f"],
    ["fn f() {\n  var v = vec2f();\n  v.z = 1;\n}", 3, "2 components, so no .z"],
    ["fn f() {\n  let a = 1;\n  let a = 2;\n}", 3, "a is declared twice"],
    ["fn f() { }\nfn f() { }", 2, "f is declared twice"],
    ["fn f(x: f32) -> f32 {\n  if x > 0 { return 1; }\n}", 3, "can end here without a return"],
    ["fn f() -> f32 {\n  loop { break; }\n}", 3, "can end here without a return"],
    ["fn f(i: i32) -> i32 {\n  switch i { case 1: { return 1; } default: { break; } }\n}", 3, "without a return"],
    ["fn f() {\n  break;\n}", 2, "no loop or switch"],
    ["fn f(i: i32) {\n  switch i { default: { continue; } }\n}", 2, "no loop to continue"],
    ["fn f() -> f32 {\n  return vec2f(1);\n}", 2, "f returns f32, not vec2f"],
    ["fn f() -> f32 {\n  return;\n}", 2, "f returns f32, not nothing"],
    ["fn f() {\n  return 1.0;\n}", 2, "f returns nothing, not a number"],
    ["fn f() {\n  if 1 { }\n}", 2, "a condition is a bool"],
    ["fn g(a: f32, b: f32) { }\nfn f() {\n  g(1);\n}", 3, "g takes 2 operands (a, b), not 1"],
    ["fn g(a: f32) { }\nfn f() {\n  g(1u);\n}", 3, "g's a is f32, and can't be u32"],
    ["fn f() {\n  let a = dot(vec2f(), vec3f());\n}", 2, "dot doesn't take (vec2f, vec3f)"],
    ["fn f() {\n  let a = vec3f(1, 2);\n}", 2, "vec3f can't be made of (a whole number, a whole number)"],
    ["fn f() {\n  let a = vec2f(1)[0.5];\n}", 2, "an index is a whole number"],
    ["struct S { a: f32 }\nfn f(s: S) {\n  let b = s.b;\n}", 3, "S has no member b"],
    ["fn g() -> f32 { return f(); }\nfn f() -> f32 { return g(); }", 1, "WGSL has no recursion"],
    ["fn f() {\n  var a: array<f32, 4294967295>;\n}", 2, "16384 numbers at most, and one of this type has 4294967295"],
    ["fn f() {\n  let a = array<vec4f, 5000>();\n}", 2, "has 20000"],
    ["fn f(x: array<array<array<f32, 1000>, 1000>, 1000>) { }", 1, "has 1000000"],
    ["const A = array(\n  array<f32, 9000>(), array<f32, 9000>());", 1, "has 18000"],
    ["fn f(x: f32) -> f32 {\n  return x > 0 ? x : 0;\n}", 2, '"?": choose by select(otherwise, then, condition)'],
    ["fn f() {\n  let a = 🦄;\n}", 2, 'no character "🦄"'],
    ["fn f(x: f32) {\n  float a = x;\n}", 2, "a variable is declared by its name: let a = …, or var a = …"],
    ["fn f(x: f32) {\n  for (int i = 0; i < 3; i++) { }\n}", 2, "let i = …, or var i = …"],
    ["struct S { s: S }", 1, "S is declared by means of itself"],
    ["const A = B;\nconst B = A;", 1, "A is declared by means of itself"],
    ["fn f() {\n  switch 1 { case 1: { } }\n}", 2, "one default"],
    ["fn g() { }\nfn f() {\n  let a = g();\n}", 3, "this call gives nothing"],
    ["fn f(n: i32) {\n  let a = array<f32, n>();\n}", 2, "n"],
    ["fn f() {\n  let n = 2;\n  var a: array<f32, n>;\n}", 3, "an array's length is a whole number that is known"],
    ["fn f() {\n  { const n = 2; }\n  var a: array<f32, n>;\n}", 3, "n is not declared"],
    ["fn f() {\n  const n = 2;\n  var a: array<f32, n> = array<f32, 3>();\n}", 3, "array<f32, 2>, and can't hold"],
    ["fn f() {\n  let a = bitcast<f32>(vec2u());\n}", 2, "the bits of vec2u are no f32"],
  ])("%j", (source, line, message) => {
    const error = errorOf(source);
    expect(error.message).toContain(message);
    expect(error.line).toBe(line);
  });
});

describe("what grows twofold, or without an end, is told at once", () => {
  const lines = (count: number, line: (k: number) => string): string =>
    Array.from({ length: count }, (_, k) => `${line(k + 1)}\n`).join("");

  test("structs of structs", () => {
    const source = `struct S0 { a: f32, b: f32 }\n${lines(40, (k) => `struct S${k} { a: S${k - 1}, b: S${k - 1} }`)}`;
    const error = errorOf(`${source}fn f() { var s: S40; }`);
    expect(error.message).toContain("16384 numbers at most, and one of this type has 32768");
    expect(error.line).toBe(15);
  });

  test("functions that call each other", () => {
    const source = (count: number): string =>
      `fn g0(x: f32) -> f32 { return x; }\n${lines(count, (k) => `fn g${k}(x: f32) -> f32 { return g${k - 1}(x); }`)}`;
    expect(() => checked(source(100))).not.toThrow();
    expect(errorOf(source(800)).message).toContain("functions call each other more than 128 deep");
  });
});

test("broken sources are told as gpugrad's errors, never as a fault of its own", () => {
  const sources = [
    ...elementwiseShaders.map((name) => readFileSync(`shaders/${name}`, "utf8")),
    readFileSync("shaders/math/exp.wgsl", "utf8"),
  ];
  const words = [
    "f32",
    "u32",
    "vec2f",
    "x",
    "y",
    "1.0",
    "2u",
    "true",
    "bitcast<u32>",
    "select",
    "sin",
    "gy",
    "+",
    "<",
    "&&",
    "[0]",
    ".x",
  ];
  const pattern = /[A-Za-z_]\w*|\d+\.?\d*|[-+*/<>=!&|]+/g;
  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.nat(), fc.constantFrom(...words), (source, seed, word) => {
      const found = [...source.matchAll(pattern)];
      const token = found[seed % found.length];
      if (token === undefined) return;
      const broken = source.slice(0, token.index) + word + source.slice(token.index + token[0].length);
      try {
        checked(joinMath(withAllMath(broken), "exact"));
      } catch (error) {
        expect(isGpugradError(error), String(error)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});
