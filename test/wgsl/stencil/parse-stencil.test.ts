/** What a stencil's source may say, where mistakes are told, and what its derivatives look like. */
import { describe, expect, test } from "vitest";
import { ArgumentError, WgslError } from "../../../src/base/errors.js";
import type { StencilForm } from "../../../src/wgsl/stencil/form.js";
import { forwardShader } from "../../../src/wgsl/stencil/harness.js";
import { parseStencil } from "../../../src/wgsl/stencil/parse-stencil.js";
import { turnedShader } from "../../../src/wgsl/stencil/turned.js";
import { Random } from "../derive/fuzz/random.js";

function read(wgsl: string, dimensions = 2): StencilForm {
  return parseStencil(wgsl, dimensions, () => "clamp");
}

function readsOf(wgsl: string, dimensions = 2): string[] {
  const { inputs, reads } = read(wgsl, dimensions).source;
  return reads.map(({ input, offset }) => `${inputs[input]?.name ?? ""}(${offset.join()})`);
}

describe("what is read", () => {
  test("each offset once, in the order of the text; numbers by no offset", () => {
    expect(
      readsOf(
        "fn f_forward(u: field, dt: f32, k: field) -> f32 { return u(0, -1) + dt * k(2, 0) * u(1, 1) + u(0, -1); }",
      ),
    ).toEqual(["u(0,-1)", "u(1,1)", "dt()", "k(2,0)"]);
  });

  test("offsets that are computed, from constants of the source", () => {
    const wgsl =
      "const f_far = 3;\nconst f_near = f_far - 2;\nfn f_forward(u: field) -> f32 { return u(-f_far) + u(f_near * 2 - 1); }";
    expect(readsOf(wgsl, 1)).toEqual(["u(-3)", "u(1)"]);
  });

  test("what a function reads that a field is handed on to, by way of others too", () => {
    const wgsl = `
      fn f_slope(v: field) -> f32 { return v(1) - v(-1); }
      fn f_both(a: field, b: field) -> f32 { return f_slope(a) * f_slope(b) + a(2); }
      fn f_forward(u: field, w: field) -> f32 { return f_both(w, u) + u(1); }`;
    expect(readsOf(wgsl, 1)).toEqual(["u(1)", "u(-1)", "w(1)", "w(-1)", "w(2)"]);
  });

  test("a field may be called as a function of WGSL is, or as what the shader declares", () => {
    const wgsl = "fn f_forward(sin: field, u_1: field, u: field) -> f32 { return sin(1) + u_1(0) * u(1) + u(0); }";
    const { wgsl: text } = read(wgsl, 1).source;
    expect(text).toContain("return sin_1 + u_1_0 * u_1_1 + u_0");
  });
});

test("offsets are made of constants, of the source or of the function", () => {
  const text = (body: string): string =>
    parseStencil(`const f_R = 3; fn f_forward(u: field) -> f32 { ${body} }`, 2, () => "zero")
      .source.reads.map(({ offset }) => offset.join(" "))
      .join(", ");
  expect(text("const r = 2; return u(r, -r) + u(f_R, 2 * r - 1);")).toBe("2 -2, 3 3");
  expect(text("const r = f_R; const s = r + 1; return u(s, 0);")).toBe("4 0");
  expect(text("if f_R > 2 { const r = 1; return u(r, 0); } return u(0, 0);")).toBe("1 0, 0 0");
  for (const body of [
    "{ const r = 1; } const r = 2; return u(r, 0);",
    "const f_R = f_R; return u(f_R, 0);",
    "let r = 1; return u(r, 0);",
    "for (var k = 0; k < 2; k++) { const r = k; return u(r, 0); }",
  ]) {
    expect(() => text(body), body).toThrow("an offset is a whole number");
  }
});

