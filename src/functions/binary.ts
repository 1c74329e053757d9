/** Element-wise functions of two operands, which are broadcast as in NumPy. */
import addWgsl from "../../shaders/add.wgsl?raw";
import atan2Wgsl from "../../shaders/atan2.wgsl?raw";
import divWgsl from "../../shaders/div.wgsl?raw";
import maximumWgsl from "../../shaders/maximum.wgsl?raw";
import minimumWgsl from "../../shaders/minimum.wgsl?raw";
import mulWgsl from "../../shaders/mul.wgsl?raw";
import powWgsl from "../../shaders/pow.wgsl?raw";
import subWgsl from "../../shaders/sub.wgsl?raw";
import { builtin, type Derivative, type ElementwiseFunction } from "../elementwise.js";
import type { Operand, Variable } from "../variable.js";
import { equal, greater, greaterEqual, less, notEqual, where } from "./compare.js";
import { abs, log, neg, square } from "./unary.js";

type Binary = ElementwiseFunction<[a: Operand, b: Operand]>;
const binary = (wgsl: string, derivative: Derivative, passes?: readonly number[]): Binary =>
  builtin(wgsl, derivative, passes);

/** The operands of a derivative of two inputs: the output's gradient, the inputs, the output. */
type Operands = [gy: Variable, a: Variable, b: Variable, y: Variable];
const pair = (derivative: (...operands: Operands) => readonly (Variable | null)[]): Derivative => derivative;

/** a + b */
export const add = binary(addWgsl, (gy) => [gy, gy], [0, 1]);

/** a - b */
export const sub = binary(subWgsl, (gy) => [gy, neg(gy)], [0]);

/** a b */
export const mul = binary(
  mulWgsl,
  pair((gy, a, b) => [mul(gy, b), mul(gy, a)]),
);

/** a / b; ±Infinity where b is 0 and a isn't, NaN where both are. The gradients there are infinite or NaN as well. */
export const div = binary(
  divWgsl,
  pair((gy, _, b, y) => [div(gy, b), neg(mul(gy, div(y, b)))]),
);

/**
 * a to the power of b: 1 for b = 0, NaN for a < 0 unless b is a whole number. The gradient of a is 0 where b = 0, that
 * of b is 0 where a = 0 and b >= 0, as in PyTorch.
 */
export const pow = binary(
  powWgsl,
  pair((gy, a, b, y) => [
    // The power is taken of 1 where b = 0 and a is 0 or NaN: what is multiplied by b = 0 must be finite.
    mul(gy, mul(b, pow(where(add(notEqual(b, 0), greater(abs(a), 0)), a, 1), sub(b, 1)))),
    // The logarithm is taken of 1 where it doesn't count: its gradient there would be 0 times infinity.
    b.requiresGrad ? mul(gy, mul(y, log(where(mul(equal(a, 0), greaterEqual(b, 0)), 1, a)))) : null,
  ]),
);

/** The greater of a and b; NaN where one is NaN. Equals share the gradient, as in PyTorch; next to NaN both get it. */
export const maximum = binary(
  maximumWgsl,
  pair((gy, a, b) => chosen(gy, a, b, less(a, b), greater(a, b))),
);

/** The smaller of a and b; NaN where one is NaN. The gradient is as in maximum. */
export const minimum = binary(
  minimumWgsl,
  pair((gy, a, b) => chosen(gy, a, b, greater(a, b), less(a, b))),
);

/** The gradients where one of two operands is chosen, from where each is not: equals share. */
function chosen(gy: Variable, a: Variable, b: Variable, notA: Variable, notB: Variable): Variable[] {
  const share = where(equal(a, b), mul(gy, 0.5), gy);
  return [where(notA, 0, share), where(notB, 0, share)];
}

/** The angle of the point (b, a) from the positive b axis, in radians, from -π to π. The gradient at the origin is NaN. */
export const atan2 = binary(
  atan2Wgsl,
  pair((gy, a, b) => {
    const scaled = div(gy, add(square(a), square(b)));
    return [mul(scaled, b), neg(mul(scaled, a))];
  }),
);
