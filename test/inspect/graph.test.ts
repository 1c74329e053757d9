/** The graph as data and as text. */
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import { Function, graph, init, stats, toDot, Variable, type GpuArray } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

class Halves extends Function {
  override forward(x: GpuArray): Variable[] {
    return [g.mul(x, 0.25), g.mul(x, 0.75)];
  }
}

describe("graph", () => {
  test("gives nodes and edges as plain data, in an order in which they can be computed", () => {
    const x = new Variable([[1, 2, 3]], { name: "x" });
    const y = g.exp(g.square(x));
    y.name = "y";
    const { nodes, edges } = graph(y);
    expect(nodes.map((node) => [node.kind, node.name])).toEqual([
      ["variable", "x"],
      ["function", "Square"],
      ["variable", null],
      ["function", "Exp"],
      ["variable", "y"],
    ]);
    expect(nodes[0]).toMatchObject({ shape: [1, 3], bytes: 12 });
    const ids = nodes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(5);
    expect(edges).toEqual(ids.slice(1).map((to, k) => ({ from: ids[k], to })));
    expect(JSON.parse(JSON.stringify({ nodes, edges }))).toEqual({ nodes, edges });
  });

  test("has each shared Variable and Function once, and an edge for each use", () => {
    const x = new Variable(2);
    const a = x.mul(x);
    const { nodes, edges } = graph(a.add(a.exp()));
    expect(nodes.filter(({ kind }) => kind === "function").map(({ name }) => name)).toEqual(["Mul", "Exp", "Add"]);
    expect(nodes.filter(({ kind }) => kind === "variable")).toHaveLength(4);
    const [xNode, mulNode] = nodes;
    expect(edges.filter(({ from, to }) => from === xNode?.id && to === mulNode?.id)).toHaveLength(2);
    expect(edges).toHaveLength(2 + 1 + 1 + 1 + 2 + 1);
  });

  test("every node comes after what leads to it", () => {
    const x = new Variable([1, 2]);
    let y = x;
    for (let k = 0; k < 20; k++) y = k % 3 === 0 ? y.add(x) : y.mul(y.exp());
    const { nodes, edges } = graph(y);
    const place = new Map(nodes.map(({ id }, k) => [id, k]));
    for (const { from, to } of edges) expect(place.get(from)).toBeLessThan(place.get(to) ?? -1);
  });

  test("shows all outputs of a Function, and constants with no bytes", () => {
    const f = new Halves();
    f.call(new Variable([1, 2, 3, 4]));
    const { nodes } = graph(f.outputs[1]?.mul(3) ?? new Variable(0));
    const variables = nodes.filter((node) => node.kind === "variable");
    // The input, two outputs, the constant, the result.
    expect(variables.map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([0, 16, 16, 16, 16]);
  });

  test("of a leaf is the leaf", () => {
    const { nodes, edges } = graph(new Variable(1, { name: "alone" }));
    expect(nodes).toHaveLength(1);
    expect(nodes[0]?.name).toBe("alone");
    expect(edges).toEqual([]);
  });

  test("of a gradient with a graph shows the backward pass", () => {
    const x = new Variable([1, 2], { name: "x" });
    g.tanh(x).backward({ createGraph: true });
    const { nodes } = graph(x.grad ?? x);
    const names = nodes.map(({ name }) => name);
    expect(names).toContain("TanhSlope");
    expect(names).toContain("Mul");
    expect(names).toContain("x");
  });
});

describe("toDot", () => {
  test("is Graphviz text: an ellipse for each Variable, a box for each Function", () => {
    const x = new Variable([1, 2], { name: "x" });
    const text = toDot(g.square(x));
    expect(text.split("\n")[0]).toBe("digraph {");
    expect(text).toMatch(/v0 \[label="x \[2\]", shape=ellipse\];/);
    expect(text).toMatch(/\[label="Square", shape=box\];/);
    expect(text.match(/->/g)).toHaveLength(2);
    expect(text.trimEnd().endsWith("}")).toBe(true);
  });

  test("names with quotes, newlines and backslashes stay one string each", () => {
    for (const name of [
      'the "x"',
      "two\nlines",
      "back\\slash",
      '\\"',
      "\\",
      "carriage\rreturn",
      "a\r\nb",
      "] -> v9 [",
      "é 数",
    ]) {
      const text = toDot(new Variable(1, { name }));
      // As Graphviz reads a quoted string: it ends at the first quote that isn't behind a backslash.
      const strings = [...text.matchAll(/"((?:[^"\\\n\r]|\\.)*)"/g)].map(([, inside = ""]) => inside);
      expect(strings, name).toHaveLength(1);
      expect(text.split("\n").filter((line) => line.includes("label="))).toHaveLength(1);
      const shown = (strings[0] ?? "").replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
      expect(shown).toBe(`${name.replaceAll(/\r\n?/g, "\n")} []`);
    }
  });
});

describe("toString", () => {
  test("is short: name, shape and creator, without a read-back", () => {
    const x = new Variable([[1, 2, 3]], { name: "x" });
    const before = stats();
    expect(String(x)).toBe("x [1, 3]");
    expect(String(g.square(x))).toBe("Variable [1, 3] from Square");
    expect(g.sum(x).toString()).toBe("Variable [] from Sum");
    expect(String(new Variable(1))).toBe("Variable []");
    const after = stats();
    expect(after.submits).toBe(before.submits);
    // square and sum
    expect(after.dispatches - before.dispatches).toBe(2);
  });

  test("stays short for a large array", () => {
    expect(new Variable(new Float32Array(100_000)).toString()).toBe("Variable [100000]");
  });
});
