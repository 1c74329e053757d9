/** Arrays that are made of a shape or a rule. None of them needs a gradient, unless that is asked for. */
import { checkList, checkNumber, checkObject } from "../base/arguments.js";
import { describe } from "../base/describe.js";
import { ArgumentError, LimitError } from "../base/errors.js";
import { checkShape, type Shape } from "../base/shape.js";
import { broadcastTo } from "../elementwise/broadcast.js";
import { GpuArray } from "../gpu/array.js";
import { currentDevice } from "../gpu/current.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, Variable, type Operand } from "../graph/variable.js";

/** Of the functions that make arrays. */
export interface MakeOptions {
  /** True: a leaf that gets a gradient. Default false. */
  readonly requiresGrad?: boolean;
  /** Shown in graphs and errors. */
  readonly name?: string;
}

/** @throws LimitError where no buffer of the device has room for so many numbers. */
function checkFits(count: number, what: string): void {
  const { maxArrayBytes } = currentDevice();
  if (4 * count > maxArrayBytes) {
    throw new LimitError(`${what}: ${count} numbers don't fit one buffer of the device`, 4 * count, maxArrayBytes);
  }
}

function made(data: Float32Array | GpuArray, shape: Shape, options: MakeOptions, what: string): Variable {
  const { requiresGrad = false, name } = checkObject(options, `${what}'s options`);
  return new Variable(data, { shape, requiresGrad, ...(name === undefined ? {} : { name }) });
}

/**
 * An array of this shape whose elements are all one number. It takes no memory before somebody needs it.
 *
 * @throws ShapeError where a length isn't a whole number of 0 or more; ArgumentError where the value is no number.
 * @example
 * full([2, 2], 7); // [[7, 7], [7, 7]]
 */
export function full(shape: readonly number[], value: number, options: MakeOptions = {}): Variable {
  return filled(shape, value, options, "full");
}

function filled(shape: readonly number[], value: number, options: MakeOptions, what: string): Variable {
  if (typeof value !== "number") throw new ArgumentError(`${what}: a value is a number, not ${describe(value)}`);
  const checked = checkShape(shape, `${what}: shape`);
  return made(GpuArray.constant(Math.fround(value), checked, currentDevice()), checked, options, what);
}

/**
 * An array of zeros. It takes no memory before somebody needs it.
 *
 * @throws ShapeError where a length isn't a whole number of 0 or more.
 * @example
 * zeros([2, 3]).shape; // [2, 3]
 */
export function zeros(shape: readonly number[], options: MakeOptions = {}): Variable {
  return filled(shape, 0, options, "zeros");
}

/**
 * An array of ones. It takes no memory before somebody needs it.
 *
 * @throws ShapeError where a length isn't a whole number of 0 or more.
 * @example
 * ones([3]); // [1, 1, 1]
 */
export function ones(shape: readonly number[], options: MakeOptions = {}): Variable {
  return filled(shape, 1, options, "ones");
}

/**
 * The numbers from `start` (0 where there is one argument) up to `stop`, without it, by steps: start + k · step, rounded once.
 *
 * @throws ArgumentError where one isn't finite, or the step is 0.
 * @example
 * arange(4); // [0, 1, 2, 3]
 * arange(1, 2, 0.25); // [1, 1.25, 1.5, 1.75]
 */
export function arange(start: number, stop?: number, step = 1, options: MakeOptions = {}): Variable {
  const [first, end] = stop === undefined ? [0, start] : [start, stop];
  for (const each of [first, end, step])
    checkNumber(each, -Number.MAX_VALUE, Number.MAX_VALUE, false, "arange: a number");
  if (step === 0) throw new ArgumentError("arange: a step of 0 goes nowhere");
  const [length = 0] = checkShape([Math.max(0, Math.ceil((end - first) / step))], "arange: shape");
  checkFits(length, "arange");
  const data = Float32Array.from({ length }, (_, k) => first + k * step);
  return made(data, [length], options, "arange");
}

/**
 * So many numbers at equal distances from `start` to `stop`, both of them in it, each rounded once.
 *
 * @throws ArgumentError where the count isn't a whole number of 0 or more, or an end isn't finite.
 * @example
 * linspace(0, 1, 5); // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(start: number, stop: number, count: number, options: MakeOptions = {}): Variable {
  for (const end of [start, stop]) checkNumber(end, -Number.MAX_VALUE, Number.MAX_VALUE, false, "linspace: an end");
  checkNumber(count, 0, Number.MAX_SAFE_INTEGER, true, "linspace: count");
  checkFits(count, "linspace");
  const data = Float32Array.from({ length: count }, (_, k) => {
    if (k === count - 1 && k > 0) return stop;
    return start + (stop - start) * (k / Math.max(1, count - 1));
  });
  return made(data, [count], options, "linspace");
}

/**
 * A matrix with ones on its diagonal and zeros elsewhere.
 *
 * @param columns as many as rows where nothing is given
 * @throws ArgumentError where a count isn't a whole number of 0 or more.
 * @example
 * eye(2); // [[1, 0], [0, 1]]
 */
export function eye(rows: number, columns = rows, options: MakeOptions = {}): Variable {
  for (const each of [rows, columns]) checkNumber(each, 0, Number.MAX_SAFE_INTEGER, true, "eye: a count");
  const shape = checkShape([rows, columns], "eye: shape");
  checkFits(rows * columns, "eye");
  const data = new Float32Array(rows * columns);
  for (let k = 0; k < Math.min(rows, columns); k++) data[k * columns + k] = 1;
  return made(data, shape, options, "eye");
}

/**
 * Of coordinates along each axis, those of all points of a grid: one array for each, in which position [i, j, …] has the ith of the
 * first, the jth of the second, and so on. As NumPy's with indexing "ij".
 *
 * @example
 * const [x, y] = meshgrid([1, 2], [5, 6, 7]); // x [[1, 1, 1], [2, 2, 2]], y [[5, 6, 7], [5, 6, 7]]
 */
export function meshgrid(...coordinates: readonly Operand[]): Variable[] {
  const along = coordinates.map((each) => asOperand(each));
  const shape = along.map(({ size }) => size);
  return along.map((each, axis) =>
    broadcastTo(
      reshape(
        each,
        shape.map((_, k) => (k === axis ? each.size : 1)),
      ),
      shape,
    ),
  );
}

/**
 * For each index a row with a 1 at its place and zeros elsewhere: the shape of the indices, and one axis more.
 *
 * @param indices whole numbers from 0 to count - 1
 * @throws ArgumentError where one of them isn't.
 * @example
 * oneHot([2, 0], 3); // [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(
  indices: readonly number[] | Int32Array | Uint32Array | Uint8Array,
  count: number,
  options: MakeOptions = {},
): Variable {
  checkNumber(count, 0, Number.MAX_SAFE_INTEGER, true, "oneHot: count");
  const list = ArrayBuffer.isView(indices) ? Array.from(indices) : checkList<number>(indices, "oneHot: indices");
  const shape = checkShape([list.length, count], "oneHot: shape");
  checkFits(list.length * count, "oneHot");
  const data = new Float32Array(list.length * count);
  list.forEach((index, k) => {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new ArgumentError(
        `oneHot: index ${k} must be a whole number from 0 to ${count - 1}, not ${describe(index)}`,
      );
    }
    data[k * count + index] = 1;
  });
  return made(data, shape, options, "oneHot");
}
