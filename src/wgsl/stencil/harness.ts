/**
 * The shaders around a stencil's function of numbers: one invocation for each position, which loads what the function reads
 * and calls it. The forward of `u(1) - u(0)`, for one, with what wraps:
 *
 *     @group(0) @binding(0) var<storage, read> array_u: array<f32>;
 *     @group(0) @binding(1) var<storage, read_write> result_0: array<f32>;
 *     @group(0) @binding(2) var<uniform> stencil_extent: vec4i;
 *
 *     @compute @workgroup_size(256)
 *     fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *       let k = id.x + id.y * groups.x * 256u;
 *       let n = stencil_extent.x;
 *       if (k >= u32(n)) { return; }
 *       let p = i32(k);
 *       let p_x_1_wrap = stencil_wrap_up(p + 1, n);
 *       result_0[k] = slope_forward(array_u[p_x_1_wrap], array_u[p]);
 *     }
 */
import type { Binding } from "../binding.js";
import { borderOf, Cells, wrapFunctions, type Place } from "./cell.js";
import type { Input, Read, Source, StencilForm } from "./form.js";

/** How an input is loaded: from an array, from one of one element, or from a uniform. */
export type Load = "full" | "scalar" | "constant";

/** A shader, and what is bound to it in order: inputs by index (and the gradient), results, numbers, the extent. */
export interface StencilShader {
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** The arrays that are read, by index among the operands. */
  readonly bound: readonly number[];
  /** The operands whose numbers are in uniforms. */
  readonly constants: readonly number[];
}

export const workgroupSize = 256;

/** What a kernel reads: a stencil's inputs, and for a gradient that of its output behind them. */
export interface Operands {
  readonly inputs: readonly Input[];
  readonly loads: readonly Load[];
  readonly dimensions: number;
}

/** The value of an operand at a place, as WGSL. */
export function load({ inputs, loads }: Operands, operand: number, { index, inside }: Place): string {
  const input = inputs[operand];
  if (input === undefined) throw new Error("gpugrad bug: an operand that isn't there");
  if (input.kind === "number") return loadFrom(loads[operand], operand, "0", 1);
  const { components, boundary } = input;
  const value = loadFrom(loads[operand], operand, index, components);
  if (inside === null) return value;
  const outside = typeof boundary === "number" ? numberText(boundary) : "0.0";
  return `select(${typeOf(components)}(${outside}), ${value}, ${inside})`;
}

function loadFrom(kind: Load | undefined, operand: number, index: string, components: number): string {
  const type = typeOf(components);
  if (kind === "constant") return components === 1 ? `constant_${operand}` : `${type}(constant_${operand})`;
  if (kind === "scalar") return components === 1 ? `array_${operand}[0]` : `${type}(array_${operand}[0])`;
  if (components === 1) return `array_${operand}[${index}]`;
  const parts = Array.from({ length: components }, (_, k) => `array_${operand}[${components} * (${index}) + ${k}]`);
  return `${type}(${parts.join(", ")})`;
}

export function typeOf(components: number): string {
  return components === 1 ? "f32" : `vec${components}f`;
}