describe("a mistake is told with its line and column", () => {
  const forward = (body: string, head = "u: field"): string => `fn f_forward(${head}) -> f32 {\n  ${body}\n}`;
  test.each([
    [
      "an offset that isn't known",
      forward("let i = 1; return u(i, 0);"),
      "line 2, column 23: an offset is a whole number",
    ],
    [
      "a parameter as an offset",
      forward("return u(i32(dt), 0);", "u: field, dt: f32"),
      "line 2, column 12: an offset is",
    ],
    ["an offset that isn't whole", forward("return u(0.5, 0);"), "line 2, column 12: an offset is a whole number"],
    ["an offset that goes too far", forward("return u(0, 40000);"), "line 2, column 15: an offset is at most 32767"],
    [
      "a name that hides a constant",
      `const f_a = 1;\n${forward("let f_a = 2; return u(f_a, 0);")}`,
      "line 3, column 25: an offset",
    ],
    [
      "too few offsets",
      forward("return u(1);"),
      "line 2, column 10: u takes 2 offsets, one for each dimension, as u(0, 0), not 1",
    ],
    [
      "a field as a value",
      forward("return 2.0 * u;"),
      "line 2, column 16: u is a field: read it at an offset, as u(0, 0)",
    ],
    ["a field given a name", forward("let v = u; return v(0, 0);"), "line 2, column 11: u is a field"],
    [
      "a name that hides a field",
      forward("{ let u = 1.0; }\n  return u(0, 0);"),
      "line 2, column 5: u is a field of this function",
    ],
    ["a field that is assigned to", forward("u(0, 0) = 1.0; return u(0, 0);"), "line 2, column 11: expected ;"],
    [
      "a field that nothing is done with",
      forward("u(0, 0); return u(0, 0);"),
      "line 2, column 3: nothing is done with what is read of u",
    ],
    ["a field that is never read", forward("return 1.0;"), "line 1, column 14: u is never read: leave it out"],
    [
      "a parameter of another type",
      forward("return u(0, 0);", "u: field, i: i32"),
      "line 1, column 24: a parameter is a field, as i: field, or one number",
    ],
    [
      "a field of another type",
      forward("return u(0, 0);", "u: field<i32>"),
      "line 1, column 14: a field is of f32, vec2f",
    ],
    ["no field", forward("return x;", "x: f32"), "line 1, column 1: f_forward reads no field"],
    [
      "another result",
      "fn f_forward(u: field) -> i32 {\n return i32(u(0, 0));\n}",
      "line 1, column 1: f_forward must return f32, vec2f, vec3f or vec4f, not i32",
    ],
    ["an unknown name", forward("return u(0, 0) * dt;"), "line 2, column 20: dt is not declared"],
    ["types that don't fit", forward("return u(0, 0) + true;"), "line 2, column 18: + doesn't go between f32 and bool"],
    ["no result", forward("let a = u(0, 0);"), "line 3"],
    [
      "a gradient by hand",
      `${forward("return u(0, 0);")}\nfn f_backward(gy: f32) -> f32 { return gy; }`,
      "line 4, column 1: f_backward: a stencil's gradient is derived",
    ],
    [
      "another name",
      `${forward("return g(u(0, 0));")}\nfn g(x: f32) -> f32 { return x; }`,
      "line 4, column 1: g must be named f_g",
    ],
    [
      "a binding",
      `${forward("return u(0, 0);")}\nvar<private> f_x: f32;`,
      "line 4, column 1: a stencil's WGSL has functions, constants and types only",
    ],
    [
      "a number for a field that is handed on",
      `fn f_a(v: field) -> f32 { return v(1, 0); }\n${forward("return f_a(u(0, 0));")}`,
      "line 3, column 14: f_a's v is a field of f32: hand on one",
    ],
    [
      "another field than one of vectors",
      `fn f_a(v: field<vec2f>) -> f32 { return v(1, 0).x; }\n${forward("return f_a(u);")}`,
      "line 3, column 14: f_a's v is a field of vec2f",
    ],
    [
      "too few operands beside a field",
      `fn f_a(v: field, s: f32) -> f32 { return v(1, 0) * s; }\n${forward("return f_a(u);")}`,
      "line 3, column 10: f_a takes 2 operands (v, s), not 1",
    ],
    [
      "a wrong operand beside a field",
      `fn f_a(v: field, s: f32) -> f32 { return v(1, 0) * s; }\n${forward("return f_a(u, true);")}`,
      "line 3, column 17: f_a's s is f32, and can't be bool",
    ],
    [
      "a function that calls itself",
      `fn f_a(v: field) -> f32 { return v(1, 0) + f_a(v); }\n${forward("return f_a(u);")}`,
      "line 1, column 1: f_a calls itself",
    ],
    [
      "a variable that is a field",
      forward("var v: field; return u(0, 0);"),
      "line 2, column 3: only a parameter can be a field",
    ],
  ] as const)("%s", (_, wgsl, message) => {
    expect(() => read(wgsl)).toThrow(WgslError);
    expect(() => read(wgsl)).toThrow(message);
    expect(() => read(wgsl)).not.toThrow(/u_|_0|stencil_|bug/);
  });

  test("what can't be differentiated, in the words that it was written in", () => {
    const form = read("fn f_forward(u: field) -> f32 {\n  let a = exp(u(0, 0)); return f32(bitcast<u32>(u(1, 0)));\n}");
    expect(() => form.by(1)).toThrow("line 2, column 36: the bits of a value that has a derivative");
    expect(() => form.by(1)).toThrow("f32(bitcast<u32>(u(1, 0)))");
  });

  test("no source at all", () => {
    expect(() => parseStencil(5, 1, () => "zero")).toThrow(ArgumentError);
    expect(() => read("")).toThrow(WgslError);
  });
});

