/** The value of an expression that is known before anything runs. */
import type { Variable } from "./symbols.js";
import type { Expression } from "../language/syntax.js";

/** A number, or null where it isn't known, or is none. */
export function constantValue(expression: Expression, variables: ReadonlyMap<Expression, Variable>): number | null {
  const go = (inner: Expression): number | null => constantValue(inner, variables);
  switch (expression.kind) {
    case "number":
      return Number(
        /^0[xX]/.test(expression.text) ? hexadecimal(expression.text) : expression.text.replace(/[fhiu]$/, ""),
      );
    case "name": {
      const variable = variables.get(expression);
      return variable?.keyword === "const" && variable.value !== null ? go(variable.value) : null;
    }
    case "unary": {
      const operand = go(expression.operand);
      return operand === null || expression.operator !== "-" ? null : -operand;
    }
    case "binary": {
      const left = go(expression.left);
      const right = go(expression.right);
      if (left === null || right === null) return null;
      const value = { "+": left + right, "-": left - right, "*": left * right, "/": left / right, "%": left % right };
      return (value as Partial<Record<string, number>>)[expression.operator] ?? null;
    }
    case "call": {
      const [arg] = expression.args;
      const isConversion = /^[fiu]32$/.test(expression.callee.name) && expression.args.length === 1;
      return arg !== undefined && isConversion ? go(arg) : null;
    }
    default:
      return null;
  }
}

/** JavaScript reads hexadecimal whole numbers, but none with a fraction or an exponent. */
function hexadecimal(text: string): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?\d+))?/.exec(text) ?? [];
  return parseInt(`0${whole}${fraction}`, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}
