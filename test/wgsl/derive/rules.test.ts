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

/**
 * Gradients of higher order than the first, of an `expression` of x and b: each by differences of the one before. Not by reverse
 * mode, which looks into gpugrad's own functions: what these choose at a whole exponent isn't differentiated.
 */
function mistakesOfOrders(expression: string, xs: readonly number[], by: readonly number[]): (string | null)[] {
  let source = `fn f_forward(x: f32, b: f32) -> f32 { return ${expression}; }`;
  let name = "f";
  return by.map((input) => {
    const { derived, wgsl } = parseElementwise(source, true, true);
    const found = compareGradient(source, wgsl, name, xs);
    const wrong = found.differences.findIndex((slope, k) => {
      const own = found.derived[k] ?? NaN;
      const most = slope === "kink" ? 0 : Math.max(1e-6 * Math.max(1, Math.abs(own)), 10 * slope.error);
      return slope === "kink" || !(Math.abs(own - slope.value) <= most);
    });
    const mistake = wrong < 0 ? null : `by input ${wrong}: ${found.derived[wrong]}\n${source}`;
    source = derived?.by(input, 0) ?? "";
    name = /fn (\w+)_forward/.exec(source)?.[1] ?? "";
    return mistake;
  });
}

const right = [null, null, null];
const differentiable = Object.entries(functions).filter(([name]) => !unseen.test(name));

// A rule that chooses 0 where the change is 0 is right there, and wrong one order higher.
test.each(differentiable)(
  "where an inner slope is 0, %s has its derivatives of second and third order",
  (name, rule) => {
    const inner: Record<string, string> = { a: "(p + x * x)", b: "(q + 2.0 * x * x)", c: "(r + b * x)" };
    const whole = calls[name] ?? `${name}(${["a", "b", "c"].slice(0, rule.length).join(", ")})`;
    for (const [p = 0, q = 0, r = 0] of points) {
      const values: Record<string, number> = { p, q, r };
      const at = whole.replace(/\b[abc]\b/g, (letter) => inner[letter] ?? letter);
      const expression = at.replace(/\b[pqr]\b/g, (letter) => `${values[letter]}`);
      expect(mistakesOfOrders(expression, [0, 0.5], [0, 0, 0]), expression).toEqual(right);
    }
  },
);

test.each([
  ["sqrt(1.0 + x * x)", [0, 0]],
  ["sqrt(x * x + b * b + 1.0)", [0.3, 0]],
  ["pow(1.0 + x * x, 1.5)", [0, 0]],
  ["pow(2.0, x * x)", [0, 0]],
  ["math_pow(1.0 + x * x, 1.5)", [0, 0]],
  ["math_pow(2.0, x * x)", [0, 0]],
  ["math_sqrt(1.0 + x * x)", [0, 0]],
  ["asin(x * x)", [0, 0]],
  ["acos(x * x)", [0, 0]],
  ["acosh(2.0 + x * x)", [0, 0]],
  ["1.0 / sqrt(1.0 - x * x)", [0, 0]],
  ["sqrt(2.0 + cos(x))", [0, 0]],
  ["x * sqrt(4.0 - x * x)", [0, 0]],
  ["pow(x, b)", [1.5, 0]],
  ["pow(x, b)", [1.5, 1]],
  ["pow(x, b)", [1.5, 2]],
  ["math_pow(x, b)", [1.5, 0]],
  ["math_pow(x, b)", [1.5, 1]],
  ["math_pow(x, b)", [1.5, 2]],
  ["math_pow(x, b)", [1.5, 3]],
  ["length(vec2f(1.0 + x * x, b))", [0, 0]],
  ["normalize(vec2f(1.0 + x * x, b)).x", [0, 0]],
])("%s at %j has its derivatives in every order of inputs", (expression, xs) => {
  for (const by of [
    [0, 0, 0],
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 1],
    [1, 1, 1],
  ]) {
    expect(mistakesOfOrders(expression, xs, by), `by ${by.join()}`).toEqual(right);
  }
});

