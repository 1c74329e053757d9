import { expect, test } from "vitest";
import { withInitialValues } from "../../../src/wgsl/language/initial-values.js";
import { parse } from "../../../src/wgsl/language/parser.js";
import { SourceText } from "../../../src/wgsl/language/source-text.js";

function filled(text: string): string {
  const source = new SourceText(text, "test");
  return withInitialValues(source, parse(source));
}

test("every var gets the value that WGSL says it has, wherever it stands, and no line moves", () => {
  const source = `fn f(n: i32) -> f32 {
  var a: f32; // not ; this
  for (var i: i32; i < n; i++) {
    var b : vec3<f32> /* ; */ ;
    if n > 1 { var c: array<f32, 2 * 2>; } else { var d: bool; }
    loop { var e: mat2x2f; break; }
    switch n { default: { var g: u32; } }
  }
  return a;
}`;
  expect(filled(source)).toBe(`fn f(n: i32) -> f32 {
  var a: f32 = f32(); // not ; this
  for (var i: i32 = i32(); i < n; i++) {
    var b : vec3<f32> /* ; */  = vec3<f32>();
    if n > 1 { var c: array<f32, 2 * 2> = array<f32, 2 * 2>(); } else { var d: bool = bool(); }
    loop { var e: mat2x2f = mat2x2f(); break; }
    switch n { default: { var g: u32 = u32(); } }
  }
  return a;
}`);
});

test("what has a value stays as it is", () => {
  const source = "fn f() { var a = 1.0; let b: f32 = 2; { const c = 3; } }";
  expect(filled(source)).toBe(source);
});
