/** A traced function: element-wise functions in the order in which they are computed, from inputs to outputs. */
import { at } from "../../base/assert.js";
import { Elementwise } from "../../elementwise/elementwise.js";
import { add } from "../../functions/pointwise.js";
import { gradEnabled, withGrad } from "../../graph/grad-mode.js";
import { asVariable, Variable } from "../../graph/variable.js";
import { sortedByGeneration } from "../../graph/walk.js";
import { SymbolVariable, trace } from "./symbol.js";

/** The gradients of a program's inputs, as a program of its own. */
export interface Differentiated {
  readonly program: Program;
  readonly captured: readonly Variable[];
  /** Of the inputs that have a gradient. */
  readonly indices: readonly number[];
}

export class Program {
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  /** Each after those that made its inputs; what only one of them needs directly before it, so that few values wait. */
  readonly nodes: readonly Elementwise[];

  constructor(inputs: readonly Variable[], nodes: readonly Elementwise[], outputs: readonly Variable[]) {
    this.inputs = inputs;
    this.nodes = nodes;
    this.outputs = outputs;
  }

  /**
   * What was traced from these symbols to these outputs. Variables from outside, `captured`, are its last inputs; among them are
   * operands of a function around this one, which is being traced.
   */
  static between(
    symbols: readonly Variable[],
    outputs: readonly Variable[],
  ): { program: Program; captured: readonly Variable[] } {
    const nodes = inDepthOrder(outputs, new Set(symbols));
    const known = new Set([...symbols, ...nodes.flatMap((node) => node.outputs)]);
    const captured: Variable[] = [];
    for (const variable of nodes.flatMap((node) => node.inputs)) {
      if (known.has(variable) || literalOf(variable) !== null) continue;
      known.add(variable);
      captured.push(variable);
    }
    return { program: new Program([...symbols, ...captured], nodes, outputs), captured };
  }

  /**
   * The outputs, computed function by function on these inputs.
   *
   * @param isWhole whether the graph has what was computed inside of noGrad, too, or detached: to look at, not to differentiate
   */
  unfold(inputs: readonly Variable[], isWhole = false): readonly Variable[] {
    const values = new Map<Variable, Variable>(this.inputs.map((input, k) => [input, at(inputs, k)]));
    // What is neither input nor computed is a number. It goes with what is computed from it, so each run has its own.
    const valueOf = (variable: Variable): Variable => values.get(variable) ?? Variable.of(variable.array.share());
    for (const node of this.nodes) {
      const again = node.again();
      withGrad(gradEnabled() && (isWhole || node.output.requiresGrad), () => again.call(...node.inputs.map(valueOf)));
      node.outputs.forEach((output, k) => values.set(output, at(again.outputs, k)));
    }
    return this.outputs.map(valueOf);
  }

  /** The functions in the order of a backward pass over the unfused graph, so that sums are the same to the bit. */
  backwards(): Elementwise[] {
    return sortedByGeneration(this.outputs, new Set(this.inputs)).filter(
      (f): f is Elementwise => f instanceof Elementwise && f.output.requiresGrad,
    );
  }

  /**
   * The gradients of the inputs, as a function of the gradients of the outputs and then the inputs; where that takes a
   * function without a derivative, the function.
   */
  differentiated(): Differentiated | Elementwise {
    const gradients = new Map<Variable, Variable>();
    const starts = this.outputs.map((_, k) => new SymbolVariable(`gy${k}`));
    const arrive = (variable: Variable, gradient: Variable): void => {
      const before = gradients.get(variable);
      gradients.set(variable, before === undefined ? gradient : add(before, gradient));
    };
    const lacking = trace(() => {
      this.outputs.forEach((output, k) => {
        arrive(output, at(starts, k));
      });
      for (const node of this.backwards()) {
        if (!node.outputs.some((output) => gradients.has(output))) continue;
        if (node.derivative === null) return node;
        const arrived = node.outputs.map((output) => gradients.get(output) ?? asVariable(0));
        node.derive(arrived, node.inputs, node.outputs).forEach((result, k) => {
          if (result !== null) arrive(at(node.inputs, k), result);
        });
      }
      return null;
    });
    if (lacking !== null) return lacking;
    const indices = this.inputs.flatMap((input, k) => (gradients.has(input) ? [k] : []));
    const results = indices.map((k) => gradients.get(at(this.inputs, k)) ?? asVariable(0));
    return { ...Program.between([...starts, ...this.inputs], results), indices };
  }
}

/** The functions that lead from `inputs` to `outputs`, by depth first; iterative, since a chain may be long. */
export function inDepthOrder(outputs: readonly Variable[], inputs: ReadonlySet<Variable>): Elementwise[] {
  const order: Elementwise[] = [];
  const seen = new Set<Elementwise>();
  const open: { node: Elementwise; next: number }[] = [];
  const visit = (variable: Variable | undefined): void => {
    if (!(variable instanceof SymbolVariable) || inputs.has(variable)) return;
    const { creator } = variable;
    // An operand of a function around this one, if it isn't one of `inputs`.
    if (creator === null) return;
    if (!(creator instanceof Elementwise)) throw new Error("gpugrad bug: a symbol from outside of the trace");
    if (seen.has(creator)) return;
    seen.add(creator);
    open.push({ node: creator, next: 0 });
  };
  for (const output of outputs) {
    visit(output);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (top.next < top.node.inputs.length) visit(top.node.inputs[top.next++]);
      else {
        order.push(top.node);
        open.pop();
      }
    }
  }
  return order;
}

/** A number in a traced function as WGSL, exactly; null for an array, and for what WGSL has no literal for. */
export function literalOf(variable: Variable): string | null {
  if (variable instanceof SymbolVariable || variable.requiresGrad) return null;
  const { constant } = variable.array;
  if (constant === null || variable.shape.length > 0) return null;
  const rounded = Math.fround(constant);
  if (!Number.isFinite(rounded) || Object.is(rounded, -0)) return null;
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