/** A float32 number as WGSL. */
function numberText(value: number): string {
  const text = `${Math.fround(value)}`;
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The lines that store a value of so many components. */
export function store(result: number, index: string, value: string, components: number): string[] {
  if (components === 1) return [`result_${result}[${index}] = ${value};`];
  return Array.from(
    { length: components },
    (_, k) => `result_${result}[${components}u * ${index} + ${k}u] = ${value}[${k}];`,
  );
}

/** Whether what is read as a change is 0 throughout; null where there is nothing of the kind. */
export function isStill(
  { changes, reads }: Source,
  nameOf: (read: number) => string,
  inputs: readonly Input[],
): string | null {
  const still = changes.map((change) =>
    reads.flatMap(({ input }, k) => {
      if (input !== change) return [];
      const own = inputs[input];
      const components = own?.kind === "field" ? own.components : 1;
      return Array.from({ length: components }, (_, c) => (components === 1 ? nameOf(k) : `${nameOf(k)}[${c}]`));
    }),
  );
  const conditions = still
    .filter((names) => names.length > 0)
    .map((names) => names.map((name) => `math_is_zero(${name})`).join(" && "));
  if (conditions.length === 0) return null;
  return conditions.length === 1 ? conditions.join("") : conditions.map((each) => `(${each})`).join(" || ");
}

/** The place of a read around a position. */
export function placeOf(cells: Cells, { input, offset }: Read, inputs: readonly Input[]): Place {
  const own = inputs[input];
  return own?.kind === "field" ? cells.at(offset, borderOf(own.boundary)) : { index: "0", inside: null };
}

/** @param isShort whether an axis may be shorter than an offset goes */
export function forwardShader({ source }: StencilForm, loads: readonly Load[], isShort: boolean): StencilShader {
  const { dimensions, inputs, reads, name, components } = source;
  const operands: Operands = { inputs, loads, dimensions };
  const cells = new Cells("p", dimensions);
  const values = reads.map((read, k) => `let r${k} = ${load(operands, read.input, placeOf(cells, read, inputs))};`);
  const still = isStill(source, (k) => `r${k}`, inputs);
  const called = `${name}_forward(${reads.map((_, k) => `r${k}`).join(", ")})`;
  const y = still === null ? called : `select(${called}, ${typeOf(components)}(), ${still})`;
  const used = new Set(reads.map(({ input }) => input));
  return shader({
    operands,
    used,
    results: 1,
    text: source.wgsl,
    isShort,
    body: [
      ...cells.lines,
      ...values,
      ...atPosition("p", source.wgsl),
      `let y = ${y};`,
      ...store(0, "k", "y", components),
    ],
  });
}

/** Tells `position()`, where it is asked for. */
export function atPosition(position: string, text: string): string[] {
  return asksFor(text, "position") ? [`stencil_position = ${position};`] : [];
}

function asksFor(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\s*\\(`).test(text);
}

interface Parts {
  readonly operands: Operands;
  /** The operands that are read. */
  readonly used: ReadonlySet<number>;
  /** How many arrays are written. */
  readonly results: number;
  /** The functions that are called. */
  readonly text: string;
  readonly isShort: boolean;
  /** The lines for one position `p`, which is the `k`th. */
  readonly body: readonly string[];
}

/** The whole shader around what is done at one position. */
export function shader({ operands, used, results, text, isShort, body }: Parts): StencilShader {
  const { loads, dimensions } = operands;
  const all = [...used].sort((a, b) => a - b);
  const bound = all.filter((operand) => loads[operand] !== "constant");
  const constants = all.filter((operand) => loads[operand] === "constant");
  const written = Array.from({ length: results }, (_, k) => k);
  const declarations = [
    ...bound.map((operand) => `var<storage, read> array_${operand}: array<f32>`),
    ...written.map((k) => `var<storage, read_write> result_${k}: array<f32>`),
    ...constants.map((operand) => `var<uniform> constant_${operand}: f32`),
    "var<uniform> stencil_extent: vec4i",
  ].map((declaration, k) => `@group(0) @binding(${k}) ${declaration};`);
  const wgsl = [
    ...declarations,
    "",
    ...placeFunctions(dimensions, text),
    ...(body.some((line) => line.includes("stencil_wrap_")) ? wrapFunctions(isShort) : []),
    `@compute @workgroup_size(${workgroupSize})`,
    "fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {",
    ...[...positionLines(dimensions), ...body].map((line) => `  ${line}`),
    "}",
    "",
    text,
  ].join("\n");
  const bindings: Binding[] = [
    ...bound.map((): Binding => "input"),
    ...written.map((): Binding => "output"),
    ...constants.map((): Binding => "uniform"),
    "uniform",
  ];
  return { wgsl, bindings, bound, constants };
}

const swizzles = ["", "x", "xy", "xyz"] as const;

/** From the number of an invocation to its position. */
function positionLines(dimensions: number): string[] {
  const n = `let n = stencil_extent.${swizzles[dimensions] ?? ""};`;
  const start = [`let k = id.x + id.y * groups.x * ${workgroupSize}u;`, n];
  switch (dimensions) {
    case 1:
      return [...start, "if (k >= u32(n)) { return; }", "let p = i32(k);"];
    case 2:
      return [
        ...start,
        "if (k >= u32(n.x * n.y)) { return; }",
        "let row = k / u32(n.y);",
        "let p = vec2i(i32(row), i32(k - row * u32(n.y)));",
      ];
    default:
      return [
        ...start,
        "if (k >= u32(n.x * n.y * n.z)) { return; }",
        "let row = k / u32(n.z);",
        "let layer = row / u32(n.y);",
        "let p = vec3i(i32(layer), i32(row - layer * u32(n.y)), i32(k - row * u32(n.z)));",
      ];
  }
}

/** What `position()` and `extent()` are. */
function placeFunctions(dimensions: number, text: string): string[] {
  const type = dimensions === 1 ? "i32" : `vec${dimensions}i`;
  return [
    ...(asksFor(text, "position")
      ? [`var<private> stencil_position: ${type};`, `fn position() -> ${type} { return stencil_position; }`]
      : []),
    ...(asksFor(text, "extent")
      ? [`fn extent() -> ${type} { return stencil_extent.${swizzles[dimensions] ?? ""}; }`]
      : []),
  ];
}
