/**
 * The one harness of all element-wise functions: bindings, grid and loads around scalar WGSL. It loads vec4f and calls
 * the function once for each component, which costs what a hand-written vec4 form costs, and a quarter of what one
 * element per invocation costs. The functions themselves come from .wgsl files, from a user, or from fused programs
 * (transforms/fuse/text.ts); wgsl/math.ts joins the math that they name.
 *
 * The generated shader for square's backward, for one:
 *
 *     @group(0) @binding(0) var<storage, read> array_x: array<vec4f>;
 *     @group(0) @binding(1) var<storage, read> array_gy: array<vec4f>;
 *     @group(0) @binding(2) var<storage, read_write> result_0: array<vec4f>;
 *
 *     @compute @workgroup_size(256)
 *     fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *       let i = id.x + id.y * groups.x * 256u;
 *       if (i >= arrayLength(&result_0)) { return; }
 *       let x4 = array_x[i];
 *       let gy4 = array_gy[i];
 *       let r_x = select(square_backward(x4.x, gy4.x), f32(), math_is_zero(gy4.x));
 *       let r_y = select(square_backward(x4.y, gy4.y), f32(), math_is_zero(gy4.y));
 *       let r_z = select(square_backward(x4.z, gy4.z), f32(), math_is_zero(gy4.z));
 *       let r_w = select(square_backward(x4.w, gy4.w), f32(), math_is_zero(gy4.w));
 *       result_0[i] = vec4f(r_x, r_y, r_z, r_w);
 *     }
 */
import isZeroWgsl from "../../shaders/math/is_zero.wgsl?raw";
import type { Binding } from "./binding.js";
import { withMath } from "./math.js";
import { walk, wordsOf, type Lie, type Walk, type WalkedOperand } from "./strides.js";

/**
 * How a parameter's four values are found:
 * - full: an array of the result's shape, one vec4f
 * - one: the number 1, which the shader makes itself, out of the compiler's sight: a product with a plain 1.0 is dropped,
 *   what was around it contracted, and sigmoid's gradient is 4 ULP off what it is elsewhere
 * - constant: another number, in a uniform
 * - scalar: an array of one element
 * - strided, splat, vec4: an array that is broadcast or transposed, whose elements a walk finds (strides.ts)
 * - unread: what is written doesn't depend on it: it gets 0, and no binding
 * - result: what stands in one of the results before it is written, in place
 * - packed: another number, in one uniform with all that are loaded so: a device binds 12 uniforms
 */
export type LoadKind = "full" | "one" | "constant" | "scalar" | Lie | "unread" | "result" | "packed";

export interface Parameter {
  readonly name: string;
  readonly load: LoadKind;
  /** Which of the results it is, or of the packed numbers. */
  readonly index?: number;
}

/** The function that is called for each element. */
export interface Call {
  /** The call with these values, one for each parameter. */
  readonly text: (values: readonly string[]) => string;
  readonly parameters: readonly Parameter[];
  /** What it returns: f32, or what holds that many of them. */
  readonly type: string;
  /** The elements of what it returns that are written, each to an array of its own; null where it is one f32. */
  readonly written: readonly number[] | null;
  /** How the elements of strided parameters are found; null where there are none. */
  readonly walk: Walk | null;
  /** Parameters: where all of them are exactly 0, what is returned counts as 0, whatever it is. Where there are none, never. */
  readonly zeroWith: readonly string[];
}

export interface Harness {
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** The line, counted from 1, on which `source` begins. */
  readonly sourceLine: number;
}

/** Invocations in a workgroup. Measured on 4 M elements, raw dispatches: 64 took 259 ms, 128 took 223, 256 took 204. */
export const workgroupSize = 256;

