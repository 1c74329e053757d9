import { describe, expect, test } from "vitest";
import { interpret } from "./program.js";

/** The numbers of an expression of x = 0.7 and y = -1.3, n = 5 and u = 7. */
function valueOf(expression: string, type = "f32"): number | number[] {
  const source = `fn f(x: f32, y: f32, n: i32, u: u32) -> ${type} { return ${expression}; }`;
  return interpret(source, "f", [0.7, -1.3, 5, 7]);
}

function expectValue(actual: number | number[], expected: number | number[]): void {
  const [found, wanted] = [[actual].flat(), [expected].flat()];
  expect(found.length).toBe(wanted.length);
  found.forEach((value, k) => {
    const most = 1e-14 * Math.max(1, Math.abs(wanted[k]!));
    expect(Math.abs(value - wanted[k]!), `${value}, not ${wanted[k]!}`).toBeLessThanOrEqual(most);
  });
}

const [x, y] = [0.7, -1.3];

describe("an expression of floats has its value in float64", () => {
  test.each<[string, number]>([
    ["x + y * 2", x + y * 2],
    ["x - y / 3.0", x - y / 3],
    ["y % x", -0.6],
    ["-x", -x],
    ["1 / 2 + x", x],
    ["1 / 2.0 + x", x + 0.5],
    ["0x1.8p1 + 1e-1f + .5", 3.6],
    ["sin(x) * math_cos(y) + math_exact_tan(x)", Math.sin(x) * Math.cos(y) + Math.tan(x)],
    ["exp(x) + log(x) + exp2(x) + log2(x)", Math.exp(x) + Math.log(x) + 2 ** x + Math.log2(x)],
    ["acos(x) + asin(x)", Math.PI / 2],
    ["sinh(x) + cosh(x)", Math.exp(x)],
    ["tanh(y) + atan(y) + asinh(y)", Math.tanh(y) + Math.atan(y) + Math.asinh(y)],
    ["acosh(x + 1) + atanh(x)", Math.acosh(1.7) + Math.atanh(x)],
    ["atan2(x, y)", Math.atan2(x, y)],
    ["pow(x, y) + math_pow(x, 2)", x ** y + x * x],
    ["inverseSqrt(x) * sqrt(x)", 1],
    ["degrees(x) * radians(y)", x * y],
    ["floor(y) + ceil(y) + trunc(y) + round(2.5) + round(3.5)", -2 - 1 - 1 + 2 + 4],
    ["fract(y)", 0.7],
    ["sign(y) + abs(y) + step(x, y)", -1 + 1.3],
    ["min(x, y) + 10 * max(x, y)", -1.3 + 7],
    ["clamp(y, -1, 1) + saturate(x) + clamp(x, 1 + 0 * x, 0 * x)", -1 + 0.7 + 0],
    ["mix(x, y, 0.25)", 0.75 * x + 0.25 * y],
    ["smoothstep(0, 1, x)", x * x * (3 - 2 * x)],
    ["fma(x, y, 1)", x * y + 1],
    ["ldexp(x, 3)", 5.6],
    ["modf(y).fract + 10 * modf(y).whole", -0.3 - 10],
    ["frexp(y).fract * 4 + f32(frexp(y).exp)", -0.65 * 4 + 1],
    ["select(x, y, x < y) + select(1.0, 2.0, x > y)", x + 2],
    ["quantizeToF16(0.1)", 0.0999755859375],
    ["math_sigmoid(x)", 1 / (1 + Math.exp(-x))],
    ["math_softplus(x)", Math.log(1 + Math.exp(x))],
    ["math_erf(0.5)", 0.5204998778130465],
    ["math_erf(-2.5)", -0.999593047982555],
    ["math_tanh_slope(x) + math_tan_slope(x)", 1 - Math.tanh(x) ** 2 + 1 / Math.cos(x) ** 2],
    ["math_max(x, y) + math_min(x, y) + math_sign(y)", x + y - 1],
    ["select(1.0, 2.0, math_is_zero(x - x)) + f32(math_is_nan(x)) + f32(math_less(x, y))", 2],
  ])("%s", (expression, expected) => expectValue(valueOf(expression), expected));
});

