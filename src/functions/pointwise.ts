/** Element-wise functions: the WGSL, and beside it the derivative that can be differentiated again. */
import absWgsl from "../../shaders/abs.wgsl?raw";
import addWgsl from "../../shaders/add.wgsl?raw";
import angleGradientWgsl from "../../shaders/angleGradient.wgsl?raw";
import atan2Wgsl from "../../shaders/atan2.wgsl?raw";
import baseGradientWgsl from "../../shaders/baseGradient.wgsl?raw";
import cosWgsl from "../../shaders/cos.wgsl?raw";
import divisorGradientWgsl from "../../shaders/divisorGradient.wgsl?raw";
import divWgsl from "../../shaders/div.wgsl?raw";
import doubledProductWgsl from "../../shaders/doubledProduct.wgsl?raw";
import equalWgsl from "../../shaders/equal.wgsl?raw";
import erfSlopeWgsl from "../../shaders/erfSlope.wgsl?raw";
import erfWgsl from "../../shaders/erf.wgsl?raw";
import exponentGradientWgsl from "../../shaders/exponentGradient.wgsl?raw";
import expWgsl from "../../shaders/exp.wgsl?raw";
import greaterEqualWgsl from "../../shaders/greaterEqual.wgsl?raw";
import greaterWgsl from "../../shaders/greater.wgsl?raw";
import lessEqualWgsl from "../../shaders/lessEqual.wgsl?raw";
import lessWgsl from "../../shaders/less.wgsl?raw";
import logWgsl from "../../shaders/log.wgsl?raw";
import maximumWgsl from "../../shaders/maximum.wgsl?raw";
import minimumWgsl from "../../shaders/minimum.wgsl?raw";
import mulWgsl from "../../shaders/mul.wgsl?raw";
import negWgsl from "../../shaders/neg.wgsl?raw";
import notEqualWgsl from "../../shaders/notEqual.wgsl?raw";
import powWgsl from "../../shaders/pow.wgsl?raw";
import reciprocalWgsl from "../../shaders/reciprocal.wgsl?raw";
import reluWgsl from "../../shaders/relu.wgsl?raw";
import sigmoidSlopeWgsl from "../../shaders/sigmoidSlope.wgsl?raw";
import sigmoidWgsl from "../../shaders/sigmoid.wgsl?raw";
import signWgsl from "../../shaders/sign.wgsl?raw";
import sinWgsl from "../../shaders/sin.wgsl?raw";
import softplusWgsl from "../../shaders/softplus.wgsl?raw";
import sqrtSlopeWgsl from "../../shaders/sqrtSlope.wgsl?raw";
import sqrtWgsl from "../../shaders/sqrt.wgsl?raw";
import squareWgsl from "../../shaders/square.wgsl?raw";
import subWgsl from "../../shaders/sub.wgsl?raw";
import tanhSlopeWgsl from "../../shaders/tanhSlope.wgsl?raw";
import tanhWgsl from "../../shaders/tanh.wgsl?raw";
import tanSlopeWgsl from "../../shaders/tanSlope.wgsl?raw";
import tanWgsl from "../../shaders/tan.wgsl?raw";
import whereWgsl from "../../shaders/where.wgsl?raw";
import {
  builtin,
  nodeOf,
  type Derivative,
  type Elementwise,
  type ElementwiseFunction,
} from "../elementwise/elementwise.js";
import type { NodeClass } from "../graph/function.js";
import { asVariable, type Operand, type Variable } from "../graph/variable.js";

type FunctionTraits = NonNullable<Parameters<typeof builtin>[2]>;

// Of one operand.

/* @__NO_SIDE_EFFECTS__ */
function unary(wgsl: string, derivative: Derivative, traits: FunctionTraits = {}): ElementwiseFunction<[x: Operand]> {
  return builtin(wgsl, derivative, traits);
}

/**
 * -x, of any shape.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * neg([1, -2]); // [-1, 2]
 */
export const neg = unary(negWgsl, (gy) => neg(gy), { keepsZero: true });

/**
 * |x|, of any shape. The gradient at 0 is 0.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * abs([1, -2]); // [1, 2]
 */
export const abs = unary(absWgsl, (gy, x) => mul(gy, sign(x)), { keepsZero: true });

/**
 * -1, 0 or 1, of any shape; 0 for NaN, as in PyTorch. The gradient is 0 everywhere.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * sign([3, 0, -2]); // [1, 0, -1]
 */
export const sign = unary(signWgsl, () => asVariable(0), { keepsZero: true });

/**
 * x², of any shape. The gradient is 2x.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * square([3, -2]); // [9, 4]
 */
