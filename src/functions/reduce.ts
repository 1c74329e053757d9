/** Reductions: sum, mean, max and min, of all elements or along axes. Trees on the GPU, in as many passes as it takes. */
import columnsWgsl from "../../shaders/reduce/columns.wgsl?raw";
import maxWgsl from "../../shaders/reduce/max.wgsl?raw";
import minWgsl from "../../shaders/reduce/min.wgsl?raw";
import rowsWgsl from "../../shaders/reduce/rows.wgsl?raw";
import sumWgsl from "../../shaders/reduce/sum.wgsl?raw";
import { checkObject, checkOption } from "../arguments.js";
import { at } from "../assert.js";
import { ShapeError } from "../errors.js";
import { Function } from "../function.js";
import { gradEnabled } from "../grad-mode.js";
import { GpuArray } from "../gpu/array.js";
import { Kernel } from "../gpu/kernel.js";
import { checkAxes, showShape, sizeOf, type Shape } from "../shape.js";
import { asVariable, type Operand, type Variable } from "../variable.js";
import { div, mul } from "./binary.js";
import { equal } from "./compare.js";
import { broadcastTo, reshape } from "./reshaping.js";

export interface ReduceOptions {
  /** True: the axes stay, with length 1. Default false. */
  readonly keepDims?: boolean;
}

/** One axis, several, or all (null, or nothing given). Negative ones count from the end. */
export type Axes = number | readonly number[] | null;

/** Numbers that one workgroup of shaders/reduce/rows.wgsl, or one invocation of columns.wgsl, takes. */
const rowChunk = 4 * 64 * 64;
const columnChunk = 64;
/** Shorter rows than this don't fill a workgroup: one invocation takes each. */
const shortRow = 256;

/** The two kernels of one operation, and what it gives for no numbers at all. */
class Reducer {
  readonly empty: number | null;
  readonly #rows: Kernel;
  readonly #columns: Kernel;

  constructor(name: string, wgsl: string, empty: number | null) {
    const kernel = (source: string, padded: boolean): Kernel =>
      new Kernel(
        { name, wgsl: `${source}\n${wgsl}`, bindings: ["input", "output", "uniform"] },
        { padded, trusted: true },
      );
    this.empty = empty;
    this.#rows = kernel(rowsWgsl, true);
    this.#columns = kernel(columnsWgsl, false);
  }

  /** The shader for rows, which whole arrays take, and the one for columns. */
  get wgsl(): string {
    return `${this.#rows.source("exact")}\n${this.#columns.source("exact")}`;
  }

  /** [outer, length, inner] to [outer, inner]; gives `array` itself where there is nothing to do. */
  reduce(array: GpuArray, outer: number, length: number, inner: number): GpuArray {
    let current = array;
    try {
      for (let left = length; left > 1;) {
        const inRows = inner === 1 && left >= shortRow && (outer === 1 || left % 4 === 0);
        const chunks = Math.ceil(left / (inRows ? rowChunk : columnChunk));
        const results = outer * chunks * inner;
        const next = at(
          inRows
            ? this.#rows.run({
                inputs: [current],
                outputs: [[results]],
                uniforms: [Uint32Array.of(left, outer, chunks)],
                invocations: results * 64,
              })
            : this.#columns.run({
                inputs: [current],
                outputs: [[results]],
                uniforms: [Uint32Array.of(left, inner, chunks, results)],
                invocations: results,
              }),
          0,
        );
        if (current !== array) current.release();
        current = next;
        left = chunks;
      }
    } catch (error) {
      if (current !== array) current.release();
      throw error;
    }
    return current;
  }
}

const reducers = {
  Sum: new Reducer("sum", sumWgsl, 0),
  Max: new Reducer("max", maxWgsl, null),
  Min: new Reducer("min", minWgsl, null),
};

abstract class Reduction extends Function {
  readonly #kind: keyof typeof reducers;
  protected readonly axes: readonly number[];
  /** The result's shape, and the same with the reduced axes kept as 1. */
  readonly #shape: Shape;
  protected readonly kept: Shape;

