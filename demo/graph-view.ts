/** Draws the graph of the example, with data above and gradients below each Variable. */
import { variableNames, type Values, type VariableName } from "./example.js";
import { svg } from "./dom.js";
import { showFloat32 } from "./format.js";

interface Layout {
  readonly width: number;
  readonly height: number;
  /** Where the k-th of the seven nodes stands. */
  readonly place: (k: number) => readonly [number, number];
  readonly vertical: boolean;
}

const horizontal: Layout = {
  width: 960,
  height: 184,
  place: (k) => [54 + k * 142, 92],
  vertical: false,
};

const vertical: Layout = {
  width: 330,
  height: 6 * 84 + 64,
  place: (k) => [165, 32 + k * 84],
  vertical: true,
};

const radius = 25;
const box = { width: 94, height: 46 };
/** Half of the room between the arrow forward and the arrow back. */
const lane = 7;

export class GraphView {
  readonly #host: HTMLElement;
  readonly #functions: readonly string[];
  readonly #choose: (index: number) => void;
  readonly #narrow = matchMedia("(max-width: 760px)");
  #chosen = 0;
  #values: Values | null = null;

  /**
   * @param functions names of the functions between the Variables, in order
   * @param choose called with the index of the function that is chosen
   */
  constructor(host: HTMLElement, functions: readonly string[], choose: (index: number) => void) {
    this.#host = host;
    this.#functions = functions;
    this.#choose = choose;
    this.#narrow.addEventListener("change", () => {
      this.#draw();
    });
    this.#draw();
    choose(0);
  }

  /** Numbers to write beside the Variables; null for none. */
  show(values: Values | null): void {
    this.#values = values;
    this.#host.querySelectorAll<SVGTextElement>("[data-variable]").forEach((text) => {
      const { variable, kind } = text.dataset;
      text.textContent = this.#number(variable as VariableName, kind as "data" | "grad");
    });
  }

  #number(variable: VariableName, kind: "data" | "grad"): string {
    return this.#values === null ? "–" : showFloat32(this.#values[variable][kind]);
  }

  #draw(): void {
    const layout = this.#narrow.matches ? vertical : horizontal;
    const edges = [0, 1, 2, 3, 4, 5].flatMap((k) => drawEdges(layout, k));
    const variables = variableNames.map((name, k) => this.#variable(layout, name, layout.place(2 * k)));
    const functions = this.#functions.map((name, k) => this.#function(name, k, layout.place(2 * k + 1)));
    const drawing = svg(
      "svg",
      {
        viewBox: `0 0 ${layout.width} ${layout.height}`,
        width: layout.width,
        height: layout.height,
        role: "group",
        "aria-label": `The graph: ${variableNames.map((name, k) => `${name} ${this.#functions[k] ?? ""}`).join(" ")}`,
      },
      [svg("defs", {}, [arrowHead("data"), arrowHead("grad")]), ...edges, ...variables, ...functions],
    );
    this.#host.replaceChildren(drawing);
  }

  #variable({ vertical }: Layout, name: VariableName, [x, y]: readonly [number, number]): SVGGElement {
    const number = (kind: "data" | "grad"): Element[] => {
      const side = kind === "data" ? -1 : 1;
      const at = vertical
        ? { x: x + side * (radius + 14), y: y + 12, "text-anchor": side < 0 ? "end" : "start" }
        : { x, y: y + (side < 0 ? -radius - 13 : radius + 41), "text-anchor": "middle" };
      const text = this.#number(name, kind);
      return [
        svg("text", { ...at, y: at.y - 18, class: "label" }, [kind]),
        svg("text", { ...at, class: `number ${kind}`, "data-variable": name, "data-kind": kind }, [text]),
      ];
    };
    return svg("g", { class: "variable" }, [
      svg("circle", { cx: x, cy: y, r: radius }),
      svg("text", { x, y: y + 6, "text-anchor": "middle", class: "name" }, [name]),
      ...number("data"),
      ...number("grad"),
    ]);
  }

  #function(name: string, index: number, [x, y]: readonly [number, number]): SVGGElement {
    const from = variableNames[index] ?? "";
    const to = variableNames[index + 1] ?? "";
    const group = svg(
      "g",
      {
        class: "function",
        role: "button",
        tabindex: 0,
        "data-function": index,
        "aria-pressed": String(index === this.#chosen),
        "aria-label": `${name}, from ${from} to ${to}: show its WGSL`,
      },
      [
        svg("rect", { x: x - box.width / 2, y: y - box.height / 2, ...box, rx: 8 }),
        svg("text", { x, y: y + 5, "text-anchor": "middle", class: "name" }, [name]),
      ],
    );
    const choose = (): void => {
      this.#chosen = index;
      this.#host.querySelectorAll(".function").forEach((other) => {
        other.setAttribute("aria-pressed", String(other === group));
      });
      this.#choose(index);
    };
    group.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose();
    });
    return group;
  }
}

/** The arrow forward and the arrow back between the k-th node and the next. */
function drawEdges({ place, vertical }: Layout, k: number): SVGLineElement[] {
  const gap = 5;
  const halfOf = (node: number): number => {
    if (node % 2 === 0) return Math.sqrt(radius ** 2 - lane ** 2) + gap;
    return (vertical ? box.height : box.width) / 2 + gap;
  };
  const [x1, y1] = place(k);
  const [x2, y2] = place(k + 1);
  const line = (kind: "data" | "grad"): SVGLineElement => {
    const [first, last] = [halfOf(k), halfOf(k + 1)];
    const offset = kind === "data" ? -lane : lane;
    const ends = vertical
      ? [x1 + offset, y1 + first, x2 + offset, y2 - last]
      : [x1 + first, y1 + offset, x2 - last, y2 + offset];
    const [ax, ay, bx, by] = kind === "data" ? ends : [ends[2], ends[3], ends[0], ends[1]];
    return svg("line", {
      class: `edge ${kind}`,
      x1: ax ?? 0,
      y1: ay ?? 0,
      x2: bx ?? 0,
      y2: by ?? 0,
      "marker-end": `url(#arrow-${kind})`,
    });
  };
  return [line("data"), line("grad")];
}

function arrowHead(kind: "data" | "grad"): SVGMarkerElement {
  return svg(
    "marker",
    {
      id: `arrow-${kind}`,
      class: kind,
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      orient: "auto",
    },
    [svg("path", { d: "M0.5 0.5 7.5 4 0.5 7.5Z" })],
  );
}