export const square = unary(squareWgsl, (gy, x) => doubledProduct(gy, x));

/**
 * √x, of any shape; NaN for x < 0. The gradient is 1 / (2√x): +Infinity at 0.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * sqrt([4, 9]); // [2, 3]
 */
export const sqrt = unary(sqrtWgsl, (gy, x) => mul(gy, sqrtSlope(x)));

/**
 * 1 / x, of any shape; ±Infinity at ±0. The gradient is -1 / x²: -Infinity at 0.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * reciprocal([2, -4]); // [0.5, -0.25]
 */
export const reciprocal = unary(reciprocalWgsl, (gy, x) => neg(div(div(gy, x), x)));

/**
 * eˣ, of any shape. The gradient is eˣ.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * exp([0, 1]); // [1, 2.7182818]
 */
export const exp = unary(expWgsl, (gy, _, y) => mul(gy, y));

/**
 * The natural logarithm, of any shape; -Infinity at 0, NaN for x < 0. The gradient is 1 / x everywhere: +Infinity at 0.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * log([1, Math.E]); // [0, 1]
 */
export const log = unary(logWgsl, (gy, x) => div(gy, x));

/**
 * sin x, of any shape; x in radians. The gradient is cos x.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * sin([0, Math.PI / 6]); // [0, 0.5]
 */
export const sin = unary(sinWgsl, (gy, x) => mul(gy, cos(x)));

/**
 * cos x, of any shape; x in radians. The gradient is -sin x.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * cos([0, Math.PI / 3]); // [1, 0.5]
 */
export const cos = unary(cosWgsl, (gy, x) => neg(mul(gy, sin(x))));

/**
 * tan x, of any shape; x in radians. The gradient is 1 + tan² x.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * tan([0, Math.PI / 4]); // [0, 1]
 */
export const tan = unary(tanWgsl, (gy, x) => mul(gy, tanSlope(x)));

/**
 * The hyperbolic tangent, (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), of any shape. The gradient is 1 - tanh² x.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * tanh([0, 1]); // [0, 0.7615942]
 */
export const tanh = unary(tanhWgsl, (gy, x) => mul(gy, tanhSlope(x)));

/**
 * The logistic function 1 / (1 + e⁻ˣ), of any shape. With s its value, the gradient is s (1 - s).
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * sigmoid([0, Math.log(3)]); // [0.5, 0.75]
 */
export const sigmoid = unary(sigmoidWgsl, (gy, x) => mul(gy, sigmoidSlope(x)));

/**
 * max(x, 0), of any shape. The gradient is 1 for x > 0, else 0; NaN stays NaN, and its gradient passes, as in PyTorch.
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * relu([2, -3]); // [2, 0]
 */
export const relu = unary(reluWgsl, (gy, x) => where(lessEqual(x, 0), 0, gy), { keepsZero: true });

/**
 * ln(1 + eˣ), of any shape, without overflow. The gradient is sigmoid(x).
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * softplus([0, 1000]); // [0.6931472, 1000]
 */
export const softplus = unary(softplusWgsl, (gy, x) => mul(gy, sigmoid(x)));

/**
 * The error function, 2/√π ∫₀ˣ exp(-t²) dt, of any shape. The gradient is 2/√π exp(-x²).
 *
 * @throws ArgumentError where x isn't a Variable or numbers.
 * @example
 * erf([0, 0.5]); // [0, 0.5204999]
 */
export const erf = unary(erfWgsl, (gy, x) => mul(gy, erfSlope(x)));

// New functions of one operand: above this line.

// The derivatives of some of them: functions of their own, so that a gradient is the same number whether a backward shader
// gives it or, under createGraph, a graph. What they saturate to is taken from x: the output has lost it.

const sqrtSlope = unary(sqrtSlopeWgsl, (gy, x, y) => mul(gy, div(mul(y, -0.5), x)));
const tanSlope = unary(tanSlopeWgsl, (gy, x, y) => mul(gy, mul(mul(y, tan(x)), 2)));
const tanhSlope = unary(tanhSlopeWgsl, (gy, x, y) => mul(gy, mul(mul(y, tanh(x)), -2)));
const sigmoidSlope = unary(sigmoidSlopeWgsl, (gy, x, y) => mul(gy, neg(mul(y, tanh(mul(x, 0.5))))));
const erfSlope = unary(erfSlopeWgsl, (gy, x, y) => mul(gy, mul(mul(maximum(-11, minimum(x, 11)), y), -2)));

/**
 * The class of a node of the graph that squares: `new Square().call(x)` is `square(x)`.
 *
 * @example
 * new Square().call([1, 2]); // [1, 4]
 */
