/** The functions as methods of Variable: `x.mul(y)` is `mul(x, y)`. */
import { broadcastTo, sum, sumTo } from "../elementwise/broadcast.js";
import type { Axes, ReduceOptions } from "../elementwise/reduction.js";
import { addGradientsWith } from "../graph/backward.js";
import { ArgumentError } from "../base/errors.js";
import { GpuArray } from "../gpu/array.js";
import { reshape } from "../graph/reshape.js";
import { Variable, type Operand } from "../graph/variable.js";
import {
  abs,
  add,
  atan2,
  cos,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tan,
  tanh,
  where,
} from "./pointwise.js";
import { max, mean, min } from "./reduce.js";
import { transpose } from "./transpose.js";

const unary = {
  neg,
  abs,
  sign,
  square,
  sqrt,
  reciprocal,
  exp,
  log,
  sin,
  cos,
  tan,
  tanh,
  sigmoid,
  relu,
  softplus,
  erf,
};

const binary = {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  atan2,
  greater,
  greaterEqual,
  less,
  lessEqual,
  equal,
  notEqual,
};

const reductions = { sum, mean, max, min };

const reshapings = { reshape, transpose, broadcastTo, sumTo };

type UnaryMethods = Record<keyof typeof unary, () => Variable>;
type BinaryMethods = Record<keyof typeof binary, (other: Operand) => Variable>;
type ReductionMethods = Record<keyof typeof reductions, (axes?: Axes, options?: ReduceOptions) => Variable>;

declare module "../graph/variable.js" {
  interface Variable extends UnaryMethods, BinaryMethods, ReductionMethods {
    reshape(shape: readonly number[]): Variable;
    transpose(axes?: readonly number[]): Variable;
    broadcastTo(shape: readonly number[]): Variable;
    sumTo(shape: readonly number[]): Variable;
    /** This where the condition isn't 0, else `other`, as in PyTorch: `x.where(c, other)` is `where(c, x, other)`. */
    where(condition: Operand, other: Operand): Variable;
  }
}

addGradientsWith(add);

const choice = { where: (x: Variable, condition: Operand, other: Operand) => where(condition, x, other) };

const methods: Record<string, (x: Variable, ...rest: never[]) => Variable> = {
  ...unary,
  ...binary,
  ...reductions,
  ...reshapings,
  ...choice,
};

for (const [name, f] of Object.entries(methods)) {
  if (!(name in GpuArray.prototype)) {
    Object.defineProperty(GpuArray.prototype, name, {
      value(): never {
        throw new ArgumentError(
          `${name} is a method of Variables, and this is a GpuArray, as forward gets: write ${name}(x, …)`,
        );
      },
      writable: true,
      configurable: true,
    });
  }
  Object.defineProperty(Variable.prototype, name, {
    value(this: Variable, ...rest: never[]): Variable {
      return f(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
