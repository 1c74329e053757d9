/**
 * Cuts a program into pieces, each of which becomes a shader forward and one backward. What a value is made of is in its
 * piece, or comes in as an array that an earlier piece has written. There are three reasons to cut:
 * - a shader may bind 8 arrays, on some devices a few more. A piece has one less than that, inputs and outputs together, so
 *   that its backward can write one gradient at least;
 * - the driver's time to compile a shader grows faster than the shader, with all that is inlined in it;
 * - what one dispatch writes has one shape.
 */
import { at } from "../../base/assert.js";
import type { Elementwise } from "../../elementwise/elementwise.js";
import type { Variable } from "../../graph/variable.js";
import { literalOf, Program } from "./program.js";
import type { ShapeClasses } from "./shapes.js";

export interface PieceLimits {
  /** What the functions of a piece may weigh together. One alone may weigh more. */
  readonly weight: number;
  /** The most inputs and outputs of a piece, together. */
  readonly arrays: number;
}

/** What it costs to compile a function, forward and backward. */
export type Weigh = (node: Elementwise) => number;

/** The pieces of a program, in the order in which they are computed. */
export function cut(program: Program, { classOf }: ShapeClasses, weigh: Weigh, limits: PieceLimits): Program[] {
  const uses = usesOf(program);
  const pieces: Program[] = [];
  for (const nodes of regions(program, classOf)) {
    let rest = nodes;
    while (rest.length > 0) {
      const length = pieceLength(rest, uses, weigh, limits);
      pieces.push(piece(program, rest.slice(0, length), uses));
      rest = rest.slice(length);
    }
  }
  return pieces;
}

/** How often each value is used: by functions, and as an output. */
function usesOf({ nodes, outputs }: Program): ReadonlyMap<Variable, number> {
  const uses = new Map<Variable, number>();
  for (const variable of [...nodes.flatMap((node) => node.inputs), ...outputs]) {
    uses.set(variable, (uses.get(variable) ?? 0) + 1);
  }
  return uses;
}

/**
 * The functions by what they are computed with. A value that is wanted elsewhere is computed with those of its own
 * class; what is used by one region alone is computed there, again for each element of the larger shape.
 */
function regions(program: Program, classOf: (variable: Variable) => number): Elementwise[][] {
  const outputs = new Set(program.outputs);
  /** The one region that uses a value; null for several. */
  const usedBy = new Map<Variable, number | null>();
  const found = new Map<number, Elementwise[]>();
  for (let k = program.nodes.length - 1; k >= 0; k--) {
    const node = at(program.nodes, k);
    const users = new Set(
      node.outputs
        .filter((output) => outputs.has(output) || usedBy.has(output))
        .map((output) => (outputs.has(output) ? null : (usedBy.get(output) ?? null))),
    );
    const [user = null] = users.size === 1 ? users : [];
    const region = user ?? classOf(node.output);
    const members = found.get(region);
    if (members === undefined) found.set(region, [node]);
    else members.push(node);
    for (const input of node.inputs)
      usedBy.set(input, usedBy.has(input) && usedBy.get(input) !== region ? null : region);
  }
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, members]) => members.reverse());
}

/**
 * How many of the functions make the next piece: of all that the limits allow, the number at which the fewest values
 * cross to what comes after; the greatest such number, and more than half of what is allowed where that is possible.
 */
function pieceLength(
  nodes: readonly Elementwise[],
  uses: ReadonlyMap<Variable, number>,
  weigh: Weigh,
  limits: PieceLimits,
): number {
  const inside = new Map<Variable, number>();
  const inputs = new Set<Variable>();
  let crossing = 0;
  let weight = 0;
  const allowed: { length: number; crossing: number }[] = [];
  for (const [k, node] of nodes.entries()) {
    weight += weigh(node);
    if (k > 0 && weight > limits.weight) break;
    for (const input of node.inputs) {
      const left = inside.get(input);
      if (left === undefined) {
        if (literalOf(input) === null) inputs.add(input);
        continue;
      }
      inside.set(input, left - 1);
      if (left === 1) crossing--;
    }
    for (const output of node.outputs) {
      inside.set(output, uses.get(output) ?? 0);
      if (uses.has(output)) crossing++;
    }
    if (inputs.size + 1 > limits.arrays) break;
    if (inputs.size + crossing <= limits.arrays) allowed.push({ length: k + 1, crossing });
  }
  const last = allowed.at(-1)?.length ?? 1;
  if (last === nodes.length) return last;
  const late = allowed.filter(({ length }) => length > last / 2);
  return late.reduce((best, next) => (next.crossing <= best.crossing ? next : best), { length: 1, crossing: Infinity })
    .length;
}

/** A part of a program, as a program: its inputs are what it needs from before, its outputs what is used after it. */
function piece(program: Program, nodes: readonly Elementwise[], uses: ReadonlyMap<Variable, number>): Program {
  const left = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, uses.get(output) ?? 0] as const)));
  const inputs = new Set<Variable>();
  for (const input of nodes.flatMap((node) => node.inputs)) {
    const count = left.get(input);
    if (count !== undefined) left.set(input, count - 1);
    else if (literalOf(input) === null) inputs.add(input);
  }
  const outputs = new Set(program.outputs.filter((output) => left.has(output)));
  for (const [variable, count] of left) if (count > 0) outputs.add(variable);
  const known = new Set(program.inputs.filter((input) => inputs.has(input)));
  return new Program([...known, ...[...inputs].filter((input) => !known.has(input))], nodes, [...outputs]);
}
