/** update's function, run once with symbols for the leaves and the operands: nothing is computed. */
import { describe, isList } from "../../base/describe.js";
import { FuseError } from "../../base/errors.js";
import { withGrad } from "../../graph/grad-mode.js";
import { Variable } from "../../graph/variable.js";
import { SymbolVariable, trace } from "../fuse/symbol.js";

/** A function of Variables that gives leaves their new numbers, one result for each. */
export type UpdateFunction = (...args: Variable[]) => Variable | readonly Variable[];

/** Stands for a leaf or an operand while the function is traced, and has its name and gradient. */
export class StandIn extends SymbolVariable {
  readonly of: Variable;

  constructor(of: Variable) {
    super(of.name ?? "x", of.requiresGrad);
    this.of = of;
    this.name = of.name;
  }

  override get grad(): Variable | null {
    return this.of.grad;
  }

  override set grad(_: unknown) {
    this.clearGrad();
  }

  override clearGrad(): void {
    throw new FuseError("update: a gradient was changed, which no shader can do");
  }
}

export interface TracedUpdate {
  readonly leaves: readonly Variable[];
  /** Of the leaves, then of the operands. */
  readonly symbols: readonly StandIn[];
  /** What is to stand in the leaves, in their order. */
  readonly results: readonly Variable[];
}

/** What a Variable of a traced function stands for. */
export function realOf(variable: Variable): Variable {
  return variable instanceof StandIn ? variable.of : variable;
}

/** @throws FuseError, and what `f` throws, where it can't be traced or doesn't give a Variable for each leaf. */
export function traceUpdate(
  leaves: readonly Variable[],
  f: UpdateFunction,
  operands: readonly Variable[],
): TracedUpdate {
  const symbols = [...leaves, ...operands].map((variable) => new StandIn(variable));
  const given: unknown = trace(() => withGrad(false, () => f(...symbols)));
  const results: readonly unknown[] = isList(given) ? given : [given];
  const variables = results.filter((result) => result instanceof Variable);
  if (variables.length === results.length && variables.length === leaves.length) {
    return { leaves, symbols, results: variables };
  }
  // What an async function rejects with is the same, and would be reported a second time.
  for (const result of results) if (!(result instanceof Variable)) Promise.resolve(result).catch(() => undefined);
  throw new FuseError(`update: the function must give ${leaves.length} Variables, not ${describe(given)}`);
}
