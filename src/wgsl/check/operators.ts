/** The types of WGSL's operators. */
import type { BinaryOperator, UnaryOperator } from "../language/syntax.js";
import {
  bool,
  commonElement,
  elementOf,
  isFloat,
  isInteger,
  matrixOf,
  sizeOfVector,
  vectorOf,
  withElement,
  type ScalarName,
  type Type,
} from "./types.js";

/** null where the operator doesn't take such an operand. */
export function unaryResult(operator: UnaryOperator, operand: Type): Type | null {
  const element = elementOf(operand);
  switch (operator) {
    case "-":
      return operand.kind !== "matrix" && (isFloat(element) || (isInteger(element) && element !== "u32"))
        ? operand
        : null;
    case "!":
      return element === "bool" ? operand : null;
    case "~":
      return isInteger(element) ? operand : null;
    case "*":
      return operand.kind === "pointer" ? operand.target : null;
    case "&":
      return { kind: "pointer", target: operand };
  }
}

/** null where the operator doesn't take such operands. */
export function binaryResult(operator: BinaryOperator, left: Type, right: Type): Type | null {
  switch (operator) {
    case "&&":
    case "||":
      return left === bool && right === bool ? bool : null;
    case "==":
    case "!=":
      return compared(left, right, () => true);
    case "<":
    case ">":
    case "<=":
    case ">=":
      return compared(left, right, (element) => element !== "bool");
    case "<<":
    case ">>":
      return shifted(left, right);
    case "&":
    case "|":
      return sameSize(left, right, (element) => isInteger(element) || element === "bool");
    case "^":
      return sameSize(left, right, isInteger);
    default:
      return arithmetic(operator, left, right);
  }
}

/** Two scalars or two vectors of one size, with an element that both become. */
function sameSize(left: Type, right: Type, allows: (element: ScalarName) => boolean): Type | null {
  const size = sizeOfVector(left);
  const element = commonElement([elementOf(left), elementOf(right)]);
  if (size === null || element === null || sizeOfVector(right) !== size || !allows(element)) return null;
  return vectorOf(size, element);
}

function compared(left: Type, right: Type, allows: (element: ScalarName) => boolean): Type | null {
  const type = sameSize(left, right, allows);
  return type === null ? null : withElement(type, "bool");
}

function shifted(left: Type, right: Type): Type | null {
  const by = elementOf(right);
  const isCount = by === "u32" || by === "abstract int";
  return isCount && isInteger(elementOf(left)) && sizeOfVector(left) === sizeOfVector(right) ? left : null;
}

function arithmetic(operator: BinaryOperator, left: Type, right: Type): Type | null {
  const element = commonElement([elementOf(left), elementOf(right)]);
  if (element === null || !(isFloat(element) || isInteger(element))) return null;
  if (left.kind === "matrix" || right.kind === "matrix") return withMatrices(operator, left, right, element);
  const sizes = [sizeOfVector(left) ?? 0, sizeOfVector(right) ?? 0] as const;
  // A scalar beside a vector stands for each component.
  if (sizes[0] !== sizes[1] && sizes[0] !== 1 && sizes[1] !== 1) return null;
  return vectorOf(Math.max(...sizes), element);
}

function withMatrices(operator: BinaryOperator, left: Type, right: Type, element: ScalarName): Type | null {
  if (left.kind === "matrix" && right.kind === "matrix") {
    if (operator === "*") return left.columns === right.rows ? matrixOf(right.columns, left.rows, element) : null;
    const isAlike = left.columns === right.columns && left.rows === right.rows;
    return isAlike && (operator === "+" || operator === "-") ? withElement(left, element) : null;
  }
  if (operator !== "*") return null;
  if (left.kind === "matrix") {
    if (right.kind === "scalar") return withElement(left, element);
    return right.kind === "vector" && right.size === left.columns ? vectorOf(left.rows, element) : null;
  }
  if (right.kind !== "matrix") return null;
  if (left.kind === "scalar") return withElement(right, element);
  return left.kind === "vector" && left.size === right.rows ? vectorOf(right.columns, element) : null;
}
