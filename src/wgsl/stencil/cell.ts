/** The cells around a position, as WGSL: where a field is read, with what lies beyond its border. */
import type { Boundary } from "./form.js";

/** How cells beyond the border are found: the nearest one inside, the one that comes next on a ring, or none. */
export type Border = "clamp" | "wrap" | "outside";

export function borderOf(boundary: Boundary): Border {
  return boundary === "clamp" || boundary === "wrap" ? boundary : "outside";
}

const letters = ["x", "y", "z"] as const;

/** One coordinate of a cell, and when it lies inside: null for always. */
interface Coordinate {
  readonly at: string;
  readonly inside: string | null;
}

/** A cell as the index of its value, and when it lies inside. */
export interface Place {
  readonly index: string;
  readonly inside: string | null;
}

/** The coordinate of a position along an axis: the position itself where there is one axis. */
export function along(position: string, axis: number, dimensions: number): string {
  return dimensions === 1 ? position : `${position}.${letters[axis] ?? ""}`;
}

/** A position made of its coordinates. */
export function positionOf(coordinates: readonly string[]): string {
  return coordinates.length === 1 ? coordinates.join("") : `vec${coordinates.length}i(${coordinates.join(", ")})`;
}

/** The index of a cell, row by row: the last coordinate counts cells. */
export function indexOf(coordinates: readonly string[]): string {
  return coordinates.reduce((index, coordinate, axis) => {
    const rows = axis === 1 ? index : `(${index})`;
    return `${rows} * ${along("n", axis, coordinates.length)} + ${coordinate}`;
  });
}

/** The cells around one position. What several of them need is computed once, in the lines before they are used. */
export class Cells {
  readonly lines: string[] = [];
  readonly #position: string;
  readonly #dimensions: number;
  readonly #known = new Map<string, Coordinate>();

  /** @param position the name of an i32, or of a vector of them */
  constructor(position: string, dimensions: number) {
    this.#position = position;
    this.#dimensions = dimensions;
  }

  at(offset: readonly number[], border: Border): Place {
    const coordinates = this.coordinates(offset, border);
    const conditions = coordinates.flatMap(({ inside }) => (inside === null ? [] : [inside]));
    return {
      index: indexOf(coordinates.map(({ at }) => at)),
      inside: conditions.length === 0 ? null : conditions.join(" && "),
    };
  }

  coordinates(offset: readonly number[], border: Border): Coordinate[] {
    return Array.from({ length: this.#dimensions }, (_, axis) => this.#coordinate(axis, offset[axis] ?? 0, border));
  }

  #coordinate(axis: number, steps: number, border: Border): Coordinate {
    const here = along(this.#position, axis, this.#dimensions);
    if (steps === 0) return { at: here, inside: null };
    const key = `${axis},${steps},${border}`;
    let coordinate = this.#known.get(key);
    if (coordinate === undefined) {
      coordinate = this.#moved(here, along("n", axis, this.#dimensions), axis, steps, border);
      this.#known.set(key, coordinate);
    }
    return coordinate;
  }

  #moved(here: string, length: string, axis: number, steps: number, border: Border): Coordinate {
    const isUp = steps > 0;
    const name = `${this.#position}_${letters[axis] ?? ""}_${isUp ? "" : "m"}${Math.abs(steps)}`;
    const moved = `${here} ${isUp ? "+" : "-"} ${Math.abs(steps)}`;
    const let_ = (own: string, value: string): string => {
      this.lines.push(`let ${own} = ${value};`);
      return own;
    };
    switch (border) {
      case "clamp":
        return {
          at: let_(`${name}_clamp`, isUp ? `min(${moved}, ${length} - 1)` : `max(${moved}, 0)`),
          inside: null,
        };
      case "wrap":
        return { at: let_(`${name}_wrap`, `stencil_wrap_${isUp ? "up" : "down"}(${moved}, ${length})`), inside: null };
      case "outside": {
        const at = let_(name, moved);
        return { at, inside: let_(`has_${name}`, isUp ? `${at} < ${length}` : `${at} >= 0`) };
      }
    }
  }
}

/**
 * What the cells call.
 *
 * @param isShort whether an axis may be shorter than an offset goes
 */
export function wrapFunctions(isShort: boolean): string[] {
  return isShort
    ? [
        "fn stencil_wrap_up(x: i32, n: i32) -> i32 { return x % n; }",
        "fn stencil_wrap_down(x: i32, n: i32) -> i32 { return (x % n + n) % n; }",
      ]
    : [
        "fn stencil_wrap_up(x: i32, n: i32) -> i32 { return select(x, x - n, x >= n); }",
        "fn stencil_wrap_down(x: i32, n: i32) -> i32 { return select(x, x + n, x < 0); }",
      ];
}

/** The range of coordinates, along one axis, from which `steps` lead to `here` where they end at the border. */
export function clampedRange(here: string, length: string, steps: number): { first: string; last: string } {
  const distance = Math.abs(steps);
  return steps > 0
    ? {
        first: `max(${here} - ${distance}, 0)`,
        last: `select(${here} - ${distance}, ${length} - 1, ${here} == ${length} - 1)`,
      }
    : {
        first: `select(${here} + ${distance}, 0, ${here} == 0)`,
        last: `min(${here} + ${distance}, ${length} - 1)`,
      };
}