  /** @param shape the result's, where it is another one of the same size than `keepDims` gives */
  constructor(kind: keyof typeof reducers, x: Variable, axes: Axes | undefined, options: ReduceOptions, shape?: Shape) {
    super();
    const { keepDims = false } = checkObject(options, `${kind.toLowerCase()}'s options`);
    checkOption(keepDims, "boolean", "keepDims");
    this.#kind = kind;
    this.axes = checkAxes(axes, x.shape.length, kind.toLowerCase());
    this.kept = Object.freeze(x.shape.map((length, axis) => (this.axes.includes(axis) ? 1 : length)));
    this.#shape =
      shape ?? (keepDims ? this.kept : Object.freeze(x.shape.filter((_, axis) => !this.axes.includes(axis))));
  }

  override get name(): string {
    return this.#kind;
  }

  override get wgsl(): string {
    return reducers[this.#kind].wgsl;
  }

  override forward(x: GpuArray): GpuArray {
    const reducer = reducers[this.#kind];
    if (x.size === 0) {
      if (reducer.empty === null && sizeOf(this.#shape) > 0) {
        throw new ShapeError(`${this.#kind.toLowerCase()}: shape ${showShape(x.shape)} has no element to choose`);
      }
      return GpuArray.constant(reducer.empty ?? 0, this.#shape, x.device);
    }
    const shape = [...x.shape];
    let current = x;
    try {
      // Groups of neighbouring axes, from the last one on: each is one reduction of [outer, length, inner].
      for (let last = this.axes.length - 1; last >= 0;) {
        let first = last;
        while (first > 0 && at(this.axes, first - 1) === at(this.axes, first) - 1) first--;
        const begin = at(this.axes, first);
        const end = at(this.axes, last) + 1;
        const next = reducer.reduce(
          current,
          sizeOf(shape.slice(0, begin)),
          sizeOf(shape.slice(begin, end)),
          sizeOf(shape.slice(end)),
        );
        if (next !== current && current !== x) current.release();
        current = next;
        shape.fill(1, begin, end);
        last = first - 1;
      }
      return current.reshape(this.#shape);
    } finally {
      if (current !== x) current.release();
    }
  }
}

class Sum extends Reduction {
  override backward(gy: Variable): Variable | GpuArray {
    if (gy.size === 1 && !gradEnabled()) return GpuArray.repeat(gy.data, this.input.shape);
    return broadcastTo(reshape(gy, this.kept), this.input.shape);
  }
}

class Extremum extends Reduction {
  /** The elements that equal the result share its gradient. */
  override backward(gy: Variable): Variable {
    const chosen = equal(this.input, reshape(this.output, this.kept));
    const count = sum(chosen, this.axes, { keepDims: true });
    return mul(chosen, div(reshape(gy, this.kept), count));
  }
}

/**
 * The sum of all elements, or along axes. Of no elements it is 0.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * sum([[1, 2], [3, 4]]); // 10
 * sum([[1, 2], [3, 4]], 0); // [4, 6]
 * sum([[1, 2], [3, 4]], -1, { keepDims: true }); // [[3], [7]]
 */
export function sum(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  return new Sum("Sum", variable, axes, options).call(variable);
}

/** The sum along `axes`, under this shape, which has as many elements: what `sumTo` does in one node. */
export function sumAs(x: Variable, axes: readonly number[], shape: Shape): Variable {
  return new Sum("Sum", x, axes, {}, shape).call(x);
}

/** The mean of all elements, or along axes: their sum divided by their number. Of no elements it is NaN. */
export function mean(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  const total = sum(variable, axes, options);
  return div(total, variable.size / total.size || 0);
}

/**
 * The greatest element of all, or along axes; NaN where one is NaN. Equal ones share the gradient, as in PyTorch's amax.
 *
 * @throws ShapeError where there is no such axis, or no element.
 */
export function max(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  return new Extremum("Max", variable, axes, options).call(variable);
}

/** The smallest element; as max in all else. */
export function min(x: Operand, axes?: Axes, options: ReduceOptions = {}): Variable {
  const variable = asVariable(x);
  return new Extremum("Min", variable, axes, options).call(variable);
}
