/**
 * Where a function has no slope that its values could tell: an element of an input counts as undefined where it isn't
 * finite itself, or where a result isn't that depends on it. Neither a NaN nor an infinity moves as its operands do.
 */
import { at } from "../base/assert.js";
import { broadcastShapes, sizeOf, type Shape } from "../base/shape.js";
import { Copy } from "../elementwise/copy.js";
import type { Function } from "../graph/function.js";
import { noGrad } from "../graph/no-grad.js";
import { Reshape } from "../graph/reshape.js";
import { Variable } from "../graph/variable.js";
import { sortedByGeneration } from "../graph/walk.js";
import { groupOfOutput, placeIn, viewOf } from "./dependence.js";

/** One number for each element: not 0 where it is undefined. */
export type Marks = Float32Array;

export function isMarked(marks: Marks): boolean {
  return marks.some((mark) => mark !== 0);
}

/** What either marks. */
export function bothMarks(a: Marks, b: Marks): Marks {
  return a.map((mark, i) => Math.max(mark, at(b, i)));
}

/** The numbers, with 0 where there is a mark. */
export function withoutMarked(numbers: Float32Array, marks: Marks): Float32Array {
  return numbers.map((value, i) => (at(marks, i) === 0 ? value : 0));
}

export function marksOfNonFinite(numbers: Float32Array): Marks {
  return numbers.map((value) => (Number.isFinite(value) ? 0 : 1));
}

/** The elements of each leaf on which a marked one of `y` depends, by the graph between them. */
export async function dependingOn(marks: Marks, y: Variable, leaves: readonly Variable[]): Promise<Marks[]> {
  if (!isMarked(marks)) return leaves.map(({ size }) => new Float32Array(size));
  const found = new Map<Variable, Marks>([[y, marks]]);
  for (const f of sortedByGeneration([y])) {
    for (const output of f.outputs) {
      const ofOutput = found.get(output);
      if (ofOutput === undefined || !isMarked(ofOutput)) continue;
      for (const input of f.inputs) {
        const marked = await marksOfInput(f, output, ofOutput, input);
        const before = found.get(input);
        found.set(input, before === undefined ? marked : bothMarks(before, marked));
      }
    }
  }
  // What the graph doesn't reach may have lost it on the way: then the same place is meant, or the whole.
  const whole = (size: number): Marks => new Float32Array(size).fill(1);
  return leaves.map((leaf) => found.get(leaf) ?? (leaf.size === y.size ? marks : whole(leaf.size)));
}

async function marksOfInput(f: Function, output: Variable, marks: Marks, input: Variable): Promise<Marks> {
  if (f instanceof Copy || f instanceof Reshape) {
    // Backward, the marks move as the elements did.
    const moved = noGrad(() => f.backward(new Variable(marks, { shape: output.shape })));
    if (moved instanceof Variable) return moved.read();
  }
  return marksByGroup(marks, viewOf(f, output), groupOfOutput(f, output), input.shape);
}

/** Marks what broadcasts with a group of the output that has a mark. */
function marksByGroup(marks: Marks, view: Shape, group: Shape, shape: Shape): Marks {
  const groups = new Set<number>();
  marks.forEach((mark, place) => {
    if (mark !== 0) groups.add(placeIn(group, place, view));
  });
  const all = broadcastShapes([view, shape], "gradCheck");
  const marked = new Float32Array(sizeOf(shape));
  const size = sizeOf(all);
  for (let place = 0; place < size; place++) {
    if (groups.has(placeIn(group, place, all))) marked[placeIn(shape, place, all)] = 1;
  }
  return marked;
}
