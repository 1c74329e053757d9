/** gpugrad: autodiff for WebGPU. The public names. */
import "./functions/methods.js";

export type { BackwardOptions } from "./backward.js";
export type { Data, NestedNumbers } from "./data.js";
export {
  elementwise,
  type Derivative,
  type Elementwise,
  type ElementwiseFunction,
  type ElementwiseOptions,
} from "./elementwise.js";
export * from "./errors.js";
export { Function, type Result } from "./function.js";
export { fuse, type Fusable, type FusedFunction } from "./fuse.js";
export { grad, valueAndGrad, type Differentiable, type GradOptions } from "./functional.js";
export { add, atan2, div, maximum, minimum, mul, pow, sub } from "./functions/binary.js";
export { equal, greater, greaterEqual, less, lessEqual, notEqual, where } from "./functions/compare.js";
export { max, mean, min, sum, type Axes, type ReduceOptions } from "./functions/reduce.js";
export { broadcastTo, reshape, sumTo, transpose } from "./functions/reshaping.js";
export {
  abs,
  cos,
  erf,
  Exp,
  exp,
  log,
  neg,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  Square,
  square,
  tan,
  tanh,
} from "./functions/unary.js";
export { GpuArray } from "./gpu/array.js";
export { flush, init, stats, type Device, type InitOptions, type Stats } from "./gpu/device.js";
export { Kernel, type HasArray, type KernelOptions, type RunIntoOptions, type RunOptions } from "./gpu/kernel.js";
export { gradCheck, type GradCheckOptions, type GradCheckReport } from "./grad-check.js";
export type { Grid } from "./gpu/grid.js";
export type { Binding } from "./gpu/program.js";
export { noGrad } from "./grad-mode.js";
export { graph, toDot, type Graph, type GraphEdge, type GraphNode } from "./graph.js";
export { leaks, type Leak } from "./leaks.js";
export { prepare, type Preparable } from "./prepare.js";
export { profile, type ProfileEntry } from "./profile.js";
export type { Shape } from "./shape.js";
export { Variable, type Operand, type VariableOptions } from "./variable.js";
export type { MathMode } from "./wgsl/math.js";
