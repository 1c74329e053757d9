/** The graph that led to a Variable, as plain data and as Graphviz text. */
import { sortedByGeneration } from "../graph/walk.js";
import type { Function } from "../graph/function.js";
import { showShape, type Shape } from "../base/shape.js";
import { checkVariable, type Variable } from "../graph/variable.js";

/** A Variable of a graph, or a Function. */
export type GraphNode =
  | {
      /** Tells Variables from Functions. */
      readonly kind: "variable";
      /** By which edges name it. */
      readonly id: string;
      /** As it was given; null where it has none. */
      readonly name: string | null;
      /** Its length along each axis. */
      readonly shape: Shape;
      /** Bytes of its data on the GPU; 0 for a constant. */
      readonly bytes: number;
    }
  | {
      /** Tells Functions from Variables. */
      readonly kind: "function";
      /** By which edges name it. */
      readonly id: string;
      /** Its class's name, such as "Square". */
      readonly name: string;
    };

/** From an input to its Function, or from a Function to an output. */
export interface GraphEdge {
  /** The id of the node that it leaves. */
  readonly from: string;
  /** The id of the node that it leads to. */
  readonly to: string;
}

/** A graph as plain data. */
export interface Graph {
  /** In an order in which they can be computed. */
  readonly nodes: readonly GraphNode[];
  /** From inputs to their Functions, and from Functions to their outputs. */
  readonly edges: readonly GraphEdge[];
}

/**
 * Every Variable and Function that led to `y`, and `y`.
 *
 * @example
 * const { nodes, edges } = graph(square(x)); // x → Square → y: 3 nodes, 2 edges
 */
export function graph(y: Variable): Graph {
  checkVariable(y, "what a graph is asked of");
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const ids = new Map<Variable | Function, string>();
  const idOf = (variable: Variable): string => {
    let id = ids.get(variable);
    if (id === undefined) {
      id = `v${ids.size}`;
      ids.set(variable, id);
      nodes.push({ kind: "variable", id, name: variable.name, shape: variable.shape, bytes: variable.bytes });
    }
    return id;
  };
  for (const f of sortedByGeneration([y]).reverse()) {
    const from = f.inputs.map(idOf);
    const id = `f${ids.size}`;
    ids.set(f, id);
    nodes.push({ kind: "function", id, name: f.name });
    for (const input of from) edges.push({ from: input, to: id });
    for (const output of f.outputs) edges.push({ from: id, to: idOf(output) });
  }
  idOf(y);
  return { nodes, edges };
}

/**
 * The graph as text for Graphviz: `dot -Tsvg`.
 *
 * @example
 * console.log(toDot(square(x)));
 */
export function toDot(y: Variable): string {
  const { nodes, edges } = graph(y);
  const lines = nodes.map((node) =>
    node.kind === "variable"
      ? `  ${node.id} [label=${quote(`${node.name ?? ""} ${showShape(node.shape)}`.trim())}, shape=ellipse];`
      : `  ${node.id} [label=${quote(node.name)}, shape=box];`,
  );
  return ["digraph {", ...lines, ...edges.map(({ from, to }) => `  ${from} -> ${to};`), "}", ""].join("\n");
}

/** A string as Graphviz reads it: names are the user's, and may hold anything. */
function quote(text: string): string {
  return `"${text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/\r\n?|\n/g, "\\n")}"`;
}
