/**
 * A stencil's gradients, with its reads turned round: what was read at an offset gives back along it. A cell gathers from all
 * positions that have read it, each invocation one cell, in an order that never changes:
 *
 *     gradient of u at j  =  sum over the reads u(c), and the positions i from which c leads to j, of  g(i) * dy/du(c) at i
 *
 * Inside there is one such position for each read, j - c. At a border that clamps there may be several, or none; where it
 * wraps, always one; what lies outside gets nothing. Where g(i) is exactly 0, nothing comes from i, whatever the derivative is.
 */
import type { Partial } from "./derivation.js";
import { along, borderOf, Cells, clampedRange, indexOf, positionOf, type Border } from "./cell.js";
import type { Input, Read, Source, StencilForm } from "./form.js";
import {
  atPosition,
  isStill,
  load,
  placeOf,
  shader,
  store,
  typeOf,
  type Load,
  type Operands,
  type StencilShader,
} from "./harness.js";

/** One read that a gradient is wanted of. */
interface Way {
  readonly read: Read;
  readonly partial: Partial;
  /** Which of the results it is added to. */
  readonly result: number;
}

/** The reads with the same offset and border: they are turned round together. */
interface Turn {
  readonly offset: readonly number[];
  readonly border: Border;
  readonly ways: readonly Way[];
}

/** The inputs, by index, that these gradients depend on. */
export function readsOfGradients(form: StencilForm, wanted: readonly number[]): ReadonlySet<number> {
  const { reads, changes } = form.source;
  const parameters = wanted.flatMap((input) => form.partialsOf(input).flatMap(({ partial }) => partial.parameters));
  const used = new Set(parameters.flatMap((k) => reads[k]?.input ?? []));
  for (const change of changes) if (reads.some(({ input }) => input === change)) used.add(change);
  return used;
}

/**
 * The gradients of the wanted inputs, one value a position; of a number, what each position gives to it.
 *
 * @param loads of the inputs, and of the output's gradient behind them
 * @param isShort whether an axis may be shorter than an offset goes
 */
export function turnedShader(
  form: StencilForm,
  loads: readonly Load[],
  wanted: readonly number[],
  isShort: boolean,
): StencilShader {
  const { source } = form;
  const { inputs, dimensions } = source;
  const output: Input = { kind: "field", name: "gy", components: source.components, boundary: "zero" };
  const operands: Operands = { inputs: [...inputs, output], loads, dimensions };
  const turns = turnsOf(form, wanted);
  const ways = turns.flatMap((turn) => turn.ways);
  const widths = wanted.map((input) => widthOf(inputs[input]));
  const partials = new Map(ways.map(({ partial }) => [partial.name, partial.wgsl]));
  const text = [source.wgsl, ...partials.values(), product(source.components)].join("\n");
  const body = [
    ...widths.map((components, k) => `var g${k} = ${typeOf(components)}();`),
    ...turns.flatMap((turn) => turnLines(source, operands, text, turn)),
    ...widths.flatMap((components, k) => store(k, "k", `g${k}`, components)),
  ];
  const used = new Set([...readsOfGradients(form, wanted), inputs.length]);
  return shader({ operands, used, results: wanted.length, text, isShort, body });
}

function widthOf(input: Input | undefined): number {
  return input?.kind === "field" ? input.components : 1;
}

function turnsOf(form: StencilForm, wanted: readonly number[]): Turn[] {
  const turns = new Map<string, { offset: readonly number[]; border: Border; ways: Way[] }>();
  wanted.forEach((input, result) => {
    const own = form.source.inputs[input];
    for (const { read, partial } of form.partialsOf(input)) {
      if (partial.constant === "0.0") continue;
      const isHere = own?.kind !== "field" || read.offset.every((steps) => steps === 0);
      const border = isHere ? "outside" : borderOf(own.boundary);
      const key = isHere ? "here" : `${read.offset.join()},${border}`;
      const turn = turns.get(key) ?? { offset: isHere ? [] : read.offset, border, ways: [] };
      turn.ways.push({ read, partial, result });
      turns.set(key, turn);
    }
  });
  return [...turns.values()];
}