describe("vectors and matrices follow the rules of algebra", () => {
  test.each<[string, string, number | number[]]>([
    ["vec3f(x, y, 1).zyx", "vec3f", [1, y, x]],
    ["vec4(vec2f(x, y), 3, 4).ba", "vec2f", [3, 4]],
    ["vec2f(1) * x + vec2f(1, 2) / 2", "vec2f", [x + 0.5, x + 1]],
    ["dot(vec3f(1, 2, 3), vec3f(4, 5, 6))", "f32", 32],
    ["cross(vec3f(1, 2, 3), vec3f(4, 5, 6))", "vec3f", [-3, 6, -3]],
    ["length(vec2f(3, 4)) + distance(vec2f(1, 1), vec2f(4, 5)) + length(y)", "f32", 11.3],
    ["normalize(vec2f(3, 4))", "vec2f", [0.6, 0.8]],
    ["reflect(vec2f(1, -1), vec2f(0, 1))", "vec2f", [1, 1]],
    ["refract(vec2f(0.6, -0.8), vec2f(0, 1), 0.5)", "vec2f", [0.3, -Math.sqrt(0.91)]],
    ["refract(vec2f(0.6, -0.8), vec2f(0, 1), 2)", "vec2f", [0, 0]],
    ["faceForward(vec2f(1, 2), vec2f(0, 1), vec2f(0, 1))", "vec2f", [-1, -2]],
    ["mat2x2f(1, 2, 3, 4) * vec2f(5, 6)", "vec2f", [23, 34]],
    ["vec2f(5, 6) * mat2x2f(1, 2, 3, 4)", "vec2f", [17, 39]],
    ["mat2x2f(1, 2, 3, 4) * mat2x2f(5, 6, 7, 8)", "mat2x2f", [23, 34, 31, 46]],
    ["mat3x2f(1, 2, 3, 4, 5, 6) * vec3f(1, 10, 100)", "vec2f", [531, 642]],
    ["transpose(mat3x2f(1, 2, 3, 4, 5, 6))", "mat2x3f", [1, 3, 5, 2, 4, 6]],
    ["determinant(mat3x3f(2, 0, 1, 1, 3, 2, 1, 1, 4))", "f32", 18],
    ["determinant(mat4x4f(2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0))", "f32", -6],
    ["(mat2x2f(1, 2, 3, 4) + 2 * mat2x2f(1, 0, 0, 1))[1]", "vec2f", [3, 6]],
    ["select(vec2f(1, 2), vec2f(3, 4), vec2f(x, y) > vec2f())", "vec2f", [3, 2]],
    ["mix(vec2f(0), vec2f(1, 2), 0.5) + fract(vec2f(1.25))", "vec2f", [0.75, 1.25]],
  ])("%s", (expression, type, expected) => expectValue(valueOf(expression, type), expected));
});

describe("whole numbers wrap, and divide as WGSL says", () => {
  test.each<[string, string, number | number[]]>([
    ["n / 2 + n % 3 - (-n) / 2 + (-n) % 3", "i32", 2 + 2 + 2 - 2],
    ["n / (n - 5) + n % (n - 5)", "i32", 5],
    ["2147483647 + n", "i32", -2147483644],
    ["1000003 * (n * 1000003)", "i32", Number(BigInt.asIntN(32, 1000003n * 5000015n))],
    ["u - 8", "u32", 4294967295],
    ["(u << 3u) | ((u >> 1u) ^ 2u)", "u32", 57],
    ["~n & 15", "i32", 10],
    ["u32(-1.5) + u32(3.9) + u32(-n)", "u32", 3 + 2 ** 32 - 5],
    ["i32(1e20) - i32(x)", "i32", 2147483647],
    ["i32(4294967295u)", "i32", -1],
    ["vec2i(vec2f(2.7, -2.7))", "vec2i", [2, -2]],
    ["bitcast<u32>(1.5f)", "u32", 0x3fc00000],
    ["abs(-n) + min(n, 3) + clamp(n, 1, 4) + sign(-n)", "i32", 11],
    ["dot(vec2i(n), vec2i(2, 3))", "i32", 25],
    ["countOneBits(u) + countLeadingZeros(u) + countTrailingZeros(8u) + firstLeadingBit(u)", "u32", 3 + 29 + 3 + 2],
    ["firstTrailingBit(0u)", "u32", 4294967295],
    ["reverseBits(u)", "u32", 0xe0000000],
    ["extractBits(-2, 0u, 4u) + extractBits(0xf0, 4u, 3u)", "i32", -2 - 1],
    ["insertBits(0u, u, 4u, 2u)", "u32", 48],
    ["pack4x8unorm(vec4f(0, 1, 0.5, 2))", "u32", 0xff80ff00],
    ["unpack2x16snorm(pack2x16snorm(vec2f(-1, 1)))", "vec2f", [-1, 1]],
    ["unpack2x16float(pack2x16float(vec2f(-0.375, 1024)))", "vec2f", [-0.375, 1024]],
    ["dot4I8Packed(0xff02u, 0x0304u)", "i32", 5],
    ["u32((true && n > 4) || n / (n - n) == 1) + u32(any(vec2<bool>(false, n == 5)))", "u32", 2],
  ])("%s", (expression, type, expected) => expect(valueOf(expression, type)).toEqual(expected));
});

