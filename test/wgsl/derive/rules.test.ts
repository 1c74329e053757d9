/** Every rule of the differentiator alone, and whether a mistake in it would be found. */
import { afterEach, describe, expect, test } from "vitest";
import { parseElementwise } from "../../../src/wgsl/parse-elementwise.js";
import { Derivation } from "../../../src/wgsl/derive/derive.js";
import { functions, operators } from "../../../src/wgsl/derive/rules.js";
import { compareGradient } from "./fuzz/compare.js";

const vectors = "vec3f(a, b, 0.5), vec3f(0.3, a * b, b)";
const matrix = "mat3x3f(a, b, 0.5, 0.2, a * b, 1.0, b, 0.7, a)";

/** Calls that aren't simply of the inputs, each so that every operand changes. */
const calls: Readonly<Record<string, string>> = {
  acosh: "acosh(1.5 + a)",
  clamp: "clamp(a, b - 0.6, c)",
  cross: `dot(cross(${vectors}), vec3f(1.0, 2.0, 3.0))`,
  determinant: `determinant(${matrix})`,
  distance: `distance(${vectors})`,
  dot: `dot(${vectors})`,
  faceForward: `dot(faceForward(${vectors}, vec3f(a, 1.0, b)), vec3f(1.0, 2.0, 3.0))`,
  frexp: "frexp(a * 5.0).fract",
  ldexp: "ldexp(a, 3)",
  length: "length(vec3f(a, b, 0.5))",
  modf: "modf(a * 5.0).fract",
  normalize: "dot(normalize(vec3f(a, b, 0.5)), vec3f(1.0, 2.0, 3.0))",
  reflect: `dot(reflect(${vectors}), vec3f(1.0, 2.0, 3.0))`,
  refract: "dot(refract(vec3f(a, b, 0.5), vec3f(0.3, a * b, b), 0.3 * a), vec3f(1.0, 2.0, 3.0))",
  smoothstep: "smoothstep(-1.0 + 0.1 * a, 1.5 + b, a * b)",
  transpose: `dot(transpose(${matrix}) * vec3f(1.0, 2.0, 3.0), vec3f(3.0, 1.0, 2.0))`,
  math_pow_gradient: "dot(math_pow_gradient(a, b, c), vec2f(1.0, 2.0))",
};

/** Inside of each function's domain, in different pieces where it is made of pieces. */
const points = [
  [0.4, 0.7, 0.6],
  [0.7, 0.3, 0.5],
  [0.9, 0.2, 0.1],
  [0.1, 0.9, 0.8],
];

function sourceOf(name: string, count: number): string {
  const inputs = ["a", "b", "c"];
  const own = operators[name] === undefined ? `${name}(${inputs.slice(0, count).join(", ")})` : `a ${name} b`;
  return `fn f_forward(a: f32, b: f32, c: f32) -> f32 { return ${calls[name] ?? own}; }`;
}

function mistakesOf(name: string, count: number): number {
  const source = sourceOf(name, count);
  // Not by way of parseElementwise, which takes gpugrad's own functions in the place of some of WGSL's.
  const { wgsl } = new Derivation(source, "f").backward();
  return points.filter((xs) => compareGradient(source, wgsl, "f", xs).mistake !== null).length;
}

type Table = Record<string, (string | null)[]>;

const tables = [operators, functions] as unknown as Table[];
/** Functions without numbers as results, and those whose rule stands only for the second derivative of another. */
const unseen = /^math_(?:equal|is_|less|opaque|.*_(?:slope|gradient)$)/;

describe.each(tables)("%#", (table) => {
  const before = { ...table };
  afterEach(() => {
    Object.assign(table, before);
  });
  const names = Object.keys(table).filter((name) => !unseen.test(name));

  test.each(names)("%s", (name) => {
    const formulas = table[name] ?? [];
    expect(mistakesOf(name, formulas.length)).toBe(0);
    formulas.forEach((text, k) => {
      if (text === null) return;
      for (const wrong of [null, `-1.0 * (${text})`, `1.001 * (${text})`]) {
        table[name] = formulas.map((own, j) => (j === k ? wrong : own));
        expect(mistakesOf(name, formulas.length), `${name} by operand ${k} as ${wrong}`).toBeGreaterThan(0);
      }
    });
  });
});

test("numbers stay what they are as the user wrote them: 1.0 * 3 is a float, and half of it 1.5", () => {
  const source = `
    fn f_forward(x: f32) -> f32 {
      let n = 1.0 * 3;
      let m = 0.0 + 5 / 1.0;
      return pow(x, f32(n / 2)) * f32(m / 2);
    }`;
  const { wgsl } = new Derivation(source, "f").backward();
  expect(compareGradient(source, wgsl, "f", [0.7]).mistake).toBeNull();
});

test("names of any script, and those that are used in what is made", () => {
  const source = `
    const größe_value = 3.0;
    fn größe_value_(x: f32) -> f32 { return größe_value * x; }
    fn größe_derivative(x: f32) -> f32 { return größe_value_(x) * x; }
    fn größe_twice(x: f32) -> f32 { return größe_derivative(x) + x * x * x; }
    fn größe_forward(x: f32) -> f32 { return größe_twice(x) * größe_derivative(x); }`;
  const by = parseElementwise(source).derived?.by(0, 0) ?? "";
  const { wgsl } = parseElementwise(by).derived ?? { wgsl: "" };
  // (3x² + x³) · 3x² = 9x⁴ + 3x⁵, twice differentiated: 108x² + 60x³.
  const found = compareGradient(by, wgsl, "größe_by_x", [0.5]);
  expect(found.mistake).toBeNull();
  expect(found.derived[0]).toBeCloseTo(108 * 0.25 + 60 * 0.125, 9);
});

test("a matrix times a number that is subtracted", () => {
  const source = `
    fn f_forward(a: f32, b: f32) -> f32 {
      let m = -a * mat2x2f(1.0, b, 3.0, 4.0) - b * mat2x2f(a, 1.0, 1.0, 1.0);
      return determinant(m) + determinant(mat2x2f(1.0, 0.0, 0.0, 1.0) - m);
    }`;
  const { derived } = parseElementwise(source);
  const wgsl = derived?.wgsl ?? "";
  expect(parseElementwise(source + wgsl).derived).toBeNull();
  expect(compareGradient(source, wgsl, "f", [0.4, 0.7]).mistake).toBeNull();
});
