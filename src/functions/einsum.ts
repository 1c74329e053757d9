/** Einstein's sum: products by subscripts. */
import { at } from "../base/assert.js";
import { stridesOf } from "../base/shape.js";
import { sum } from "../elementwise/broadcast.js";
import { withOperands, type Operand, type Variable } from "../graph/variable.js";
import { product } from "./products/product.js";
import { parseSubscripts } from "./products/subscripts.js";
import { Slice } from "./slice.js";
import { transpose } from "./transpose.js";

/**
 * Einstein's sum, as NumPy's einsum, of one operand or two: each axis has a letter, the result has the element-wise products
 * summed over the letters that it lacks. Without "->" it has the letters that stand once, in alphabetical order. A letter
 * that an operand has twice is its diagonal; "..." stands for axes that broadcast. An axis of length 1 stretches.
 *
 * @throws ArgumentError for subscripts that are none, or of more operands; ShapeError where they don't fit the shapes;
 * LimitError where an array is larger than one binding may be.
 * @example
 * einsum("ij,jk->ik", [[1, 2], [3, 4]], [[0, 1], [1, 0]]); // [[2, 1], [4, 3]]
 * einsum("ii", [[1, 2], [3, 4]]); // 5
 * einsum("...i,...i", [[1, 2], [3, 4]], [10, 1]); // [12, 34]
 */
export function einsum(subscripts: string, a: Operand, b?: Operand): Variable {
  return withOperands(b === undefined ? [a] : [a, b], (given) => {
    const shapes = given.map(({ shape }) => shape);
    const { operands, result, lengths } = parseSubscripts(subscripts, shapes);
    const diagonals = given.map((x, k) => diagonalOf(x, at(operands, k)));
    const [first, second] = diagonals.map((one, k) => summedAlone(one, result, diagonals[1 - k]));
    if (first === undefined) throw new Error("gpugrad bug: einsum of nothing");
    if (second === undefined) {
      if (first.letters === result && first.x !== given[0]) return first.x;
      return transpose(
        first.x,
        Array.from(result).map((letter) => first.letters.indexOf(letter)),
      );
    }
    const shape = Object.freeze(Array.from(result).map((letter) => lengths.get(letter) ?? 1));
    const named = { a: first.letters, b: second.letters, y: result };
    return product("Einsum", first.x, second.x, named, shape, { a: first.x.shape, b: second.x.shape });
  });
}

interface Lettered {
  readonly x: Variable;
  readonly letters: string;
}

/** Of an operand that has a letter twice, the elements whose positions along its axes are the same. */
function diagonalOf(x: Variable, letters: string): Lettered {
  const all = Array.from(letters);
  const once = Array.from(new Set(all));
  if (once.length === all.length) return { x, letters };
  const strides = stridesOf(x.shape);
  const cut = {
    shape: Object.freeze(once.map((letter) => at(x.shape, letters.indexOf(letter)))),
    offset: 0,
    strides: once.map((letter) => all.reduce((sum, own, axis) => sum + (own === letter ? at(strides, axis) : 0), 0)),
  };
  return { x: new Slice("Diagonal", cut).call(x), letters: once.join("") };
}

/** The operand, summed over what neither the result nor the other operand has: there, an axis of length 1 is anybody's. */
function summedAlone({ x, letters: own }: Lettered, result: string, other: Lettered | undefined): Lettered {
  const isOthers = (letter: string): boolean =>
    other !== undefined && (other.x.shape[other.letters.indexOf(letter)] ?? 1) !== 1;
  const axes = Array.from(own).flatMap((letter, axis) => (result.includes(letter) || isOthers(letter) ? [] : [axis]));
  if (axes.length === 0) return { x, letters: own };
  return {
    x: sum(x, axes),
    letters: Array.from(own)
      .filter((_, axis) => !axes.includes(axis))
      .join(""),
  };
}
