/** A plot of numbers over x, with a mark that the visitor can drag. */
import { svg } from "./dom.js";
import { showFloat32 } from "./format.js";

export interface Curve {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

interface Scale {
  (value: number): number;
  readonly invert: (place: number) => number;
}

const margin = { top: 14, right: 14, bottom: 28, left: 44 };

export class Plot {
  readonly #host: HTMLElement;
  readonly #kind: "data" | "grad";
  readonly #name: string;
  readonly #range: { readonly first: number; readonly end: number };
  readonly #move: (x: number) => void;
  #curve: Curve = { x: [], y: [] };
  #mark: { x: number; y: number } | null = null;

  /**
   * @param kind its colour
   * @param move called with the x to which the visitor drags the mark
   */
  constructor(
    host: HTMLElement,
    kind: "data" | "grad",
    name: string,
    range: { readonly first: number; readonly end: number },
    move: (x: number) => void,
  ) {
    this.#host = host;
    this.#kind = kind;
    this.#name = name;
    this.#range = range;
    this.#move = move;
    new ResizeObserver(() => {
      this.#draw();
    }).observe(host);
  }

  show(curve: Curve): void {
    this.#curve = curve;
    this.#draw();
  }

  mark(x: number, y: number): void {
    this.#mark = { x, y };
    this.#draw();
  }

  #draw(): void {
    const width = Math.max(260, this.#host.clientWidth);
    const height = Math.round(Math.min(300, Math.max(210, width * 0.62)));
    const finite = Array.from(this.#curve.y).filter(Number.isFinite);
    const low = Math.min(0, ...finite);
    const high = Math.max(low + 1e-9, ...finite);
    const { first, end } = this.#range;
    const toX = scale(first, end, margin.left, width - margin.right);
    const toY = scale(low, high, height - margin.bottom, margin.top);
    const left = margin.left;
    const right = width - margin.right;

    const grid = ticks(low, high, 5).flatMap((value) => [
      svg("line", { class: value === 0 ? "axis" : "grid", x1: left, x2: right, y1: toY(value), y2: toY(value) }),
      svg("text", { class: "label", x: left - 8, y: toY(value) + 4, "text-anchor": "end" }, [show(value)]),
    ]);
    const labels = ticks(first, end, 4).map((value) =>
      svg("text", { class: "label", x: toX(value), y: height - 8, "text-anchor": "middle" }, [show(value)]),
    );
    const drawing = svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        class: this.#kind,
        role: "img",
        "aria-label": `${this.#name} over x from ${first} to ${end}`,
      },
      [
        ...grid,
        ...labels,
        svg("path", { class: "curve", d: pathOf(this.#curve, toX, toY) }),
        ...this.#drawMark(toX, toY, height),
      ],
    );
    const move = (event: PointerEvent): void => {
      const x = toX.invert(event.clientX - drawing.getBoundingClientRect().left);
      this.#move(Math.min(end, Math.max(first, x)));
    };
    // On the host, which stays while the drawing is replaced under the pointer.
    this.#host.onpointerdown = (event) => {
      this.#host.setPointerCapture(event.pointerId);
      move(event);
    };
    this.#host.onpointermove = (event) => {
      if (this.#host.hasPointerCapture(event.pointerId)) move(event);
    };
    this.#host.replaceChildren(drawing);
  }

  #drawMark(toX: Scale, toY: Scale, height: number): Element[] {
    if (this.#mark === null || !Number.isFinite(this.#mark.y)) return [];
    const [x, y] = [toX(this.#mark.x), toY(this.#mark.y)];
    // The number stands on the side that has room.
    const onRight = this.#mark.x < (this.#range.first + this.#range.end) / 2;
    return [
      svg("line", { class: "mark", x1: x, x2: x, y1: margin.top, y2: height - margin.bottom }),
      svg("circle", { class: "mark", cx: x, cy: y, r: 4.5 }),
      svg(
        "text",
        {
          class: "number",
          x: x + (onRight ? 10 : -10),
          y: Math.max(y - 9, margin.top + 10),
          "text-anchor": onRight ? "start" : "end",
        },
        [showFloat32(this.#mark.y)],
      ),
    ];
  }
}

function scale(from: number, to: number, start: number, end: number): Scale {
  const perUnit = (end - start) / (to - from);
  return Object.assign((value: number) => start + (value - from) * perUnit, {
    invert: (place: number) => from + (place - start) / perUnit,
  });
}

function pathOf({ x, y }: Curve, toX: Scale, toY: Scale): string {
  let path = "";
  let pen = false;
  for (let i = 0; i < x.length; i++) {
    const [xi, yi] = [x[i] ?? NaN, y[i] ?? NaN];
    const drawn = Number.isFinite(xi) && Number.isFinite(yi);
    if (drawn) path += `${pen ? "L" : "M"}${toX(xi).toFixed(2)} ${toY(yi).toFixed(2)}`;
    pen = drawn;
  }
  return path;
}

/** About `count` round numbers between two. */
function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const numbers: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) numbers.push(Number((k * step).toPrecision(12)));
  return numbers;
}

function show(value: number): string {
  return String(value).replace("-", "−");
}
