/** In which directions the numbers of a value change. */

/** A set of directions, a bit for each: those of the inputs by which is differentiated. */
export type Directions = number;

/** The directions in which each number of a value changes, or one set for all of them (see leaves.ts). */
export type Changes = readonly Directions[];

/** The numbers of the directions in a set. */
export function listOf(directions: Directions): number[] {
  const list: number[] = [];
  for (let j = 0; directions >> j > 0; j++) if (((directions >> j) & 1) === 1) list.push(j);
  return list;
}

/** The directions in which some number of a value changes. */
export function unionOf(changes: Changes): Directions {
  return changes.reduce((all, own) => all | own, 0);
}

/** Number by number; one for all counts for each. */
export function alongside(values: readonly Changes[]): Changes {
  const length = Math.max(1, ...values.map((value) => value.length));
  return Array.from({ length }, (_, k) =>
    values.reduce((all, value) => all | (value.length === 1 ? (value[0] ?? 0) : (value[k] ?? 0)), 0),
  );
}

/** One for all numbers of the result, made of all numbers of the operands. */
export function asOne(values: readonly Changes[]): Changes {
  return [values.reduce((all, value) => all | unionOf(value), 0)];
}

/** As many as there are numbers. */
export function spread(changes: Changes, leaves: number): Changes {
  if (changes.length === leaves) return changes;
  const all = unionOf(changes);
  return Array.from({ length: leaves }, () => all);
}