test("a source that is broken gives a WgslError, or can be differentiated", () => {
  const whole = `
    fn f_flow(d: f32, v: field) -> f32 { if (d > 0.0) { return d * exp(-d * d) + v(1, 0); } return v(0, 1); }
    fn f_forward(u: field, k: field<vec2f>, dt: f32) -> f32 {
      var s = 0.0;
      for (var i = 0; i < 3; i++) { s += f_flow(u(1, 0) - u(0, 0), u) * k(-1, 0).x; }
      return u(0, 0) + dt * s * f32(position().x);
    }`;
  const tokens = whole.match(/\w+|[^\w\s]/g) ?? [];
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const broken = [...tokens];
    const at = Math.floor(random.next() * broken.length);
    const other = broken[Math.floor(random.next() * broken.length)] ?? "";
    if (round % 2 === 0) broken.splice(at, 1);
    else broken[at] = other;
    const text = broken.join(" ");
    try {
      const form = read(text);
      form.source.reads.forEach((__, k) => form.by(k));
    } catch (error) {
      expect(error, text).toBeInstanceOf(WgslError);
    }
  }
});

describe("what is derived", () => {
  const heat = read(`
    fn heat_forward(u: field, k: field) -> f32 {
      return u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) - 2.0 * u(0, 0));
    }`);

  test("by each read, without what it doesn't need", () => {
    expect(heat.source.reads.map((_, k) => heat.by(k).wgsl.trim())).toEqual([
      "fn heat_by_u_0_0(k_0_0: f32) -> f32 {\n  return 1.0 - k_0_0 * 2.0;\n}",
      "fn heat_by_u_1_0(k_0_0: f32) -> f32 {\n  return k_0_0;\n}",
      "fn heat_by_u_m1_0(k_0_0: f32) -> f32 {\n  return k_0_0;\n}",
      "fn heat_by_k_0_0(u_0_0: f32, u_1_0: f32, u_m1_0: f32) -> f32 {\n  return u_1_0 + u_m1_0 - 2.0 * u_0_0;\n}",
    ]);
  });

  test("a gradient binds what it depends on, and nothing else", () => {
    const bound = (wanted: number[]): readonly number[] =>
      turnedShader(heat, ["full", "full", "full"], wanted, false).bound;
    expect(bound([0])).toEqual([1, 2]);
    expect(bound([1])).toEqual([0, 2]);
  });

  test("along a field: the stencil of its changes, which doesn't read what it is linear in", () => {
    const { source } = heat.along(0);
    expect(source.reads.map(({ input, offset }) => `${input}: ${offset.join()}`)).toEqual([
      "2: 0,0",
      "2: 1,0",
      "2: -1,0",
      "1: 0,0",
    ]);
    expect(forwardShader(heat.along(0), ["full", "full", "full"], false).bound).toEqual([1, 2]);
  });
});
