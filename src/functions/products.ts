/** Products that sum: of vectors, matrices and batches of them. einsum.ts has those by subscripts. */
import { at } from "../base/assert.js";
import { ShapeError } from "../base/errors.js";
import { showShape, type Shape } from "../base/shape.js";
import { reshape } from "../graph/reshape.js";
import { withOperands, type Operand, type Variable } from "../graph/variable.js";
import { add, mul } from "./pointwise.js";
import { product } from "./products/product.js";

/** Letters for so many axes, of which the last ones are the same whatever their number. */
function letters(count: number, first: string): string {
  return Array.from({ length: count }, (_, k) => String.fromCharCode(first.charCodeAt(0) + count - 1 - k)).join("");
}

/** @throws ShapeError where two axes that are summed over together differ in length. */
function checkSummed(what: string, a: Shape, axisOfA: number, b: Shape, axisOfB: number): void {
  const [one, other] = [at(a, axisOfA), at(b, axisOfB)];
  if (one === other) return;
  throw new ShapeError(
    `${what}: shapes ${showShape(a)} and ${showShape(b)} don't fit: axis ${axisOfA} of the first has length ${one}, ` +
      `axis ${axisOfB} of the second ${other}, and the sum is over both`,
  );
}

/** @throws ShapeError where it is a single number. */
function checkNotNumber(what: string, { shape }: Variable, place: string): void {
  if (shape.length > 0) return;
  throw new ShapeError(`${what}: the ${place} operand is a single number, of shape []: mul multiplies by one`);
}

/**
 * The matrix product, y[…, i, j] = Σₖ a[…, i, k] · b[…, k, j], as NumPy's matmul: axes before the last two are batches, which
 * broadcast; a vector is a row on the left and a column on the right, and the result lacks that axis. The sum of no products is
 * 0. The gradients are gy·bᵀ and aᵀ·gy, read in place.
 *
 * @throws ShapeError where the shapes don't fit, or one is a single number; LimitError where an array is larger than one
 * binding may be.
 * @example
 * matmul([[1, 0], [0, 1]], [[4, 1], [2, 2]]); // [[4, 1], [2, 2]]
 * matmul([[1, 2], [3, 4]], [1, 10]); // [21, 43]
 */
export function matmul(a: Operand, b: Operand): Variable {
  return withOperands([a, b], (given) => {
    const [x, y] = [at(given, 0), at(given, 1)];
    checkNotNumber("matmul", x, "first");
    checkNotNumber("matmul", y, "second");
    const shapes = { a: x.shape, b: y.shape };
    const [rankOfA, rankOfB] = [x.shape.length, y.shape.length];
    checkSummed("matmul", x.shape, rankOfA - 1, y.shape, Math.max(0, rankOfB - 2));
    const batches = [x.shape.slice(0, -2), y.shape.slice(0, -2)] as const;
    const before = batchShape(x.shape, y.shape, batches);
    const row = rankOfA === 1 ? "" : "i";
    const column = rankOfB === 1 ? "" : "j";
    const named = {
      a: `${letters(batches[0].length, "\u1000")}${row}k`,
      b: `${letters(batches[1].length, "\u1000")}k${column}`,
      y: `${letters(before.length, "\u1000")}${row}${column}`,
    };
    const own = [...(row === "" ? [] : x.shape.slice(-2, -1)), ...(column === "" ? [] : y.shape.slice(-1))];
    return product("Matmul", x, y, named, Object.freeze([...before, ...own]), shapes);
  });
}

/** The batches of both, broadcast. */
function batchShape(a: Shape, b: Shape, [ofA, ofB]: readonly [Shape, Shape]): number[] {
  const rank = Math.max(ofA.length, ofB.length);
  return Array.from({ length: rank }, (_, axis) => {
    const one = ofA[axis - rank + ofA.length] ?? 1;
    const other = ofB[axis - rank + ofB.length] ?? 1;
    if (one === other || other === 1) return one;
    if (one === 1) return other;
    throw new ShapeError(
      `matmul: the batches of shapes ${showShape(a)} and ${showShape(b)} can't be broadcast together: axis ` +
        `${axis - rank + ofA.length} of the first has length ${one}, axis ${axis - rank + ofB.length} of the second ${other}`,
    );
  });
}

