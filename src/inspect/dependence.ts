/**
 * On which elements of its operands an element of a Function's result depends: what tells a NaN that was made from one that
 * was passed on.
 *
 * All of it is said by broadcasting. Operands and results of a Function are looked at under shapes that broadcast together
 * (`view`), and those elements of a result that depend on the same ones form a group: along axes where the `group` is 1,
 * operands are taken whole. For an element-wise function the group is the result's shape, for a reduction that with the axes
 * kept, for the gradient of an operand that was broadcast the operand's. Where nothing is known it is [], the whole.
 */
import { at } from "../base/assert.js";
import { broadcastStrides, stridesOf, type Shape } from "../base/shape.js";
import { BroadcastTo } from "../elementwise/broadcast.js";
import { Elementwise } from "../elementwise/elementwise.js";
import { Reduction } from "../elementwise/reduction.js";
import { Identity, type Function } from "../graph/function.js";

const whole: Shape = Object.freeze([]);

/** The shape under which outputs of `f`, and their gradients, broadcast with the inputs. */
export function viewOf(f: Function, output: { readonly shape: Shape }): Shape {
  return f instanceof Reduction ? f.kept : output.shape;
}

/** The group of an output of `f`. */
export function groupOfOutput(f: Function, output: { readonly shape: Shape }): Shape {
  if (f instanceof Reduction) return f.kept;
  return isPlaceByPlace(f) ? output.shape : whole;
}

/** The group of the gradient of an input of `f`. */
export function groupOfGradient(f: Function, input: { readonly shape: Shape }): Shape {
  if (f instanceof Reduction) return f.kept;
  return isPlaceByPlace(f) ? input.shape : whole;
}

function isPlaceByPlace(f: Function): boolean {
  return f instanceof Elementwise || f instanceof BroadcastTo || f instanceof Identity;
}

/** What is left of an operand's view when it is reduced along the axes along which the group takes it whole. */
export function reducedTo(group: Shape, view: Shape): Shape {
  const offset = group.length - view.length;
  return view.map((length, axis) => ((group[offset + axis] ?? 1) === 1 ? 1 : length));
}

/** The axes along which that happens. */
export function reducedAxes(group: Shape, view: Shape): number[] {
  const reduced = reducedTo(group, view);
  return view.flatMap((length, axis) => (length === at(reduced, axis) ? [] : [axis]));
}

/** The place of an element in a shape, one number for each axis. */
export function indexIn(shape: Shape, place: number): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(place / stride) % at(shape, axis));
}

/** The place, in row-major order, of what stands in an array of `shape` where `place` is in one of the shape `in`. */
export function placeIn(shape: Shape, place: number, within: Shape): number {
  const missing = new Array<number>(Math.max(0, shape.length - within.length)).fill(1);
  const aligned = [...missing, ...within];
  const index = indexIn(aligned, place);
  return broadcastStrides(shape, aligned).reduce((total, stride, axis) => total + stride * at(index, axis), 0);
}
