/** Axes that come, go and change places. What only changes the shape costs nothing. */
import { checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ShapeError } from "../base/errors.js";
import { checkAxes, checkAxis, showShape } from "../base/shape.js";
import { reshape } from "../graph/reshape.js";
import { asOperand, type Operand, type Variable } from "../graph/variable.js";
import { transpose } from "./transpose.js";

/**
 * The array without axes of length 1: all of them, or those that are named. Costs nothing.
 *
 * @throws ShapeError where a named axis has another length, or isn't there.
 * @example
 * squeeze([[1, 2]]); // [1, 2]
 * squeeze([[[1], [2]]], 2); // [[1, 2]]
 */
export function squeeze(x: Operand, axes?: number | readonly number[] | null): Variable {
  const variable = asOperand(x);
  const { shape } = variable;
  const all = axes === undefined || axes === null;
  const dropped = checkAxes(axes, shape.length, "squeeze").filter((axis) => !all || shape[axis] === 1);
  const long = dropped.find((axis) => shape[axis] !== 1);
  if (long !== undefined) throw new ShapeError(`squeeze: axis ${long} of ${showShape(shape)} isn't of length 1`);
  return reshape(
    variable,
    shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

/**
 * The array with new axes of length 1, at these places of the result. Costs nothing.
 *
 * @throws ShapeError where there is no such place, or one is named twice; ArgumentError where they are no numbers.
 * @example
 * expandDims([1, 2], 0); // [[1, 2]]
 * expandDims([1, 2], -1); // [[1], [2]]
 */
export function expandDims(x: Operand, axes: number | readonly number[]): Variable {
  const variable = asOperand(x);
  const places = typeof axes === "number" ? [axes] : checkList<number>(axes, "expandDims: axes");
  const rank = variable.shape.length + places.length;
  const added = checkAxes(places, rank, "expandDims");
  const rest = variable.shape.values();
  return reshape(
    variable,
    Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (rest.next().value ?? 1))),
  );
}

/**
 * All elements along one axis. Costs nothing.
 *
 * @example
 * flatten([[1, 2], [3, 4]]); // [1, 2, 3, 4]
 */
export function flatten(x: Operand): Variable {
  const variable = asOperand(x);
  return reshape(variable, [variable.size]);
}

/**
 * The array with one axis at another place; the others keep their order.
 *
 * @throws ShapeError where there is no such axis.
 * @example
 * moveAxis([[[1, 2]], [[3, 4]]], 0, -1).shape; // [1, 2, 2]
 */
export function moveAxis(x: Operand, from: number, to: number): Variable {
  const variable = asOperand(x);
  const rank = variable.shape.length;
  const [own, place] = [from, to].map((axis) => checkAxis(axis, rank, "moveAxis"));
  const order = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== own);
  order.splice(place ?? 0, 0, own ?? 0);
  return transpose(variable, order);
}

/**
 * The array with two axes in each other's place.
 *
 * @throws ShapeError where there are no such axes.
 * @example
 * swapAxes([[1, 2], [3, 4]], 0, 1); // [[1, 3], [2, 4]]
 */
export function swapAxes(x: Operand, one: number, other: number): Variable {
  const variable = asOperand(x);
  const rank = variable.shape.length;
  const pair = [one, other].map((axis) => checkAxis(axis, rank, "swapAxes"));
  return transpose(
    variable,
    Array.from({ length: rank }, (_, axis) => (pair.includes(axis) ? at(pair, 1 - pair.indexOf(axis)) : axis)),
  );
}
