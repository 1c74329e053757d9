/** Reductions of arrays that are larger than one binding: parts are reduced, and what they give is reduced again. */
import { GpuArray } from "../gpu/array.js";

/** Reduces [outer, length, inner] of an array that fits a binding to [outer, inner]; may give the array itself. */
export type Reduce = (array: GpuArray, outer: number, length: number, inner: number) => GpuArray;

/**
 * The same of an array that doesn't fit.
 *
 * @param most elements that fit
 */
export function reduceInParts(
  reduce: Reduce,
  array: GpuArray,
  [outer, length, inner]: readonly [number, number, number],
  most: number,
): GpuArray {
  if (array.size <= most) return reduce(array, outer, length, inner);
  const row = length * inner;
  if (row <= most) {
    return joined(array, outer * inner, inPieces(outer, most, row), ({ start, count }) => {
      const part = array.part(start * row, [count * row]);
      return { place: start * inner, part, result: reduce(part, count, length, inner) };
    });
  }
  if (outer > 1) {
    return joined(array, outer * inner, inPieces(outer, row, row), ({ start }) => {
      const part = array.part(start * row, [row]);
      return { place: start * inner, part, result: reduceInParts(reduce, part, [1, length, inner], most) };
    });
  }
  if (2 * inner > most) return reduceNarrow(reduce, array, length, inner, most);
  const pieces = inPieces(length, most, inner);
  const partial = joined(array, pieces.length * inner, pieces, ({ start, count }, k) => {
    const part = array.part(start * inner, [count * inner]);
    return { place: k * inner, part, result: reduce(part, 1, count, inner) };
  });
  const result = reduceInParts(reduce, partial, [1, pieces.length, inner], most);
  if (result !== partial) partial.release();
  return result;
}

/** [length, inner] to [inner], where not even two rows fit: some columns at a time, copied together. */
function reduceNarrow(reduce: Reduce, array: GpuArray, length: number, inner: number, most: number): GpuArray {
  return joined(array, inner, inPieces(inner, most, length), ({ start, count }) => {
    const part = GpuArray.allocate(array.device, [length * count], "reduce");
    for (let k = 0; k < length; k++) {
      const row = array.part(k * inner + start, [count]);
      part.put(k * count, row);
      row.release();
    }
    return { place: start, part, result: reduce(part, 1, length, count) };
  });
}

interface Piece {
  readonly start: number;
  readonly count: number;
}

/**
 * `total` units of `size` elements in pieces of at most `most` elements, which begin where a binding may wherever that
 * is possible.
 */
function inPieces(total: number, most: number, size: number): Piece[] {
  const fit = Math.floor(most / size);
  const step = fit >= alignedUnits ? fit - (fit % alignedUnits) : fit;
  return Array.from({ length: Math.ceil(total / step) }, (_, k) => ({
    start: k * step,
    count: Math.min(step, total - k * step),
  }));
}

/** At so many units a binding may begin, whatever their size: 256 bytes are the most that a device may ask for. */
const alignedUnits = 64;

/** An array of `size` elements, put together from what `each` gives for the pieces. */
function joined(
  array: GpuArray,
  size: number,
  pieces: readonly Piece[],
  each: (piece: Piece, k: number) => { readonly place: number; readonly part: GpuArray; readonly result: GpuArray },
): GpuArray {
  const whole = GpuArray.allocate(array.device, [size], "reduce");
  try {
    pieces.forEach((piece, k) => {
      const { place, part, result } = each(piece, k);
      whole.put(place, result);
      if (result !== part) result.release();
      part.release();
    });
  } catch (error) {
    whole.release();
    throw error;
  }
  return whole;
}