export const Square: NodeClass<Elementwise> = /* @__PURE__ */ nodeOf(square);
/** A node of the graph that squares. */
export type Square = Elementwise;

/**
 * The class of a node of the graph that takes eˣ: `new Exp().call(x)` is `exp(x)`.
 *
 * @example
 * new Exp().call([0, 1]); // [1, 2.7182818]
 */
export const Exp: NodeClass<Elementwise> = /* @__PURE__ */ nodeOf(exp);
/** A node of the graph that takes eˣ. */
export type Exp = Elementwise;

// Of two operands, which are broadcast as in NumPy.

/* @__NO_SIDE_EFFECTS__ */
function binary(
  wgsl: string,
  derivative: Derivative,
  traits: FunctionTraits = {},
): ElementwiseFunction<[a: Operand, b: Operand]> {
  return builtin(wgsl, derivative, traits);
}

/** The operands of a derivative of two inputs: the output's gradient, the inputs, the output. */
type Operands = [gy: Variable, a: Variable, b: Variable, y: Variable];
/* @__NO_SIDE_EFFECTS__ */
function pair(derivative: (...operands: Operands) => readonly (Variable | null)[]): Derivative {
  return derivative;
}

/**
 * a + b, broadcast as in NumPy. The gradients are 1 and 1.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * add([1, 2], 3); // [4, 5]
 */
export const add = binary(addWgsl, (gy) => [gy, gy], { identityGradients: [0, 1], keepsZero: true });

/**
 * a - b, broadcast as in NumPy. The gradients are 1 and -1.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * sub([1, 2], 3); // [-2, -1]
 */
export const sub = binary(subWgsl, (gy) => [gy, neg(gy)], { identityGradients: [0], keepsZero: true });

/**
 * a times b, element by element, broadcast as in NumPy. The gradients are b and a.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * mul([1, 2], [3, 4]); // [3, 8]
 */
export const mul = binary(
  mulWgsl,
  pair((gy, a, b) => [mul(gy, b), mul(gy, a)]),
);

/**
 * a / b, broadcast as in NumPy; ±Infinity where b is 0 and a isn't, NaN where both are. The gradients are 1 / b and -a / b²,
 * infinite or NaN there as well.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * div([1, 2], 4); // [0.25, 0.5]
 */
export const div = binary(
  divWgsl,
  pair((gy, a, b) => [div(gy, b), b.requiresGrad ? divisorGradient(gy, a, b) : null]),
);

/**
 * a to the power of b, broadcast as in NumPy: 1 for b = 0, NaN for a < 0 unless b is a whole number. The gradient of a is
 * b aᵇ⁻¹, and 0 where b = 0; that of b is aᵇ ln a, and 0 where a = 0 and b >= 0, as in PyTorch.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * pow([2, 9], [3, 0.5]); // [8, 3]
 */
export const pow = binary(
  powWgsl,
  pair((gy, a, b) => [
    a.requiresGrad ? baseGradient(gy, a, b) : null,
    b.requiresGrad ? exponentGradient(gy, a, b) : null,
  ]),
);

/**
 * The greater of a and b, broadcast as in NumPy; NaN where one is NaN. It has the gradient, and equals share it, as in
 * PyTorch; next to NaN both get it. For the greatest of one array's elements, see max.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * maximum([1, 5], 3); // [3, 5]
 */
export const maximum = binary(
  maximumWgsl,
  pair((gy, a, b) => chosen(gy, a, b, less(a, b), greater(a, b))),
  { keepsZero: true },
);

/**
 * The smaller of a and b, broadcast as in NumPy; NaN where one is NaN. The gradient is as in maximum.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * minimum([1, 5], 3); // [1, 3]
 */
export const minimum = binary(
  minimumWgsl,
  pair((gy, a, b) => chosen(gy, a, b, greater(a, b), less(a, b))),
  { keepsZero: true },
);

/** The gradients where one of two operands is chosen, from where each is not: equals share. */
function chosen(gy: Variable, a: Variable, b: Variable, notA: Variable, notB: Variable): Variable[] {
  const share = where(equal(a, b), mul(gy, 0.5), gy);
  return [where(notA, 0, share), where(notB, 0, share)];
}

/**
 * The angle of the point (b, a) from the positive b axis, in radians, from -π to π; broadcast as in NumPy. The gradients are
 * b / (a² + b²) and -a / (a² + b²): NaN at the origin.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * atan2([1, 0], [1, -1]); // [0.7853982, 3.1415927]
 */