/** The lines that add what comes from the positions of one turn. */
function turnLines(source: Source, operands: Operands, text: string, turn: Turn): string[] {
  const { dimensions } = source;
  const { offset, border } = turn;
  const back = new Cells("p", dimensions);
  if (border !== "clamp") {
    const found = back.coordinates(
      offset.map((steps) => (steps === 0 ? 0 : -steps)),
      border,
    );
    const conditions = found.flatMap(({ inside }) => (inside === null ? [] : [inside]));
    const inner = [`let i = ${positionOf(found.map(({ at }) => at))};`, ...givenLines(source, operands, text, turn)];
    return block([
      ...back.lines,
      ...(conditions.length === 0 ? inner : nested(`if (${conditions.join(" && ")})`, inner)),
    ]);
  }
  const axes = Array.from({ length: dimensions }, (_, axis) => offset[axis] ?? 0);
  const names = axes.map((steps, axis) => (steps === 0 ? along("p", axis, dimensions) : `i_${axis}`));
  const inner = [`let i = ${positionOf(names)};`, ...givenLines(source, operands, text, turn)];
  return block(
    axes.reduceRight((lines, steps, axis) => {
      if (steps === 0) return lines;
      const { first, last } = clampedRange(along("p", axis, dimensions), along("n", axis, dimensions), steps);
      const head = `for (var i_${axis} = ${first}; i_${axis} <= last_${axis}; i_${axis}++)`;
      return [`let last_${axis} = ${last};`, ...nested(head, lines)];
    }, inner),
  );
}

/** What position `i` gives along the reads of a turn. */
function givenLines(source: Source, operands: Operands, text: string, { ways }: Turn): string[] {
  const { reads, inputs, dimensions, changes } = source;
  const cells = new Cells("i", dimensions);
  const changed = reads.flatMap(({ input }, k) => (changes.includes(input) ? [k] : []));
  const needed = new Set([...ways.flatMap(({ partial }) => partial.parameters), ...changed]);
  const values = [...needed]
    .sort((a, b) => a - b)
    .flatMap((k) => {
      const read = reads[k];
      return read === undefined ? [] : [`let r${k} = ${load(operands, read.input, placeOf(cells, read, inputs))};`];
    });
  const coordinates = Array.from({ length: dimensions }, (_, axis) => along("i", axis, dimensions));
  const g = load(operands, inputs.length, { index: indexOf(coordinates), inside: null });
  const still = isStill(source, (k) => `r${k}`, inputs);
  const given = ways.map((way, k) => addition(way, k, widthOf(inputs[way.read.input])));
  return [
    `let g = ${g};`,
    ...cells.lines,
    ...values,
    ...atPosition("i", text),
    ...(still === null ? given : nested(`if (!(${still}))`, given)),
  ];
}

function addition({ partial, result }: Way, way: number, components: number): string {
  const { name, parameters, constant } = partial;
  if (constant !== null) return `g${result} += g * ${constant};`;
  const called = `${name}(${parameters.map((k) => `r${k}`).join(", ")})`;
  if (components === 1) return `g${result} += stencil_product(g, ${called});`;
  const parts = Array.from({ length: components }, (_, c) => `stencil_product(g, d${way}[${c}])`);
  return `let d${way} = ${called}; g${result} += ${typeOf(components)}(${parts.join(", ")});`;
}

/** The product of a gradient with a derivative, of which nothing is left where the gradient is exactly 0. */
function product(components: number): string {
  const one = "fn stencil_product(g: f32, d: f32) -> f32 { return select(g * d, 0.0, math_is_zero(g)); }";
  if (components === 1) return one;
  const parts = Array.from({ length: components }, (_, k) => `select(g[${k}] * d[${k}], 0.0, math_is_zero(g[${k}]))`);
  const type = typeOf(components);
  return `fn stencil_product(g: ${type}, d: ${type}) -> f32 { return ${parts.join(" + ")}; }`;
}

function nested(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), "}"];
}

function block(lines: readonly string[]): string[] {
  return ["{", ...lines.map((line) => `  ${line}`), "}"];
}
