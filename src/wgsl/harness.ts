/**
 * The one harness of all element-wise functions: bindings, grid and loads around scalar WGSL. It loads vec4f and calls
 * the function once for each component, which costs what a hand-written vec4 form costs, and a quarter of what one
 * element per invocation costs. This is the only place where WGSL is put together.
 *
 * The generated shader for square's forward, for one:
 *
 *     @group(0) @binding(0) var<storage, read> array_x: array<vec4f>;
 *     @group(0) @binding(1) var<storage, read_write> result_0: array<vec4f>;
 *
 *     @compute @workgroup_size(256)
 *     fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *       let i = id.x + id.y * groups.x * 256u;
 *       if (i >= arrayLength(&result_0)) { return; }
 *       let x4 = array_x[i];
 *       let r_x = square_forward(x4.x);
 *       let r_y = square_forward(x4.y);
 *       let r_z = square_forward(x4.z);
 *       let r_w = square_forward(x4.w);
 *       result_0[i] = vec4f(r_x, r_y, r_z, r_w);
 *     }
 */
import type { Binding } from "./binding.js";

/**
 * How a parameter's four values are found:
 * - full: an array of the result's shape, one vec4f
 * - one: the number 1, which the shader makes itself, out of the compiler's sight: a product with a plain 1.0 is dropped,
 *   what was around it contracted, and sigmoid's gradient is 4 ULP off what it is elsewhere
 * - constant: another number, in a uniform
 * - scalar: an array of one element
 * - strided: an array that is broadcast or transposed; each element's index is computed from the layout
 */
export type Access = "full" | "one" | "constant" | "scalar" | "strided";

export interface Parameter {
  readonly name: string;
  readonly access: Access;
}

export interface Harness {
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** The line, counted from 1, on which `source` begins. */
  readonly sourceLine: number;
}

/** Invocations in a workgroup. Measured on 4 M elements, raw dispatches: 64 took 259 ms, 128 took 223, 256 took 204. */
export const workgroupSize = 256;

/** The most words of a layout: a rank, then for each dimension its length and one stride for each strided parameter. */
export const layoutWords = 128;

/**
 * @param source the functions that are called
 * @param call the function's name
 * @param parameters in the order of the call
 * @param components what to write, one expression in `r` (what the call returned) for each result
 */
export function harness(
  source: string,
  call: string,
  parameters: readonly Parameter[],
  components: readonly string[],
): Harness {
  const bindings: Binding[] = [];
  const declarations: string[] = [];
  const bind = (kind: Binding, declaration: string): void => {
    declarations.push(`@group(0) @binding(${bindings.length}) ${declaration};`);
    bindings.push(kind);
  };
  for (const { name, access } of parameters) {
    if (access === "constant") bind("uniform", `var<uniform> constant_${name}: f32`);
    else if (access !== "one")
      bind("input", `var<storage, read> array_${name}: array<${access === "full" ? "vec4f" : "f32"}>`);
  }
  components.forEach((_, k) => {
    bind("output", `var<storage, read_write> result_${k}: array<vec4f>`);
  });
  const strided = parameters.filter(({ access }) => access === "strided");
  if (strided.length > 0) bind("uniform", `var<uniform> steps: array<vec4u, ${layoutWords / 4}>`);

  const loads = parameters.map(
    ({ name, access }) =>
      `  let ${name}${widthOf(access)} = ${load(
        name,
        access,
        strided.findIndex((s) => s.name === name),
      )};`,
  );
  const argument = ({ name, access }: Parameter, c: string): string =>
    widthOf(access) === 1 ? `${name}1` : `${name}4.${c}`;
  const calls = ["x", "y", "z", "w"].map(
    (c) => `  let r_${c} = ${call}(${parameters.map((parameter) => argument(parameter, c)).join(", ")});`,
  );
  const stores = components.map((component, k) => {
    const values = ["x", "y", "z", "w"].map((c) => component.replace("r", `r_${c}`));
    return `  result_${k}[i] = vec4f(${values.join(", ")});`;
  });
  const lines = [
    ...declarations,
    "",
    ...(strided.length > 0 ? [indexFunction(strided.length), ""] : []),
    "fn math_zero() -> u32 { return arrayLength(&result_0) >> 30u; }",
    "",
    `@compute @workgroup_size(${workgroupSize})`,
    "fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {",
    `  let i = id.x + id.y * groups.x * ${workgroupSize}u;`,
    "  if (i >= arrayLength(&result_0)) { return; }",
    ...loads,
    ...calls,
    ...stores,
    "}",
    "",
  ];
  const head = lines.join("\n");
  return { wgsl: `${head}\n${source}`, bindings, sourceLine: head.split("\n").length + 1 };
}

/** How many numbers an invocation loads: one for its four elements, or one for each. */
function widthOf(access: Access): 1 | 4 {
  return access === "full" || access === "strided" ? 4 : 1;
}

function load(name: string, access: Access, strided: number): string {
  switch (access) {
    case "full":
      return `array_${name}[i]`;
    case "one":
      return "bitcast<f32>(0x3f800000u + math_zero())";
    case "constant":
      return `constant_${name}`;
    case "scalar":
      return `array_${name}[0]`;
    case "strided": {
      const elements = [0, 1, 2, 3].map((k) => `array_${name}[element(4u * i + ${k}u, ${strided}u)]`);
      return `vec4f(${elements.join(", ")})`;
    }
  }
}

/** From the index of an element of the result to that of the element of a strided parameter. */
function indexFunction(count: number): string {
  return `fn word(k: u32) -> u32 { return steps[k / 4u][k % 4u]; }

// The layout: the rank, then for each dimension, the last one first, its length and ${count} strides.
fn element(index: u32, parameter: u32) -> u32 {
  var rest = index;
  var offset = 0u;
  for (var dimension = 0u; dimension < word(0u); dimension++) {
    let at = 1u + dimension * ${count + 1}u;
    offset += (rest % word(at)) * word(at + 1u + parameter);
    rest /= word(at);
  }
  return offset;
}`;
}
