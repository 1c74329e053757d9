/** Comparisons, which give 0 or 1 and have no gradient, and the choice between two operands. */
import equalWgsl from "../../shaders/equal.wgsl?raw";
import greaterWgsl from "../../shaders/greater.wgsl?raw";
import greaterEqualWgsl from "../../shaders/greaterEqual.wgsl?raw";
import lessWgsl from "../../shaders/less.wgsl?raw";
import lessEqualWgsl from "../../shaders/lessEqual.wgsl?raw";
import notEqualWgsl from "../../shaders/notEqual.wgsl?raw";
import whereWgsl from "../../shaders/where.wgsl?raw";
import { builtin, type ElementwiseFunction } from "../elementwise.js";
import type { Operand } from "../variable.js";

type Comparison = ElementwiseFunction<[a: Operand, b: Operand]>;
const comparison = (wgsl: string): Comparison => builtin(wgsl);

/** 1 where a > b, else 0. */
export const greater = comparison(greaterWgsl);

/** 1 where a >= b, else 0. */
export const greaterEqual = comparison(greaterEqualWgsl);

/** 1 where a < b, else 0. */
export const less = comparison(lessWgsl);

/** 1 where a <= b, else 0. */
export const lessEqual = comparison(lessEqualWgsl);

/** 1 where a = b, else 0; NaN equals nothing. */
export const equal = comparison(equalWgsl);

/** 1 where a and b differ, else 0; NaN differs from everything. */
export const notEqual = comparison(notEqualWgsl);

/** a where the condition isn't 0 (NaN is not), else b. The gradient goes to the one that was chosen. */
export const where: ElementwiseFunction<[condition: Operand, a: Operand, b: Operand]> = builtin(
  whereWgsl,
  (gy, condition) => [null, where(condition, gy, 0), where(condition, 0, gy)],
);
