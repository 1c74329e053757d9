/** Which of two operators of WGSL comes first, and where it wants brackets: for the parser, and for what prints. */
import type { BinaryOperator } from "./syntax.js";

const levels: Readonly<Partial<Record<string, number>>> = {
  "||": 1,
  "&&": 2,
  "|": 3,
  "^": 4,
  "&": 5,
  "==": 6,
  "!=": 6,
  "<": 7,
  ">": 7,
  "<=": 7,
  ">=": 7,
  "<<": 8,
  ">>": 8,
  "+": 9,
  "-": 9,
  "*": 10,
  "/": 10,
  "%": 10,
};

/** Higher ones come first; null for what is no operator between two operands. */
export function precedenceOf(operator: string): number | null {
  return levels[operator] ?? null;
}

type Family = "logical" | "bitwise" | "relational" | "shift" | "arithmetic";

function familyOf(operator: BinaryOperator): Family {
  if (operator === "||" || operator === "&&") return "logical";
  if (operator === "|" || operator === "^" || operator === "&") return "bitwise";
  if (operator === "<<" || operator === ">>") return "shift";
  return /[-+*/%]/.test(operator) ? "arithmetic" : "relational";
}

/** Whether WGSL's grammar lets an operand with the operator `inner` stand beside `outer` without brackets. */
export function bindsAlone(outer: BinaryOperator, inner: BinaryOperator): boolean {
  const family = familyOf(inner);
  switch (familyOf(outer)) {
    case "logical":
      return inner === outer || family === "relational" || family === "shift" || family === "arithmetic";
    case "bitwise":
      return inner === outer;
    case "relational":
      return family === "shift" || family === "arithmetic";
    case "shift":
      return false;
    case "arithmetic":
      return family === "arithmetic";
  }
}
