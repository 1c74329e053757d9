/** Looks for NaNs and infinities on the GPU, so that of an array of any size only two numbers are read back. */
import pickWgsl from "../../shaders/inspect/pick.wgsl?raw";
import scanWgsl from "../../shaders/inspect/scan.wgsl?raw";
import unexplainedWgsl from "../../shaders/inspect/unexplained.wgsl?raw";
import { at } from "../base/assert.js";
import { builtin } from "../elementwise/elementwise.js";
import { GpuArray } from "../gpu/array.js";
import { Kernel } from "../gpu/kernel.js";
import type { Operand } from "../graph/variable.js";

export interface Scan {
  /** How many elements are NaN or infinite. */
  readonly count: number;
  /** The first of them, in row-major order. */
  readonly first: number;
}

const own = { origin: "library", inPlace: true } as const;
const scanner = new Kernel({ name: "scan", wgsl: scanWgsl, bindings: ["output", "input", "uniform"] }, own);
const picker = new Kernel(
  { name: "pick", wgsl: pickWgsl, bindings: ["output", "input", "uniform"], workgroupSize: 1 },
  own,
);

/** The result where the operand is finite, else 0: what is left is not so because of the operand. */
export const unexplained = builtin<[result: Operand, operand: Operand]>(unexplainedWgsl);

/** Numbers that one invocation of shaders/inspect/scan.wgsl looks at. */
const chunk = 64;

/** What is not finite in each of the arrays. */
export async function scan(arrays: readonly GpuArray[]): Promise<Scan[]> {
  const found = await collect(arrays, 2, (array, output, place) => {
    const { size } = array;
    if (size === 0) return;
    const uniforms = [Uint32Array.of(size, place)];
    scanner.runInto({ inputs: [array], outputs: [output], uniforms, invocations: Math.ceil(size / chunk) });
  });
  const bits = new Uint32Array(found.buffer, found.byteOffset, found.length);
  return arrays.map((array, k) => {
    const { constant, element, size } = array;
    if (constant !== null) return { count: Number.isFinite(constant) ? 0 : size, first: 0 };
    const count = at(bits, 2 * k);
    return { count: element === null ? count : count * size, first: 0xffff_ffff - at(bits, 2 * k + 1) };
  });
}

/** One element of each of the arrays. */
export async function pick(places: readonly { readonly array: GpuArray; readonly index: number }[]): Promise<number[]> {
  const arrays = places.map(({ array }) => array);
  const found = await collect(arrays, 1, (array, output, place) => {
    const index = array.size === 1 ? 0 : at(places, place).index;
    picker.runInto({ inputs: [array], outputs: [output], uniforms: [Uint32Array.of(index, place)], invocations: 1 });
  });
  return arrays.map(({ constant }, k) => constant ?? at(found, k));
}

/**
 * Runs a kernel for each array, with a place of its own in one array that is read back. An array that repeats one number
 * is seen as that number, so that it needs no memory.
 */
async function collect(
  arrays: readonly GpuArray[],
  each: number,
  run: (array: GpuArray, output: GpuArray, place: number) => void,
): Promise<Float32Array> {
  const [first] = arrays;
  if (first === undefined) return new Float32Array(0);
  const output = GpuArray.from(new Float32Array(arrays.length * each), undefined, first.device);
  try {
    arrays.forEach((array, place) => {
      if (array.constant === null) run(array.element ?? array, output, place);
    });
    return await output.read();
  } finally {
    output.release();
  }
}
