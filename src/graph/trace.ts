/** Whether calls of Functions compute, or only take their place in a graph of symbols: what `fuse` looks at. */
import type { Function } from "./function.js";
import type { Variable } from "./variable.js";

/** Gives the symbols that stand for a Function's outputs. */
export type Trace = (f: Function, inputs: readonly Variable[]) => readonly Variable[];

let current: Trace | null = null;

export function currentTrace(): Trace | null {
  return current;
}

/** Runs `f` with every call of a Function told to `trace` instead of computed. */
export function withTrace<T>(trace: Trace, f: () => T): T {
  const before = current;
  current = trace;
  try {
    return f();
  } finally {
    current = before;
  }
}
