/**
 * What each operator changes by, and each function of WGSL's and of gpugrad's: one formula for each operand, as WGSL. In it
 * `a`, `b`, `c` are the operands, `y` is the result, `d` a change of the operand, and the formula what that adds to the
 * change of y. `zero` and `one` are 0 and 1 in the type of y. null: it adds nothing, as for what is constant by pieces.
 *
 * Where a formula is chosen, it is as elsewhere in gpugrad: equal operands of max and min share, and beside a NaN both have all of
 * it; abs and length have 0 at 0, clamp passes inside, bounds included. Where a slope is infinite at a result that is finite, a change of 0 stays 0: there, and
 * nowhere else, since a formula is differentiated again, and where it chooses 0 that is 0 to any order.
 */
import { f32, type Type } from "../check/types.js";
import { parse } from "../language/parser.js";
import { SourceText } from "../language/source-text.js";
import type { Expression } from "../language/syntax.js";
import { exactName, plainName } from "../math.js";

type Formula = string | null;

const larger: Formula[] = [
  "select(select(d, zero, a < b), 0.5 * d, a == b)",
  "select(select(d, zero, b < a), 0.5 * d, a == b)",
];
const smaller: Formula[] = [
  "select(select(d, zero, a > b), 0.5 * d, a == b)",
  "select(select(d, zero, b > a), 0.5 * d, a == b)",
];
const power: Formula[] = [
  "select(b * pow(a, b - 1.0) * d, zero, (a == zero) & ((b == zero) | (d == zero)))",
  "select(y * log(a), zero, a == zero) * d",
];
const root = "inverseSqrt((1.0 - a) * (1.0 + a))";

/** Under the root in refract; negative where nothing is refracted. */
const under = "(1.0 - c * c * (1.0 - dot(b, a) * dot(b, a)))";
const step = "saturate((c - a) / (b - a))";
const powerByBase = "a * math_pow(b, c - 1.0) * (1.0 + c * math_log(b))";

/** Of operators between scalars, vectors and matrices. The operands of a product of matrices keep their sides. */
export const operators: Readonly<Record<string, readonly Formula[]>> = {
  "+": ["d", "d"],
  "-": ["d", "-d"],
  "*": ["d * b", "a * d"],
  "/": ["d / b", "-(y / b) * d"],
  "%": ["d", "-trunc(a / b) * d"],
};

