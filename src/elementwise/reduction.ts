/** What all reductions share: axes, shapes, and one reduction of [outer, length, inner] for each group of axes. */
import { checkObject, checkOption } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ShapeError } from "../base/errors.js";
import { checkAxes, showShape, sizeOf, type Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { Function } from "../graph/function.js";
import type { Variable } from "../graph/variable.js";
import type { Reducer } from "./reducer.js";

/** Of `sum`, `mean`, `max` and `min`. */
export interface ReduceOptions {
  /** True: the axes stay, with length 1. Default false. */
  readonly keepDims?: boolean;
}

/** One axis, several, or all (null, or nothing given). Negative ones count from the end. */
export type Axes = number | readonly number[] | null;

export abstract class Reduction extends Function {
  readonly #reducer: Reducer;
  protected readonly axes: readonly number[];
  /** The result's shape, and the same with the reduced axes kept as 1. */
  readonly #shape: Shape;
  readonly kept: Shape;

  /** @param shape the result's, where it is another one of the same size than `keepDims` gives */
  constructor(reducer: Reducer, x: Variable, axes: Axes | undefined, options: ReduceOptions, shape?: Shape) {
    super();
    const name = reducer.name.toLowerCase();
    const { keepDims = false } = checkObject(options, `${name}'s options`);
    checkOption(keepDims, "boolean", "keepDims");
    this.#reducer = reducer;
    this.axes = checkAxes(axes, x.shape.length, name);
    this.kept = Object.freeze(x.shape.map((length, axis) => (this.axes.includes(axis) ? 1 : length)));
    this.#shape =
      shape ?? (keepDims ? this.kept : Object.freeze(x.shape.filter((_, axis) => !this.axes.includes(axis))));
  }

  override readonly givesFreshGradients = true;

  override get name(): string {
    return this.#reducer.name;
  }

  override get wgsl(): string {
    return this.#reducer.wgsl;
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(x: GpuArray): GpuArray {
    const reducer = this.#reducer;
    if (x.size === 0) {
      if (reducer.empty === null && sizeOf(this.#shape) > 0) {
        throw new ShapeError(`${reducer.name.toLowerCase()}: shape ${showShape(x.shape)} has no element to choose`);
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
