/** What a user may give as numbers, and how it becomes an array on the GPU. */
import { ArgumentError, ShapeError } from "../base/errors.js";
import { GpuArray } from "./array.js";
import { checkBytes } from "./checks.js";
import { currentDevice } from "./current.js";
import { describe, isList } from "../base/describe.js";
import { checkShape, showShape, sizeOf, type Shape } from "../base/shape.js";

/** Numbers in arrays, nested to any depth, all of one length at each: their lengths are the shape. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** A number, an array of numbers nested to any depth, a Float32Array, or an array that is on the GPU already. */
export type Data = number | NestedNumbers | Float32Array | GpuArray;

/**
 * The array for `data`; a GpuArray is taken as it is.
 *
 * @throws ArgumentError for anything that isn't Data; ShapeError where nested arrays are ragged or `shape` doesn't fit;
 * LimitError, NotInitializedError.
 */
export function toGpuArray(data: Data, shape?: Shape, what = "data"): GpuArray {
  const wanted = shape === undefined ? null : checkShape(shape);
  if (data instanceof GpuArray) {
    data.check();
    return wanted === null ? data : data.reshape(fit(wanted, data.size, what));
  }
  if (typeof data === "number") {
    return GpuArray.from(Float32Array.of(data), wanted === null ? [] : fit(wanted, 1, what));
  }
  if (data instanceof Float32Array) {
    if (isDetached(data.buffer)) {
      throw new ArgumentError(`${what} is a Float32Array whose memory was transferred away`);
    }
    return GpuArray.from(data, wanted === null ? [data.length] : fit(wanted, data.length, what));
  }
  if (isList(data)) {
    const { values, shape: found } = flatten(data, what);
    return GpuArray.from(values, wanted === null ? found : fit(wanted, values.length, what));
  }
  const isNumbers = ArrayBuffer.isView(data) && !((data as unknown) instanceof DataView);
  throw new ArgumentError(
    `${what} must be a number, a nested array of numbers, a Float32Array or a GpuArray, not ${describe(data)}` +
      (isNumbers ? ": Float32Array.from(it, Number) gives one" : ""),
  );
}

/** Whether the memory was transferred away. Runtimes without `detached` refuse a view of it. */
function isDetached(buffer: ArrayBufferLike & { readonly detached?: boolean }): boolean {
  if (buffer.detached !== undefined || buffer.byteLength > 0) return buffer.detached === true;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

/** The numbers of data that is not on the GPU, which nobody else has. */
export function numbersOf(data: Exclude<Data, number | GpuArray>): Float32Array {
  if (!(data instanceof Float32Array)) return flatten(data, "data").values;
  // One whose buffer is gone has no elements, and can't be copied.
  return data.length === 0 ? new Float32Array(0) : data.slice();
}

function fit(shape: Shape, size: number, what: string): Shape {
  if (sizeOf(shape) !== size) {
    throw new ShapeError(`${what} has ${size} numbers, shape ${showShape(shape)} has ${sizeOf(shape)}`);
  }
  return shape;
}

/** The numbers of a nested array in row-major order, and its shape, read off its first elements. */
function flatten(nested: readonly unknown[], what: string): { values: Float32Array; shape: Shape } {
  const shape: number[] = [];
  for (let level: unknown = nested; isList(level); level = level[0]) {
    if (shape.length === maxDepth) throw new ShapeError(`${what} is nested more than ${maxDepth} deep`);
    shape.push(level.length);
  }
  checkBytes(currentDevice(), checkShape(shape), what);
  const values = new Float32Array(sizeOf(shape));
  let next = 0;
  const walk = (list: readonly unknown[], axis: number, path: () => string): void => {
    if (list.length !== shape[axis]) {
      throw new ShapeError(
        `${path()} has ${list.length} elements where ${showShape(shape)} has ${shape[axis]}: the array is ragged`,
      );
    }
    for (let index = 0; index < list.length; index++) {
      const element = list[index];
      const at = (): string => `${path()}[${index}]`;
      if (isList(element)) {
        if (axis + 1 >= shape.length)
          throw new ShapeError(`${at()} is an array where the others are numbers: the array is ragged`);
        walk(element, axis + 1, at);
      } else if (typeof element !== "number") {
        throw new ArgumentError(`${at()} must be a number, not ${describe(element)}`);
      } else if (axis + 1 < shape.length) {
        throw new ShapeError(`${at()} is a number where the others are arrays: the array is ragged`);
      } else {
        values[next++] = element;
      }
    }
  };
  walk(nested, 0, () => what);
  return { values, shape };
}

const maxDepth = 32;
