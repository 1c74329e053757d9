/** Element-wise functions of two operands, which are broadcast as in NumPy. */
import addWgsl from "../../shaders/add.wgsl?raw";
import atan2Wgsl from "../../shaders/atan2.wgsl?raw";
import divWgsl from "../../shaders/div.wgsl?raw";
import maximumWgsl from "../../shaders/maximum.wgsl?raw";
import minimumWgsl from "../../shaders/minimum.wgsl?raw";
import mulWgsl from "../../shaders/mul.wgsl?raw";
import powWgsl from "../../shaders/pow.wgsl?raw";
import subWgsl from "../../shaders/sub.wgsl?raw";
import { builtin, type Derivative } from "../elementwise.js";
import type { Operand, Variable } from "../variable.js";
import { equal, greater, greaterEqual, less, where } from "./compare.js";
import { log, neg, square } from "./unary.js";

const binary = (wgsl: string, derivative: Derivative) => builtin<[a: Operand, b: Operand]>(wgsl, derivative);

/** The operands of a derivative of two inputs: the output's gradient, the inputs, the output. */
type Operands = [gy: Variable, a: Variable, b: Variable, y: Variable];
const pair = (derivative: (...operands: Operands) => readonly (Variable | null)[]): Derivative => derivative;

/** a + b */
export const add = binary(addWgsl, (gy) => [gy, gy]);

/** a - b */
export const sub = binary(subWgsl, (gy) => [gy, neg(gy)]);

/** a b */
export const mul = binary(
  mulWgsl,
  pair((gy, a, b) => [mul(gy, b), mul(gy, a)]),
);

/** a / b; ±Infinity where b is 0 and a isn't. */
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
    where(equal(b, 0), 0, mul(gy, mul(b, pow(a, sub(b, 1))))),
    // The logarithm is taken of 1 where it doesn't count: its gradient there would be 0 times infinity.
    b.requiresGrad ? mul(gy, mul(y, log(where(mul(equal(a, 0), greaterEqual(b, 0)), 1, a)))) : null,
  ]),
);

/** The greater of a and b; NaN where one is NaN. Equals share the gradient, as in PyTorch. */
export const maximum = binary(
  maximumWgsl,
  pair((gy, a, b) => shared(gy, add(greater(a, b), mul(equal(a, b), 0.5)))),
);

/** The smaller of a and b; NaN where one is NaN. Equals share the gradient, as in PyTorch. */
export const minimum = binary(
  minimumWgsl,
  pair((gy, a, b) => shared(gy, add(less(a, b), mul(equal(a, b), 0.5)))),
);

function shared(gy: Variable, share: Variable): Variable[] {
  return [mul(gy, share), mul(gy, sub(1, share))];
}

/** The angle of the point (b, a) from the positive b axis, in radians, from -π to π. */
export const atan2 = binary(
  atan2Wgsl,
  pair((gy, a, b) => {
    const scaled = div(gy, add(square(a), square(b)));
    return [mul(scaled, b), neg(mul(scaled, a))];
  }),
);
