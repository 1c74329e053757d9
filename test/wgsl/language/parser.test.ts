import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isGpugradError, WgslError } from "../../../src/base/errors.js";
import { parse } from "../../../src/wgsl/language/parser.js";
import { printExpression, printModule } from "../../../src/wgsl/language/printer.js";
import { SourceText } from "../../../src/wgsl/language/source-text.js";
import type { Expression, ModuleDeclaration, Statement } from "../../../src/wgsl/language/syntax.js";

const read = (text: string): ModuleDeclaration[] => parse(new SourceText(text, "test"));

/** The tree without the places in the source, and with the value that the printer gives a variable that has none. */
function bare(tree: unknown): unknown {
  const text = JSON.stringify(tree, (key, value: unknown) => (/^(?:at|end|written)$/.test(key) ? undefined : value));
  return JSON.parse(text, (_, value: unknown) => (isBare(value) ? { ...value, value: call(value.type) } : value));
}

function isBare(value: unknown): value is { readonly type: object } {
  const { kind, keyword, space, type, value: own } = Object(value) as Partial<Record<string, unknown>>;
  return (
    kind === "declaration" &&
    keyword === "var" &&
    (space as readonly unknown[]).length === 0 &&
    type !== null &&
    own === null
  );
}

function call(callee: object): object {
  return { kind: "call", callee, args: [] };
}

function statementsOf(body: string): readonly Statement[] {
  const [f] = read(`fn f() { ${body} }`);
  if (f?.kind !== "function") throw new Error("no function");
  return f.body;
}

function expressionOf(text: string): Expression {
  const [statement] = statementsOf(`_ = ${text};`);
  if (statement?.kind !== "assignment") throw new Error("no assignment");
  return statement.value;
}

/** An expression with all its brackets. */
function grouped(expression: Expression): string {
  switch (expression.kind) {
    case "binary":
      return `(${grouped(expression.left)} ${expression.operator} ${grouped(expression.right)})`;
    case "unary":
      return `(${expression.operator}${grouped(expression.operand)})`;
    default:
      return printExpression(expression);
  }
}

function shaderFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".wgsl"))
    .map((name) => `${folder}/${name}`);
}