test("where a slope is infinite, what doesn't change has derivatives of 0", () => {
  for (const expression of [
    "sqrt(b)",
    "pow(b, 0.5)",
    "asin(b + 1.0)",
    "acos(1.0 - b)",
    "acosh(1.0 + b)",
    "math_pow(b, 0.5)",
  ]) {
    const source = `fn f_forward(x: f32, b: f32) -> f32 { return x + ${expression.replaceAll("b", "(b * b)")}; }`;
    const { wgsl } = new Derivation(source, "f").backward();
    expect(compareGradient(source, wgsl, "f", [1, 0]).derived, expression).toEqual([1, 0]);
  }
});

test("scalars have length and distance, too", () => {
  const source = "fn f_forward(x: f32, b: f32) -> f32 { return length(x) * distance(x, 3.0 * b) + distance(b, x); }";
  const { wgsl } = new Derivation(source, "f").backward();
  for (const xs of [
    [0.7, 2],
    [-0.7, -3],
    [4, 0.1],
  ]) {
    expect(compareGradient(source, wgsl, "f", xs).mistake).toBeNull();
  }
});

test("what a switch compares with stays, whatever else isn't needed", () => {
  const source = `fn f_forward(x: f32) -> f32 {
    const K = 2;
    var y = x;
    switch i32(x) { case K: { y = x * x; } default: { } }
    return y;
  }`;
  const { wgsl } = parseElementwise(source);
  expect(wgsl.match(/const K = 2;/g)).toHaveLength(2);
  expect(parseElementwise(wgsl).derived).toBeNull();
});

test("comparisons side by side keep the brackets without which they would be types", () => {
  const source = `
    fn f_pick(a: bool, b: bool) -> f32 { return select(1.0, 2.0, a != b); }
    fn f_forward(x: f32) -> f32 {
      let n = i32(x);
      let lo = 0.25;
      if n < (n >> 1u) { return x; }
      return x * f_pick((x < lo), (x > 0.5)) + select(0.0, x, any(vec2<bool>((x < lo), (x > 0.5))));
    }`;
  const { wgsl } = new Derivation(source, "f").backward();
  expect(wgsl).toContain("f_pick((x < lo), (x > 0.5))");
  expect(wgsl).toContain("vec2<bool>((x < lo), (x > 0.5))");
  expect(wgsl).toContain("n < (n >> 1u)");
});

test("inputs that begin as the names of gpugrad's functions do", () => {
  const { wgsl, inputs } = parseElementwise(
    "fn f_forward(math_a: f32, b: f32) -> f32 { let math_exp = math_a * b; return math_exp * math_a + exp(b); }",
  );
  expect(inputs).toEqual(["math_a", "b"]);
  expect(compareGradient(wgsl, wgsl, "f", [3, 0.5]).derived).toEqual([3, 9 + Math.exp(0.5)]);
});

test.each([
  ["f32(f_FOG)", "if f_FOG > 0.0 { return x / f_FOG; } return x;"],
  ["f_K", "return x * f_K * f_K * 1e-30 * 1e-30;"],
  ["1e30", "return x * 1e30 * 1e30 * 1e-30 * 1e-30;"],
  ["128", "return ldexp(x, 128) * 1e-30;"],
  ["0.0", "if x > 1e30 { return x / 0.0; } return x;"],
  ["f32(f_FOG + 0.0)", "return x * f_K * 1e-30 + pow(f_FOG + 0.0, x + 1.0);"],
])("a constant that makes another one too large, or divides by 0, is given a name: %s", (constant, body) => {
  const source = `
    const f_FOG = 0.0;
    const f_K: f32 = 1e30;
    fn f_forward(x: f32) -> f32 { ${body} }`;
  const { wgsl } = new Derivation(source, "f").backward();
  expect(wgsl).toMatch(new RegExp(`let t\\w* = ${constant.replace(/[+()]/g, "\\$&")};`));
  expect(compareGradient(source, wgsl, "f", [0.7]).mistake).toBeNull();
});

test("no name in what is made is a word that WGSL keeps for itself", () => {
  const { wgsl } = parseElementwise("fn f_forward(x: f32) -> f32 { let math_mod = x * x; return math_mod * x; }");
  expect(parseElementwise(wgsl).derived).toBeNull();
  const named = parseElementwise("fn f_forward(x: f32) -> f32 { let math_exp = x * x; return math_exp * exp(x); }");
  expect(parseElementwise(named.wgsl, true, true).derived).toBeNull();
});
