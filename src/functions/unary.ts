/** Element-wise functions of one operand: the WGSL, and the derivative that can be differentiated again. */
import absWgsl from "../../shaders/abs.wgsl?raw";
import cosWgsl from "../../shaders/cos.wgsl?raw";
import erfWgsl from "../../shaders/erf.wgsl?raw";
import expWgsl from "../../shaders/exp.wgsl?raw";
import logWgsl from "../../shaders/log.wgsl?raw";
import negWgsl from "../../shaders/neg.wgsl?raw";
import reciprocalWgsl from "../../shaders/reciprocal.wgsl?raw";
import reluWgsl from "../../shaders/relu.wgsl?raw";
import sigmoidWgsl from "../../shaders/sigmoid.wgsl?raw";
import signWgsl from "../../shaders/sign.wgsl?raw";
import sinWgsl from "../../shaders/sin.wgsl?raw";
import softplusWgsl from "../../shaders/softplus.wgsl?raw";
import sqrtWgsl from "../../shaders/sqrt.wgsl?raw";
import squareWgsl from "../../shaders/square.wgsl?raw";
import tanWgsl from "../../shaders/tan.wgsl?raw";
import tanhWgsl from "../../shaders/tanh.wgsl?raw";
import { builtin, type Derivative, type Elementwise, type ElementwiseFunction } from "../elementwise.js";
import { asVariable, type Operand } from "../variable.js";
import { div, mul, sub } from "./binary.js";
import { lessEqual, where } from "./compare.js";

type Unary = ElementwiseFunction<[x: Operand]>;
const unary = (wgsl: string, derivative: Derivative): Unary => builtin(wgsl, derivative);

/** -x */
export const neg = unary(negWgsl, (gy) => neg(gy));

/** |x|; the gradient at 0 is 0. */
export const abs = unary(absWgsl, (gy, x) => mul(gy, sign(x)));

/** -1, 0 or 1; 0 for NaN, as in PyTorch. The gradient is 0 everywhere. */
export const sign = unary(signWgsl, () => asVariable(0));

/** x² */
export const square = unary(squareWgsl, (gy, x) => mul(gy, mul(x, 2)));

/** √x; NaN for x < 0, and a gradient of +Infinity at 0. */
export const sqrt = unary(sqrtWgsl, (gy, _, y) => div(gy, mul(y, 2)));

/** 1 / x; ±Infinity at ±0, with a gradient of -Infinity. */
export const reciprocal = unary(reciprocalWgsl, (gy, _, y) => neg(mul(gy, square(y))));

/** eˣ */
export const exp = unary(expWgsl, (gy, _, y) => mul(gy, y));

/** The natural logarithm; -Infinity at 0, NaN for x < 0. The gradient is 1 / x everywhere: +Infinity at 0. */
export const log = unary(logWgsl, (gy, x) => div(gy, x));

/** sin x, x in radians */
export const sin = unary(sinWgsl, (gy, x) => mul(gy, cos(x)));

/** cos x, x in radians */
export const cos = unary(cosWgsl, (gy, x) => neg(mul(gy, sin(x))));

/** tan x, x in radians */
export const tan = unary(tanWgsl, (gy, _, y) => mul(gy, square(y).add(1)));

/** The hyperbolic tangent. */
export const tanh = unary(tanhWgsl, (gy, _, y) => mul(gy, sub(1, square(y))));

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = unary(sigmoidWgsl, (gy, _, y) => mul(gy, mul(y, sub(1, y))));

/** max(x, 0); the gradient at 0 is 0. NaN stays NaN, and its gradient passes, as in PyTorch. */
export const relu = unary(reluWgsl, (gy, x) => where(lessEqual(x, 0), 0, gy));

/** ln(1 + eˣ), without overflow. */
export const softplus = unary(softplusWgsl, (gy, x) => mul(gy, sigmoid(x)));

/** The error function, 2/√π ∫₀ˣ exp(-t²) dt. */
export const erf = unary(erfWgsl, (gy, x) => mul(gy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))));

/** The class of a node of the graph that squares: `new Square().call(x)` is `square(x)`. */
export const Square: new () => Elementwise = square.Node;
export type Square = Elementwise;

/** The class of a node of the graph that takes eˣ: `new Exp().call(x)` is `exp(x)`. */
export const Exp: new () => Elementwise = exp.Node;
export type Exp = Elementwise;