describe("the parser", () => {
  test.each(shaderFiles("shaders"))("reads %s, and what is printed of it is the same", (file) => {
    const tree = read(readFileSync(file, "utf8"));
    expect(tree.length).toBeGreaterThan(0);
    expect(bare(read(printModule(tree)))).toEqual(bare(tree));
  });

  test.each([
    ["a + b * c - d / e % f", "((a + (b * c)) - ((d / e) % f))"],
    ["a - b - c", "((a - b) - c)"],
    ["-a * -b", "((-a) * (-b))"],
    ["a < b && c >= d && !e", "(((a < b) && (c >= d)) && (!e))"],
    ["(a & b) == 0u || c", "(((a & b) == 0u) || c)"],
    ["a + b < c << 2u", "((a + b) < (c << 2u))"],
    ["1 << 2u", "(1 << 2u)"],
    ["a | b | c", "((a | b) | c)"],
    ["-x.y", "(-x.y)"],
    ["- - x", "(-(-x))"],
  ])("groups %s as WGSL does", (text, groups) => {
    expect(grouped(expressionOf(text))).toBe(groups);
  });

  test.each([
    "a & b == c",
    "a && b || c",
    "a < b < c",
    "a << b << c",
    "a + b << c",
    "a | b & c",
    "a == b != c",
    "a ^ b + c",
  ])("asks for brackets in %s", (text) => {
    expect(() => expressionOf(text)).toThrow(/needs brackets/);
  });

  test.each([
    "1",
    "1u",
    "1i",
    "1f",
    "1h",
    "1.",
    ".5",
    "1.5e-3f",
    "1e10",
    "0x1F",
    "0x1Fu",
    "0x1.8p3",
    "0x.8p-1f",
    "0X1p4",
    "0xAi",
  ])("reads the number %s", (text) => {
    expect(expressionOf(text)).toMatchObject({ kind: "number", text });
  });

  test.each([
    ["a.xyz", { kind: "member", name: "xyz" }],
    ["a[i + 1].x", { kind: "member", object: { kind: "index" } }],
    ["f(a, b,)", { kind: "call", args: [{ name: "a" }, { name: "b" }] }],
    ["vec3<f32>(1.0)", { kind: "call", callee: { name: "vec3", args: [{ name: "f32" }] } }],
    [
      "array<vec2<f32>, 2 * 3>()",
      { kind: "call", callee: { args: [{ name: "vec2" }, { kind: "binary", operator: "*" }] } },
    ],
    [
      "array<array<f32, 2>, N>(a, b)",
      { kind: "call", callee: { args: [{ name: "array" }, { kind: "type", name: "N" }] } },
    ],
    ["bitcast<vec2<u32>>(x)", { kind: "call", callee: { name: "bitcast" } }],
    ["vec2f(1, 2).yx", { kind: "member", object: { kind: "call" } }],
    ["*p", { kind: "unary", operator: "*" }],
    ["g(x < 1, (x > 2))", { kind: "call", args: [{ operator: "<" }, { operator: ">" }] }],
    ["x < 1 && x > (2)", { operator: "&&", left: { operator: "<" }, right: { operator: ">" } }],
    ["a[i] < b[j > 1]", { operator: "<", left: { kind: "index" } }],
    ["g(x <= 1, x > 2)", { kind: "call", args: [{ operator: "<=" }, { operator: ">" }] }],
    ["array<f32, 1 << 2>()", { kind: "call", callee: { args: [{ name: "f32" }, { operator: "<<" }] } }],
    ["array<f32, (8 >> 1)>()", { kind: "call", callee: { args: [{ name: "f32" }, { operator: ">>" }] } }],
  ])("reads %s", (text, tree) => {
    expect(expressionOf(text)).toMatchObject(tree);
  });

  test.each([
    ["var a: f32;", { kind: "declaration", keyword: "var", type: { name: "f32" }, value: null }],
    ["let a = 1;", { kind: "declaration", keyword: "let", type: null }],
    ["const N: u32 = 4u;", { kind: "declaration", keyword: "const" }],
    ["a *= 2.0;", { kind: "assignment", operator: "*" }],
    ["a[0].x <<= 1u;", { kind: "assignment", operator: "<<" }],
    ["i++;", { kind: "assignment", operator: "+", value: { text: "1" } }],
    ["i--;", { kind: "assignment", operator: "-" }],
    ["f(1.0);", { kind: "call statement" }],
    ["return;", { kind: "return", value: null }],
    [
      "if a { return; } else if (b) { c = 1; } else { c = 2; }",
      { kind: "if", otherwise: [{ kind: "if", otherwise: [{}] }] },
    ],
    [
      "for (var i = 0; i < 4; i++) { continue; }",
      { kind: "for", update: { operator: "+" }, body: [{ kind: "continue" }] },
    ],
    ["for (;;) { break; }", { kind: "for", init: null, condition: null, update: null }],
    ["while a < b { a += 1; }", { kind: "while", condition: { operator: "<" } }],
    [
      "loop { if a { break; } continuing { i++; break if i > 3; } }",
      { kind: "loop", continuing: [{ operator: "+" }], breakIf: { operator: ">" } },
    ],
    [
      "switch i { case 1, 2: { a = 1; } case 3 { } default: { break; } }",
      { kind: "switch", cases: [{ selectors: [{ text: "1" }, { text: "2" }] }, {}, { selectors: [null] }] },
    ],
    ["{ let inner = 1; }", { kind: "block", body: [{ name: "inner" }] }],
  ])("reads the statement %s, and prints it as it was", (text, tree) => {
    const [statement] = statementsOf(text);
    expect(statement).toMatchObject(tree);
  });

  test("reads what stands outside of functions", () => {
    const tree = read(`
      enable f16;
      alias Pair = vec2<f32>;
      struct Light { @align(16) at: vec3f, power: f32, }
      const N = 3u;
      @group(0) @binding(1) var<storage, read_write> out: array<f32>;
      const_assert N > 2u;
      @compute @workgroup_size(64, 1) fn main(@builtin(global_invocation_id) id: vec3u) { }`);
    expect(tree.map(({ kind }) => kind)).toEqual([
      "directive",
      "alias",
      "struct",
      "declaration",
      "declaration",
      "assert",
      "function",
    ]);
    expect(tree[4]).toMatchObject({
      space: ["storage", "read_write"],
      attributes: [{ name: "group" }, { name: "binding" }],
    });
  });

  test("skips comments, which nest", () => {
    expect(bare(read("/* a /* b */ c */ fn f() { // }\n }"))).toEqual(bare(read("fn f() { }")));
  });

  test("what a list of template arguments computes is printed so that the list doesn't end too early", () => {
    const text = "fn f() {\n  var a: array<f32, (8 >> 1)> = array<f32, (8 >> 1)>();\n}\n";
    expect(printModule(read(text))).toBe(text);
  });

  test("names may be in any script", () => {
    expect(read("fn Δέλτα_1() { let été = 1; }")[0]).toMatchObject({ name: "Δέλτα_1", body: [{ name: "été" }] });
  });
});

