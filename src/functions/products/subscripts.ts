/** Subscripts of `einsum`, as NumPy writes them: a letter for each axis, "..." for axes that broadcast. */
import { at } from "../../base/assert.js";
import { describe } from "../../base/describe.js";
import { ArgumentError, ShapeError } from "../../base/errors.js";
import { showShape, type Shape } from "../../base/shape.js";

/** A letter for each axis of the operands and of the result, those of "..." among them. */
export interface Subscripts {
  readonly operands: readonly string[];
  readonly result: string;
  /** The length that each letter stands for. */
  readonly lengths: ReadonlyMap<string, number>;
}

/** The axes of "..." from the last one on: no letters that can be written. */
const firstOfEllipsis = 0xf000;
const ellipsis = "...";

/** @throws ArgumentError for what is no such text; ShapeError where it doesn't fit the shapes. */
export function parseSubscripts(text: unknown, shapes: readonly Shape[]): Subscripts {
  if (typeof text !== "string") {
    throw new ArgumentError(`einsum: subscripts must be a string such as "ij,jk->ik", not ${describe(text)}`);
  }
  const what = `einsum: ${JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)}`;
  const [left = "", right, ...more] = text.replaceAll(/\s/g, "").split("->");
  if (more.length > 0) throw new ArgumentError(`${what} has more than one "->"`);
  const terms = left.split(",");
  if (terms.length > 2) {
    throw new ArgumentError(
      `${what} names ${terms.length} operands, and einsum takes one or two: multiply two at a time, those first whose product is small`,
    );
  }
  if (terms.length !== shapes.length) {
    throw new ArgumentError(`${what} names ${terms.length} operands, and einsum was given ${shapes.length}`);
  }
  for (const term of [...terms, right ?? ""]) checkTerm(term, what);

  const widths = terms.map((term, k) => widthOf(term, at(shapes, k), k, what));
  const width = Math.max(...widths);
  const operands = terms.map((term, k) => expand(term, at(widths, k)));
  const isThere = terms.some((term) => term.includes(ellipsis));
  if (right !== undefined && width > 0 && !right.includes(ellipsis)) {
    throw new ArgumentError(`${what}: the result has no "...", and that of the operands stands for ${width} axes`);
  }
  const result = expand(right ?? implied(left, isThere), width);
  const lengths = lengthsOf(operands, shapes, what);
  const twice = Array.from(result).find((letter, k) => result.indexOf(letter) !== k);
  if (twice !== undefined) {
    throw new ArgumentError(
      `${what}: the result has ${twice} twice. That an operand has a letter twice is supported, its diagonal`,
    );
  }
  const unknown = Array.from(result).find((letter) => !lengths.has(letter));
  if (unknown !== undefined) throw new ArgumentError(`${what}: the result has ${unknown}, and no operand has`);
  return { operands, result, lengths };
}

function checkTerm(term: string, what: string): void {
  const rest = term.replace(ellipsis, "");
  const wrong = Array.from(rest).find((character) => !/[A-Za-z]/.test(character));
  if (wrong === undefined) return;
  const advice = wrong === "." ? `"..." may stand once in each` : "an axis is a letter, from a to z or A to Z";
  throw new ArgumentError(`${what} has ${JSON.stringify(wrong)}: ${advice}`);
}

/** How many axes "..." stands for. */
function widthOf(term: string, shape: Shape, operand: number, what: string): number {
  const count = term.replace(ellipsis, "").length;
  const width = shape.length - count;
  if (width === 0 || (width > 0 && term.includes(ellipsis))) return width;
  throw new ShapeError(
    `${what}: ${JSON.stringify(term)} is of ${count} axes${term.includes(ellipsis) ? " or more" : ""}, and operand ${operand} has shape ${showShape(shape)}`,
  );
}

/** The letters, with one for each axis that "..." stands for. */
function expand(term: string, width: number): string {
  const letters = Array.from({ length: width }, (_, k) => String.fromCharCode(firstOfEllipsis + width - 1 - k));
  return term.replace(ellipsis, letters.join(""));
}

/** The result where none is written: the axes of "...", then the letters that stand once, in alphabetical order. */
function implied(left: string, hasEllipsis: boolean): string {
  const letters = Array.from(left).filter((letter) => /[A-Za-z]/.test(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return (hasEllipsis ? ellipsis : "") + once.sort().join("");
}

function lengthsOf(operands: readonly string[], shapes: readonly Shape[], what: string): Map<string, number> {
  const lengths = new Map<string, number>();
  operands.forEach((letters, k) => {
    const shape = at(shapes, k);
    Array.from(letters).forEach((letter, axis) => {
      const length = at(shape, axis);
      const first = letters.indexOf(letter);
      const before = first < axis ? at(shape, first) : lengths.get(letter);
      if (before === undefined || (before === 1 && first === axis)) lengths.set(letter, length);
      else if (length !== before && (length !== 1 || first < axis)) {
        const name = letter.charCodeAt(0) >= firstOfEllipsis ? '"..."' : letter;
        throw new ShapeError(
          `${what}: ${name} is of length ${before} and, along axis ${axis} of operand ${k}, of ${length}: the shapes are ` +
            shapes.map(showShape).join(" and "),
        );
      }
    });
  });
  return lengths;
}
