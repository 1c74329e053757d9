/** The library's element-wise functions, as index.ts exports them: what is held complete, and what tables name. */
import * as g from "../../src/index.js";
import type { ElementwiseFunction, Operand, Variable } from "../../src/index.js";

function isElementwise(value: unknown): value is ElementwiseFunction {
  return typeof value === "function" && "Node" in value && "wgsl" in value;
}

export const elementwiseFunctions: ReadonlyMap<string, ElementwiseFunction> = new Map(
  Object.entries(g as Readonly<Record<string, unknown>>).flatMap(([name, value]) =>
    isElementwise(value) ? [[name, value] as const] : [],
  ),
);

/** @throws Error where there is none of this name. */
export function functionNamed(name: string): (...operands: Operand[]) => Variable {
  const f = elementwiseFunctions.get(name);
  if (f === undefined) throw new Error(`src/index.ts exports no element-wise function ${name}`);
  return f;
}