describe("a mistake", () => {
  test.each([
    ["fn f( { }", 1, 7, "expected a name, found {"],
    ["fn f() -> f32 {\n  return 1.0\n}", 3, 1, "expected ;, found }"],
    ["fn f() {\n  let x;\n}", 2, 8, "expected = and the value of x"],
    ["fn f() { var x; }", 1, 15, "expected : and a type"],
    ["fn f() { x + 1; }", 1, 12, "expected an assignment or a call, found +"],
    ["fn f() { let a = (1 + 2; }", 1, 24, "expected ), found ;"],
    ["fn f() { let a = 1 + ; }", 1, 22, "expected an expression, found ;"],
    ["fn f() {", 1, 9, "found the end of the source"],
    ["fn f() { /* }", 1, 10, "no end"],
    ["fn f() { let a = 'x'; }", 1, 18, "no character"],
    ["let a = 1;", 1, 1, "expected fn, struct"],
    ["fn f() { case 1: { } }", 1, 10, "expected an expression, found case"],
    ["fn f() { let loop = 1; }", 1, 14, "loop is a word of WGSL's own: choose another name"],
    ["fn f(class: f32) { }", 1, 6, "class is a word that WGSL keeps for itself"],
    ["struct S { final: f32 }", 1, 12, "final is a word that WGSL keeps for itself"],
    ["fn self() { }", 1, 4, "self is a word that WGSL keeps for itself"],
    ["fn f() { let __a = 1; }", 1, 14, "__a begins with two underscores"],
    ["fn f(_: f32) { }", 1, 6, "_ is no name"],
    ["fn f() { let a = 01; }", 1, 18, "01 begins with 0"],
    ["fn f() { let a = 1.0u; }", 1, 18, "1.0u has a fraction or an exponent"],
    ["fn f() { let a = 1e3i; }", 1, 18, "1e3i has a fraction or an exponent"],
    ["fn f() { let a = g(x < 1, x > 2); }", 1, 20, "reads x < … > as a type with arguments"],
    ["fn f() { let a = g(v.x < 1, v.y >= 2); }", 1, 22, "reads x < … > as a type with arguments"],
  ])("in %j is told with line, column and the source's own words", (text, line, column, message) => {
    let error: unknown = null;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(WgslError);
    expect((error as WgslError).line).toBe(line);
    expect((error as WgslError).message).toContain(`test, line ${line}, column ${column}: `);
    expect((error as WgslError).message).toContain(message);
    expect((error as WgslError).message).toContain(`\n  ${text.split("\n")[line - 1]?.trim()}`);
  });

  test("of nesting without end is one too", () => {
    for (const [open, close] of [
      ["(", ")"],
      ["- ", ""],
      ["{ ", "}"],
      ["f(", ")"],
    ] as const) {
      const inside =
        open === "{ " ? open.repeat(5000) + close.repeat(5000) : `_ = ${open.repeat(5000)}1${close.repeat(5000)};`;
      expect(() => statementsOf(inside)).toThrow(/nested more than/);
    }
    expect(() => statementsOf(`_ = 1${" + 1".repeat(5000)};`)).toThrow(/512 operators in a row/);
    expect(() => statementsOf(`_ = a${".x".repeat(5000)};`)).toThrow(/512 operators in a row/);
    expect(() => statementsOf(`_ = 1${" + 1".repeat(500)};`)).not.toThrow();
    expect(() => statementsOf(`_ = ${"(".repeat(120)}1${")".repeat(120)};`)).not.toThrow();
    expect(() => statementsOf(`${"if a { } else ".repeat(5000)} { }`)).toThrow(/nested more than/);
    expect(() => read(`alias A = ${"array<".repeat(5000)}f32${">".repeat(5000)};`)).toThrow(/nested more than/);
  });

  test("made at random in real shaders is told, or is none, and never hangs", () => {
    const sources = shaderFiles("shaders").map((file) => readFileSync(file, "utf8"));
    const pieces = [
      "(",
      ")",
      "{",
      "}",
      ";",
      ",",
      "<",
      ">",
      "*",
      "fn",
      "let",
      "x",
      "1.0",
      "/*",
      "//",
      "\u0000",
      "@",
      "==",
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.nat(),
        fc.nat(12),
        fc.constantFrom(...pieces),
        (source, seed, cut, piece) => {
          const at = seed % source.length;
          try {
            read(source.slice(0, at) + piece + source.slice(at + cut));
          } catch (error) {
            expect(isGpugradError(error)).toBe(true);
            expect((error as WgslError).line).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("a mistake far into a long line is shown with what stands around it", () => {
  const line = `fn f() { ${"let a = 1; ".repeat(40)}let b = ;${" let c = 1;".repeat(40)} }`;
  const before = `${" ".repeat(4)}${line}`;
  expect(() => parse(new SourceText(before, "f"))).toThrow(/\n {2}….*let b = ;.*…$/);
});