describe("statements", () => {
  const run = (body: string, args: number[] = [3], before = ""): number | number[] =>
    interpret(`${before}\nfn f(n: i32) -> f32 { ${body} }`, "f", args);

  test.each<[string, string, number]>([
    [
      "for, with continue and break",
      "var s = 0.0; for (var i = 0; i < 9; i++) { if i == 1 { continue; } if i == 4 { break; } s += f32(i); } return s;",
      5,
    ],
    ["while", "var s = 1.0; var k = n; while k > 0 { s *= 2.0; k--; } return s;", 8],
    [
      "loop with continuing and break if",
      "var s = 0.0; var i = 0; loop { if i == 1 { continue; } s += 1.0; continuing { i++; break if i >= 4; } } return s;",
      3,
    ],
    [
      "what a loop's body declares is seen by continuing",
      "var s = 0.0; loop { let t = s + 1; continuing { s = t; break if t > 4; } } return s;",
      5,
    ],
    ["return out of loops", "for (var i = 0; ; i++) { loop { if i * i > 20 { return f32(i); } break; } }", 5],
    [
      "switch",
      "var s = 0.0; for (var i = 0; i < 5; i++) { switch i { case 0: { s += 1; } case 1, 3: { s += 10; break; } case 2: { continue; } default: { s += 100; } } s += 1000; } return s;",
      4121,
    ],
    [
      "shadowing",
      "let a = 1.0; var s = a; { let a = 10.0; s += a; if true { var a = 100.0; a += 1; s += a; } s += a; } return s + a;",
      123,
    ],
    [
      "a var is zeroed at each turn",
      "var s = 0.0; for (var i = 0; i < 3; i++) { var a: f32; a += 1; s += a; } return s;",
      3,
    ],
    [
      "arrays are values",
      "var a = array(1.0, 2, 3); let b = a; a[1] = 20; a[n - 1] += 5; return a[0] + a[1] + a[2] + 100 * b[1];",
      229,
    ],
    [
      "arrays of arrays, and of vectors",
      "var a: array<array<vec2f, 2>, 2>; a[1][0].y = 3; a[1][1] = vec2(1, 2); let b = a[1]; return b[0].y * 10 + b[1].y;",
      32,
    ],
    [
      "components are written by name and by index",
      "var v = vec3f(); v.x = 1; v[n - 2] = 2; v.b += 3; return v.x + 10 * v.y + 100 * v.z;",
      321,
    ],
    [
      "columns and elements of a matrix",
      "var m = mat2x3f(); m[1] = vec3f(1, 2, 3); m[0][2] = 4; m[1].x *= 5; return m[0].z + 10 * m[1].x + 100 * m[1][1];",
      254,
    ],
    ["compound assignments with matrices", "var v = vec2f(5, 6); v *= mat2x2f(1, 2, 3, 4); return v.x + v.y;", 56],
    ["the value that nobody wants is computed", "_ = n + 1; const c = 3; return c;", 3],
    ["whole numbers as counters", "var k = 7u; k /= 2; k <<= 3u; k |= 1u; k--; return f32(k);", 24],
  ])("%s", (_, body, expected) => expectValue(run(body), expected));

  test("structs are passed by value, functions call each other, constants may stand anywhere", () => {
    const before = `
      struct Pair { a: f32, v: vec2f }
      alias Two = Pair;
      fn twice(p: Pair) -> Pair { var q = p; q.a *= k; q.v.y += q.a; return q; }
      const k: f32 = half * 4;
      const half = 1 / 2.0;
      const table = array(vec2f(1, 2), vec2f(3, 4));`;
    const body = "let p = Two(1.5, vec2f(1, 2)); let q = twice(twice(p)); return q.a + 100 * q.v.y + p.a + table[1].y;";
    expectValue(run(body, [0], before), 6 + 1100 + 1.5 + 4);
  });

  test("a loop without an end and an index outside are errors, not numbers", () => {
    expect(() => run("loop { if n > 100 { break; } } return 1;")).toThrow("a loop doesn't end");
    expect(() => run("var a = array(1.0, 2); return a[n];")).toThrow("no element 3");
  });

  test("operands may be vectors, and results anything that consists of numbers", () => {
    const source = "struct S { a: f32, m: mat2x2f }\nfn f(v: vec2f, s: S) -> S { return S(s.a + v.x, s.m * v.y); }";
    expect(
      interpret(source, "f", [
        [1, 2],
        [3, 4, 5, 6, 7],
      ]),
    ).toEqual([4, 8, 10, 12, 14]);
  });
});