/** @param source the function that is called, and what it calls */
export function harness(source: string, call: Call): Harness {
  const { bindings, declarations } = declare(call);
  const results = call.written?.map((k) => `[${k}]`) ?? [""];
  const walked = call.walk === null ? null : walk(call.walk, call.parameters.flatMap(walkedOperand));
  const lines = [
    ...declarations,
    "",
    "fn math_zero() -> u32 { return arrayLength(&result_0) >> 30u; }",
    "",
    `@compute @workgroup_size(${workgroupSize})`,
    "fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {",
    `  let i = id.x + id.y * groups.x * ${workgroupSize}u;`,
    "  if (i >= arrayLength(&result_0)) { return; }",
    ...(walked?.lines ?? []).map((line) => `  ${line}`),
    ...call.parameters
      .filter(({ load }) => load !== "unread")
      .map((each) => `  let ${each.name}${widthOf(each)} = ${walked?.reads.get(each.name) ?? load(each)};`),
    ...components.map((c) => `  let r_${c} = ${callFor(call, c)};`),
    ...results.map((part, k) => `  result_${k}[i] = vec4f(${components.map((c) => `r_${c}${part}`).join(", ")});`),
    "}",
    "",
  ];
  const head = lines.join("\n");
  return { wgsl: `${head}\n${source}`, bindings, sourceLine: head.split("\n").length + 1 };
}

/** Whether a load needs an array at a binding. */
export function isBound(load: LoadKind): boolean {
  return load === "full" || load === "scalar" || isWalked(load);
}

/** Whether a walk finds what is loaded. */
export function isWalked(load: LoadKind): load is Lie {
  return load === "strided" || load === "splat" || load === "vec4";
}

function walkedOperand({ name, load }: Parameter): WalkedOperand[] {
  return isWalked(load) ? [{ name, lie: load }] : [];
}

const components = ["x", "y", "z", "w"] as const;

function declare({ parameters, written, walk }: Call): {
  bindings: readonly Binding[];
  declarations: readonly string[];
} {
  const bindings: Binding[] = [];
  const declarations: string[] = [];
  const bind = (kind: Binding, declaration: string): void => {
    declarations.push(`@group(0) @binding(${bindings.length}) ${declaration};`);
    bindings.push(kind);
  };
  for (const { name, load } of parameters) {
    if (load === "constant") bind("uniform", `var<uniform> constant_${name}: f32`);
    else if (isBound(load)) {
      const element = load === "full" || load === "vec4" ? "vec4f" : "f32";
      bind("input", `var<storage, read> array_${name}: array<${element}>`);
    }
  }
  (written ?? [0]).forEach((_, k) => {
    bind("output", `var<storage, read_write> result_${k}: array<vec4f>`);
  });
  const numbers = parameters.filter(({ load }) => load === "packed").length;
  if (numbers > 0) bind("uniform", `var<uniform> numbers: array<vec4f, ${Math.ceil(numbers / 4)}>`);
  if (walk !== null) {
    const words = wordsOf(walk, parameters.flatMap(walkedOperand).length);
    bind("uniform", `var<uniform> steps: array<vec4u, ${Math.ceil(words / 4)}>`);
  }
  return { bindings, declarations };
}

function callFor({ text, parameters, type, zeroWith }: Call, c: string): string {
  const value = (parameter: Parameter): string => {
    if (parameter.load === "unread") return "0.0";
    return widthOf(parameter) === 1 ? `${parameter.name}1` : `${parameter.name}4.${c}`;
  };
  const called = text(parameters.map(value));
  const gradients = parameters.filter(({ name, load }) => zeroWith.includes(name) && load !== "unread");
  if (gradients.length === 0 || gradients.some(({ load }) => load === "one")) return called;
  const areZero = gradients.map((gradient) => `math_is_zero(${value(gradient)})`).join(" & ");
  return withMath(`select(${called}, ${type}(), ${areZero})`, isZeroWgsl);
}

/** How many numbers an invocation loads: one for its four elements, or one for each. */
function widthOf({ load }: Parameter): 1 | 4 {
  return load === "full" || load === "strided" || load === "vec4" || load === "result" ? 4 : 1;
}

function load({ name, load, index = 0 }: Parameter): string {
  switch (load) {
    case "full":
      return `array_${name}[i]`;
    case "one":
      return "bitcast<f32>(0x3f800000u + math_zero())";
    case "unread":
      return "0.0";
    case "constant":
      return `constant_${name}`;
    case "scalar":
      return `array_${name}[0]`;
    case "result":
      return `result_${index}[i]`;
    case "packed":
      return `numbers[${Math.floor(index / 4)}][${index % 4}]`;
    case "strided":
    case "splat":
    case "vec4":
      throw new Error("gpugrad bug: strides without a walk");
  }
}