export const atan2 = binary(
  atan2Wgsl,
  pair((gy, a, b) => [
    a.requiresGrad ? angleGradient(gy, a, b) : null,
    b.requiresGrad ? neg(angleGradient(gy, b, a)) : null,
  ]),
);

// New functions of two operands: above this line.

// The gradients of squares, quotients, powers and angles, each linear in the output's gradient, which is g: no product on the
// way leaves the range where the gradient doesn't.

/** 2 a b */
const doubledProduct = binary(
  doubledProductWgsl,
  pair((gy, a, b) => [doubledProduct(gy, b), doubledProduct(gy, a)]),
);

type Gradient = ElementwiseFunction<[g: Operand, a: Operand, b: Operand]>;

/** -g a / b² */
const divisorGradient: Gradient = builtin(divisorGradientWgsl, (gy, g, a, b, y) => [
  divisorGradient(gy, a, b),
  divisorGradient(gy, g, b),
  mul(mul(gy, div(y, b)), -2),
]);

/** g b aᵇ⁻¹ */
const baseGradient: Gradient = builtin(baseGradientWgsl, (gy, g, a, b) => {
  // The power is taken of 1 where b = 0 and a is 0 or NaN: what is multiplied by b = 0 must be finite.
  const base = where(add(notEqual(b, 0), greater(abs(a), 0)), a, 1);
  return [
    baseGradient(gy, a, b),
    mul(b, baseGradient(mul(gy, g), base, sub(b, 1))),
    b.requiresGrad ? mul(mul(gy, g), mixedSlope(base, b)) : null,
  ];
});

/** g aᵇ ln a */
const exponentGradient: Gradient = builtin(exponentGradientWgsl, (gy, g, a, b, y) => {
  const isFlat = mul(equal(a, 0), greaterEqual(b, 0));
  const base = where(isFlat, 1, a);
  return [
    exponentGradient(gy, a, b),
    a.requiresGrad ? where(isFlat, 0, mul(mul(gy, g), mixedSlope(base, b))) : null,
    mul(gy, mul(y, log(base))),
  ];
});

/** The derivative of aᵇ by both, aᵇ⁻¹ (1 + b ln a). */
function mixedSlope(a: Variable, b: Variable): Variable {
  const less1 = sub(b, 1);
  return add(pow(a, less1), exponentGradient(b, a, less1));
}

/** g b / (a² + b²) */
const angleGradient: Gradient = builtin(angleGradientWgsl, (gy, g, a, b, y) => {
  const s = angleGradient(1, b, a);
  const c = angleGradient(1, a, b);
  return [angleGradient(gy, a, b), mul(gy, mul(mul(y, s), -2)), mul(gy, mul(g, mul(sub(s, c), add(s, c))))];
});

// Comparisons, which give 0 or 1 and have no gradient, and the choice between two operands.

/* @__NO_SIDE_EFFECTS__ */
function comparison(wgsl: string): ElementwiseFunction<[a: Operand, b: Operand]> {
  return builtin(wgsl);
}

/**
 * 1 where a > b, else 0; broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * greater([1, 2, 3], 2); // [0, 0, 1]
 */
export const greater = comparison(greaterWgsl);

/**
 * 1 where a >= b, else 0; broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * greaterEqual([1, 2, 3], 2); // [0, 1, 1]
 */
export const greaterEqual = comparison(greaterEqualWgsl);

/**
 * 1 where a < b, else 0; broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * less([1, 2, 3], 2); // [1, 0, 0]
 */
export const less = comparison(lessWgsl);

/**
 * 1 where a <= b, else 0; broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * lessEqual([1, 2, 3], 2); // [1, 1, 0]
 */
export const lessEqual = comparison(lessEqualWgsl);

/**
 * 1 where a = b, else 0; NaN equals nothing. Broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * equal([1, 2, 3], 2); // [0, 1, 0]
 */
export const equal = comparison(equalWgsl);

/**
 * 1 where a and b differ, else 0; NaN differs from everything. Broadcast as in NumPy, without a gradient.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * notEqual([1, 2, 3], 2); // [1, 0, 1]
 */
export const notEqual = comparison(notEqualWgsl);

/**
 * a where the condition isn't 0 (NaN is not), else b; all three broadcast as in NumPy. The gradient goes to the one that was
 * chosen; the condition has none.
 *
 * @throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.
 * @example
 * where([1, 0], [2, 3], -1); // [2, -1]
 */
export const where: ElementwiseFunction<[condition: Operand, a: Operand, b: Operand]> = builtin(
  whereWgsl,
  (gy, condition) => [null, where(condition, gy, 0), where(condition, 0, gy)],
  { keepsZero: true },
);
