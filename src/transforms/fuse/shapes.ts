/** The shapes of a program's values: each has the shape that the inputs it depends on broadcast to. */
import { at } from "../../base/assert.js";
import { broadcastShapes, sameShape, type Shape } from "../../base/shape.js";
import type { Variable } from "../../graph/variable.js";
import type { Program } from "./program.js";

/** Where a value may be computed: values of one class have one shape, and go to arrays in the same dispatch. */
export interface ShapeClasses {
  /** The same for all calls with the same pattern of shapes, whatever the sizes. */
  readonly key: string;
  /** The class of a value. A value's class comes after those of what it depends on. */
  readonly classOf: (variable: Variable) => number;
}

export class Dependencies {
  /** Distinct sets of inputs that some value depends on, by index, sorted. */
  readonly #sets: (readonly number[])[] = [];
  readonly #ids = new Map<string, number>();
  readonly #setOf = new Map<Variable, number>();
  readonly #unions = new Map<string, number>();

  constructor({ inputs, nodes }: Program) {
    inputs.forEach((input, k) => this.#setOf.set(input, this.#idOf([k])));
    for (const node of nodes) {
      const ids = node.inputs.flatMap((input) => this.#setOf.get(input) ?? []);
      const [first = this.#idOf([]), ...others] = ids;
      const set = others.reduce((a, b) => this.#union(a, b), first);
      for (const output of node.outputs) this.#setOf.set(output, set);
    }
  }

  /** The classes where the inputs have these shapes. @throws ShapeError where they don't broadcast together. */
  classesFor(shapes: readonly Shape[]): ShapeClasses {
    const found = this.#sets.map((set) =>
      broadcastShapes(
        set.map((index) => at(shapes, index)),
        "fuse",
      ),
    );
    const [first] = found;
    if (first === undefined || found.every((shape) => sameShape(shape, first))) return { key: "", classOf: () => 0 };
    const distinct: Shape[] = [];
    for (const shape of found) if (!distinct.some((known) => sameShape(known, shape))) distinct.push(shape);
    // A shape that another one broadcasts to has fewer axes, or as many and more of them of length 1.
    distinct.sort((a, b) => a.length - b.length || stretched(a) - stretched(b));
    const classes = found.map((shape) => distinct.findIndex((known) => sameShape(known, shape)));
    return { key: classes.join(), classOf: (variable) => at(classes, this.#setOf.get(variable) ?? 0) };
  }

  #idOf(set: readonly number[]): number {
    const key = set.join();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#sets.push(set) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }

  #union(a: number, b: number): number {
    if (a === b) return a;
    const key = `${a},${b}`;
    let id = this.#unions.get(key);
    if (id === undefined) {
      const members = new Set([...at(this.#sets, a), ...at(this.#sets, b)]);
      id = this.#idOf([...members].sort((p, q) => p - q));
      this.#unions.set(key, id);
    }
    return id;
  }
}

/** How many axes are longer than 1, or empty. */
function stretched(shape: Shape): number {
  return shape.filter((length) => length !== 1).length;
}