/**
 * NumPy's dot: of two vectors the sum of the products of their elements; else over the last axis of a and the last but one
 * of b (its only one where b is a vector), for all other indices of both. Of matrices it is matmul; with a single number, mul.
 *
 * @throws ShapeError where the two axes differ in length; LimitError where an array is larger than one binding may be.
 * @example
 * dot([1, 2, 3], [4, 5, 6]); // 32
 * dot([[1, 0], [0, 1]], [[4, 1], [2, 2]]); // [[4, 1], [2, 2]]
 */
export function dot(a: Operand, b: Operand): Variable {
  return withOperands([a, b], (given) => {
    const [x, y] = [at(given, 0), at(given, 1)];
    const [rankOfA, rankOfB] = [x.shape.length, y.shape.length];
    if (rankOfA === 0 || rankOfB === 0) return mul(x, y);
    const summed = Math.max(0, rankOfB - 2);
    checkSummed("dot", x.shape, rankOfA - 1, y.shape, summed);
    const ofA = letters(rankOfA - 1, "\u1000");
    const [before, after] = [letters(summed, "\u2000"), rankOfB === 1 ? "" : "j"];
    const shape = [...x.shape.slice(0, -1), ...y.shape.filter((_, axis) => axis !== summed)];
    const named = { a: `${ofA}k`, b: `${before}k${after}`, y: `${ofA}${before}${after}` };
    return product("Dot", x, y, named, Object.freeze(shape), { a: x.shape, b: y.shape });
  });
}

/**
 * All products of an element of a with one of b, y[i, j] = a[i] · b[j], as NumPy's outer: operands of other shapes are taken as
 * the vectors of their elements.
 *
 * @throws ArgumentError where one isn't a Variable or numbers; LimitError.
 * @example
 * outer([1, 2], [3, 4, 5]); // [[3, 4, 5], [6, 8, 10]]
 */
export function outer(a: Operand, b: Operand): Variable {
  return withOperands([a, b], (given) => {
    const [x, y] = given.map((each) => (each.shape.length === 1 ? each : reshape(each, [each.size])));
    if (x === undefined || y === undefined) throw new Error("gpugrad bug: no operands");
    const shape = Object.freeze([x.size, y.size]);
    return product("Outer", x, y, { a: "i", b: "j", y: "ij" }, shape, { a: x.shape, b: y.shape });
  });
}

/**
 * x · wᵀ + b, a layer of a network, as PyTorch's linear: x is [..., inputs], the weight w [outputs, inputs], the bias b
 * [outputs] or left out; the result is [..., outputs].
 *
 * @throws ShapeError where the shapes don't fit; LimitError where an array is larger than one binding may be.
 * @example
 * linear([1, 2], [[1, 1], [10, 1], [0, -1]], [0, 0, 5]); // [3, 12, 3]
 */
export function linear(x: Operand, w: Operand, b?: Operand | null): Variable {
  const isBiased = b !== undefined && b !== null;
  return withOperands(isBiased ? [x, w, b] : [x, w], ([input, weight, bias]) => {
    if (input === undefined || weight === undefined) throw new Error("gpugrad bug: no operands");
    checkNotNumber("linear", input, "first");
    if (weight.shape.length !== 2) {
      throw new ShapeError(`linear: the weight must be [outputs, inputs], not ${showShape(weight.shape)}`);
    }
    checkSummed("linear", input.shape, input.shape.length - 1, weight.shape, 1);
    const outputs = at(weight.shape, 0);
    if (bias !== undefined && (bias.shape.length !== 1 || bias.size !== outputs)) {
      throw new ShapeError(
        `linear: the bias must be [${outputs}], one for each output of the weight ${showShape(weight.shape)}, not ${showShape(bias.shape)}`,
      );
    }
    const before = letters(input.shape.length - 1, "\u1000");
    const shape = Object.freeze([...input.shape.slice(0, -1), outputs]);
    const named = { a: `${before}k`, b: "jk", y: `${before}j` };
    const result = product("Linear", input, weight, named, shape, { a: input.shape, b: weight.shape });
    return bias === undefined ? result : add(result, bias);
  });
}
