/** Shows the WGSL of a function: the math that its author wrote, and the shader that is made of it. */
import { exp, square, type Elementwise } from "../src/index.js";
import expMath from "../shaders/math/exp.wgsl?raw";
import { html } from "./dom.js";
import { coloured } from "./wgsl-view.js";

interface Source {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly wgsl: string;
  readonly node: () => Elementwise;
  /** Another file that the function's own calls. */
  readonly calls?: { readonly title: string; readonly wgsl: string };
}

const squareSource: Source = {
  name: "Square",
  title: "y = x²",
  file: "shaders/square.wgsl",
  wgsl: square.wgsl,
  node: () => new square.Node(),
};

const expSource: Source = {
  name: "Exp",
  title: "y = eˣ",
  file: "shaders/exp.wgsl",
  wgsl: exp.wgsl,
  node: () => new exp.Node(),
  calls: { title: "math_exp, the same on every GPU: shaders/math/exp.wgsl", wgsl: expMath },
};

/** The functions of the example, in order. */
export const sources: readonly Source[] = [squareSource, expSource, squareSource];

/** Shows the source of one function. */
export function showSource(host: HTMLElement, { name, title, file, wgsl, node, calls }: Source): void {
  host.replaceChildren(
    html("h3", "", [name, html("span", "math", [title]), html("span", "file", [file])]),
    block(wgsl),
    ...(calls === undefined ? [] : [folded(calls.title, calls.wgsl)]),
    folded("The shader that runs it forward", node().wgsl),
  );
}

function block(wgsl: string): HTMLElement {
  const pre = html("pre", "", [html("code", "", coloured(wgsl.trimEnd()))]);
  // A region that scrolls must be reachable by keyboard.
  pre.tabIndex = 0;
  return pre;
}

function folded(title: string, wgsl: string): HTMLElement {
  return html("details", "", [html("summary", "", [title]), block(wgsl)]);
}
