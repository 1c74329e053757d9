/**
 * The numbers that a value consists of, in order: the components of a vector, a matrix' columns one after the other, the elements
 * of an array, the members of a struct. Something is known of each of them, or of all as one.
 */
import { componentsOf } from "../check/swizzle.js";
import { numbersIn, type Type } from "../check/types.js";
import type { Expression } from "../language/syntax.js";

/** Values of more numbers than that are looked at as one: what is known of each is carried through every statement. */
const most = 64;

/** How many numbers of a type are told apart. */
export function leavesOf(type: Type): number {
  const count = numbersIn(type);
  return count > most ? 1 : count;
}

/**
 * Where the numbers of a part are among those of its whole; several such places where an index isn't known.
 *
 * @param whole the type of what the part is taken of
 */
export function placesOf(whole: Type, part: Expression & { kind: "member" | "index" }): readonly (readonly number[])[] {
  if (part.kind === "index") {
    const [count, size] = elementsOf(whole);
    const known = part.index.kind === "number" ? parseInt(part.index.text) : null;
    const elements = known === null ? Array.from({ length: count }, (_, k) => k) : [known];
    return elements.map((k) => range(k * size, size));
  }
  if (whole.kind !== "struct") return [componentsOf(part.name)];
  let from = 0;
  for (const member of whole.members) {
    const size = numbersIn(member.type);
    if (member.name === part.name) return [range(from, size)];
    from += size;
  }
  return [];
}

/** How many elements an index chooses from, and how many numbers each has. */
function elementsOf(whole: Type): readonly [count: number, size: number] {
  switch (whole.kind) {
    case "matrix":
      return [whole.columns, whole.rows];
    case "array":
      return [whole.count, numbersIn(whole.element)];
    default:
      return [numbersIn(whole), 1];
  }
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => from + k);
}
