/// <reference lib="esnext.disposable" preserve="true" />
/** `gpugrad/core`: the public names, each of which brings what it needs and no more. Variables have no functions as methods here. */
import "./functions/gradient-sums.js";

export type { BackwardOptions } from "./graph/backward.js";
export type { Data, NestedNumbers } from "./gpu/data.js";
export type { Derivative, Elementwise, ElementwiseFunction, Results } from "./elementwise/elementwise.js";
export { elementwise, type ElementwiseOptions, type OutputsOf } from "./functions/own.js";
export { stencil, type Boundary, type StencilFunction, type StencilOptions } from "./functions/stencil.js";
export * from "./base/errors.js";
export { Function, type NodeClass, type Result } from "./graph/function.js";
export { fuse, type Fusable, type FusedFunction } from "./transforms/fuse.js";
export { grad, valueAndGrad, type Differentiable, type Gradient, type GradOptions } from "./transforms/grad.js";
export { broadcastTo, sum, sumTo } from "./elementwise/broadcast.js";
export type { Axes, ReduceOptions } from "./elementwise/reduction.js";
export * from "./functions/pointwise.js";
export { max, mean, min } from "./functions/reduce.js";
export { expandDims, flatten, moveAxis, squeeze, swapAxes } from "./functions/axes.js";
export { concat, stack } from "./functions/join.js";
export { arange, eye, full, linspace, meshgrid, oneHot, ones, zeros, type MakeOptions } from "./functions/making.js";
export { repeat, roll, tile, trace, tril, triu } from "./functions/repeat.js";
export {
  all,
  any,
  count,
  logSoftmax,
  logSumExp,
  norm,
  softmax,
  std,
  variance,
  type NormOptions,
  type VarianceOptions,
} from "./functions/statistics.js";
export { diagonal, flip, slice, split, type DiagonalOptions } from "./functions/slice.js";
export { einsum } from "./functions/einsum.js";
export { dot, linear, matmul, outer } from "./functions/products.js";
export { transpose } from "./functions/transpose.js";
export { reshape } from "./graph/reshape.js";
export { GpuArray } from "./gpu/array.js";
export { flush, stats } from "./gpu/current.js";
export { encodeInto } from "./gpu/encode-into.js";
export type { Device, Stats } from "./gpu/device.js";
export { init, type InitOptions } from "./gpu/init.js";
export { Kernel, type HasArray, type KernelOptions, type RunIntoOptions, type RunOptions } from "./gpu/kernel.js";
export {
  gradCheck,
  type GradCheckKink,
  type GradCheckOptions,
  type GradCheckPlace,
  type GradCheckReport,
} from "./inspect/grad-check.js";
export type { Grid } from "./gpu/grid.js";
export type { UniformBlock } from "./gpu/work.js";
export type { Binding } from "./wgsl/binding.js";
export { noGrad } from "./graph/no-grad.js";
export { graph, toDot, type Graph, type GraphEdge, type GraphNode } from "./inspect/graph.js";
export { findNonFinite, type NonFinite, type NonFiniteOperand, type NonFiniteOptions } from "./inspect/non-finite.js";
export { leaks, type Leak } from "./inspect/leaks.js";
export { prepare, type Preparable } from "./gpu/prepare.js";
export { profile, type ProfileEntry } from "./inspect/profile.js";
export type { Range } from "./base/ranges.js";
export type { Shape } from "./base/shape.js";
export { update } from "./transforms/update.js";
export type { UpdateFunction } from "./transforms/update/traced.js";
export { Variable, type Operand, type VariableOptions } from "./graph/variable.js";
export type { MathMode } from "./wgsl/math.js";