/** As a bundler should see it that leaves out what isn't used: what calls nothing, and does nothing else. */
export const functions: Readonly<Record<string, readonly Formula[]>> = /* @__PURE__ */ (() => ({
  abs: ["sign(a) * d"],
  acos: [`select(-${root} * d, zero, (d == zero) & (abs(a) == one))`],
  acosh: ["select(inverseSqrt((a - 1.0) * (a + 1.0)) * d, zero, (d == zero) & (a == one))"],
  asin: [`select(${root} * d, zero, (d == zero) & (abs(a) == one))`],
  asinh: ["inverseSqrt(a * a + 1.0) * d"],
  atan: ["d / (a * a + 1.0)"],
  atan2: ["b / (a * a + b * b) * d", "-(a / (a * a + b * b)) * d"],
  atanh: ["d / ((1.0 - a) * (1.0 + a))"],
  ceil: [null],
  clamp: [
    "select(d, zero, (a < b) | (a > c))",
    "select(zero, d, (a < b) & (b <= c))",
    "select(zero, d, (a > c) | (b > c))",
  ],
  cos: ["-sin(a) * d"],
  cosh: ["sinh(a) * d"],
  cross: ["cross(d, b)", "cross(a, d)"],
  degrees: ["57.29577951308232 * d"],
  distance: ["select(dot(a - b, d) / y, 0.0, y == 0.0)", "select(dot(b - a, d) / y, 0.0, y == 0.0)"],
  dot: ["dot(d, b)", "dot(a, d)"],
  exp: ["y * d"],
  exp2: ["0.6931471805599453 * y * d"],
  faceForward: ["select(-1.0, 1.0, dot(b, c) < 0.0) * d", null, null],
  floor: [null],
  fma: ["d * b", "a * d", "d"],
  fract: ["d"],
  inverseSqrt: ["-0.5 * y / a * d"],
  ldexp: ["ldexp(d, b)", null],
  length: ["select(dot(a, d) / y, 0.0, y == 0.0)"],
  log: ["d / a"],
  log2: ["1.4426950408889634 / a * d"],
  max: larger,
  min: smaller,
  // Of what these give, the part that is called fract.
  frexp: ["ldexp(d, -y.exp)"],
  modf: ["d"],
  mix: ["(1.0 - c) * d", "c * d", "(b - a) * d"],
  normalize: ["(d - y * dot(y, d)) / length(a)"],
  pow: power,
  quantizeToF16: [null],
  radians: ["0.017453292519943295 * d"],
  reflect: ["d - 2.0 * dot(b, d) * b", "-2.0 * (dot(a, d) * b + dot(a, b) * d)"],
  round: [null],
  refract: [
    `select(c * d - (c * dot(b, d) + c * c * dot(b, a) * dot(b, d) / sqrt(${under})) * b, zero, ${under} < 0.0)`,
    `select(-(c * dot(d, a) + c * c * dot(b, a) * dot(d, a) / sqrt(${under})) * b - (c * dot(b, a) + sqrt(${under})) * d, zero, ${under} < 0.0)`,
    `select((a - (dot(b, a) - c * (1.0 - dot(b, a) * dot(b, a)) / sqrt(${under})) * b) * d, zero, ${under} < 0.0)`,
  ],
  saturate: ["select(d, zero, (a < zero) | (a > one))"],
  sign: [null],
  sin: ["cos(a) * d"],
  sinh: ["cosh(a) * d"],
  smoothstep: [
    `6.0 * ${step} * (1.0 - ${step}) * ((c - b) / ((b - a) * (b - a))) * d`,
    `-6.0 * ${step} * (1.0 - ${step}) * ((c - a) / ((b - a) * (b - a))) * d`,
    `6.0 * ${step} * (1.0 - ${step}) / (b - a) * d`,
  ],
  sqrt: ["select(0.5 / y * d, zero, (d == zero) & (y == zero))"],
  step: [null, null],
  tan: ["(y * y + 1.0) * d"],
  tanh: ["d / (cosh(a) * cosh(a))"],
  transpose: ["transpose(d)"],
  trunc: [null],

  // gpugrad's own, whose gradients are as exact as they are.
  math_atan2: ["math_angle_gradient(1.0, a, b) * d", "-math_angle_gradient(1.0, b, a) * d"],
  math_cos: ["-math_sin(a) * d"],
  math_div: ["math_div(d, b)", "math_divisor_gradient(1.0, a, b) * d"],
  math_equal: [null, null],
  math_erf: ["math_erf_slope(a) * d"],
  math_exp: ["y * d"],
  math_is_nan: [null],
  math_is_zero: [null],
  math_less: [null, null],
  math_log: ["d / a"],
  math_max: larger,
  math_min: smaller,
  math_opaque: ["d"],
  math_pow: [
    "select(math_pow_gradient(1.0, a, b).x * d, zero, (d == zero) & (a == zero))",
    "select(math_pow_gradient(1.0, a, b).y * d, zero, (d == zero) & (a == zero))",
  ],
  math_sigmoid: ["math_sigmoid_slope(a) * d"],
  math_sign: [null],
  math_sin: ["math_cos(a) * d"],
  math_softplus: ["math_sigmoid(a) * d"],
  math_sqrt: ["select(0.5 / y * d, zero, (d == zero) & (y == zero))"],
  math_tan: ["math_tan_slope(a) * d"],
  math_tanh: ["math_tanh_slope(a) * d"],

  // The slopes themselves, so that there are derivatives of any order.
  math_angle_gradient: [
    "math_angle_gradient(d, b, c)",
    "-2.0 * y * math_angle_gradient(1.0, c, b) * d",
    "a * (math_angle_gradient(1.0, c, b) - math_angle_gradient(1.0, b, c)) * (math_angle_gradient(1.0, c, b) + math_angle_gradient(1.0, b, c)) * d",
  ],
  math_divisor_gradient: ["math_divisor_gradient(d, b, c)", "math_divisor_gradient(a, d, c)", "-2.0 * (y / c) * d"],
  math_pow_gradient: [
    "math_pow_gradient(d, b, c)",
    `vec2f(select(a * (c * (c - 1.0)) * math_pow(b, c - 2.0), 0.0, (b == 0.0) & (c * (c - 1.0) == 0.0)), ${powerByBase}) * d`,
    `select(vec2f(${powerByBase}, y.y * math_log(b)), zero, b == 0.0) * d`,
  ],
  math_erf_slope: ["-2.0 * a * y * d"],
  math_sigmoid_slope: ["-math_tanh(0.5 * a) * y * d"],
  math_tan_slope: ["2.0 * math_tan(a) * y * d"],
  math_tanh_slope: ["-2.0 * math_tanh(a) * y * d"],
}))();

/** What is written with dot, which has no scalars. */
const ofScalars: Readonly<Record<string, readonly Formula[]>> = {
  distance: ["sign(a - b) * d", "-sign(a - b) * d"],
  length: ["sign(a) * d"],
};

const parsed = new Map<string, Expression>();

/** A formula as a tree. */
export function formula(text: string): Expression {
  let tree = parsed.get(text);
  if (tree === undefined) {
    const [declaration] = parse(new SourceText(`const f = ${text};`, "a rule"));
    if (declaration?.kind !== "declaration" || declaration.value === null) throw new Error("gpugrad bug: a rule");
    parsed.set(text, (tree = declaration.value));
  }
  return tree;
}

/** That of determinant: by turns, each column is replaced by its change. */
function determinantFormula(size: number): string {
  const columns = Array.from({ length: size }, (_, k) => k);
  const replaced = (j: number): string => columns.map((k) => `${k === j ? "d" : "a"}[${k}]`).join(", ");
  return columns.map((j) => `determinant(mat${size}x${size}f(${replaced(j)}))`).join(" + ");
}

/**
 * The formulas of an operator or a function, one for each operand; null where gpugrad knows of none.
 *
 * @param of the type of the first operand
 */
export function formulasOf(name: string, of: Type = f32): readonly Formula[] | null {
  if (name === "determinant") return [determinantFormula(of.kind === "matrix" ? of.columns : 0)];
  const scalar = of.kind === "scalar" ? ofScalars[name] : undefined;
  const formulas = scalar ?? operators[name] ?? functions[plainName(name)] ?? null;
  // What is always gpugrad's has derivatives that are.
  return name === plainName(name) || formulas === null
    ? formulas
    : formulas.map((text) => text?.replace(/\bmath_\w+/g, exactName) ?? null);
}
