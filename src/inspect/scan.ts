/** Looks for NaNs and infinities on the GPU, so that of an array of any size only two numbers are read back. */
import pickWgsl from "../../shaders/inspect/pick.wgsl?raw";
import scanWgsl from "../../shaders/inspect/scan.wgsl?raw";
import { at } from "../base/assert.js";
import { isLarge } from "../elementwise/gather.js";
import { GpuArray } from "../gpu/array.js";
import { launchInto } from "../gpu/launch.js";
import { Shader } from "../gpu/shader.js";

export interface Scan {
  /** How many elements are NaN or infinite. */
  readonly count: number;
  /** The first of them, in row-major order. */
  readonly first: number;
}

const own = { origin: "library", inPlace: true } as const;
const scanner = new Shader("scan", scanWgsl, ["output", "input", "uniform"], 64, own);
const picker = new Shader("pick", pickWgsl, ["output", "input", "uniform"], 1, own);

/** Numbers that one invocation of shaders/inspect/scan.wgsl looks at. */
const chunk = 64;

/** What is not finite in each of the arrays. */
export async function scan(arrays: readonly GpuArray[]): Promise<Scan[]> {
  const found = await collect(arrays, 2, (array, output, place) => {
    for (const begin of windowStarts(array)) {
      withPart(array, begin, (part) => {
        const uniforms = [Uint32Array.of(part.size, place, begin)];
        launchInto(scanner, {
          inputs: [part],
          outputs: [output],
          uniforms,
          grid: { invocations: Math.ceil(part.size / chunk) },
        });
      });
    }
  });
  const bits = new Uint32Array(found.buffer, found.byteOffset, found.length);
  return arrays.map((array, k) => {
    const { constant, element, size } = array;
    if (constant !== null) return { count: Number.isFinite(Math.fround(constant)) ? 0 : size, first: 0 };
    const count = at(bits, 2 * k);
    return { count: element === null ? count : count * size, first: 0xffff_ffff - at(bits, 2 * k + 1) };
  });
}

/** One element of each of the arrays. */
export async function pick(places: readonly { readonly array: GpuArray; readonly index: number }[]): Promise<number[]> {
  const arrays = places.map(({ array }) => array);
  const found = await collect(arrays, 1, (array, output, place) => {
    const index = array.size === 1 ? 0 : at(places, place).index;
    const step = windowSize(array);
    const begin = isLarge(array.device, array.bytes) ? Math.floor(index / step) * step : 0;
    withPart(array, begin, (part) => {
      const uniforms = [Uint32Array.of(index - begin, place)];
      launchInto(picker, { inputs: [part], outputs: [output], uniforms, grid: { invocations: 1 } });
    });
  });
  return arrays.map(({ constant }, k) => (constant === null ? at(found, k) : Math.fround(constant)));
}

/** Elements that fit a binding, and end where another may begin. */
function windowSize({ device: { limits } }: GpuArray): number {
  const { maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: alignment } = limits;
  return (Math.floor(most / alignment) * alignment) / 4;
}

function windowStarts(array: GpuArray): number[] {
  if (array.size > 0 && !isLarge(array.device, array.bytes)) return [0];
  const step = windowSize(array);
  return Array.from({ length: Math.ceil(array.size / step) }, (_, k) => k * step);
}

/** Runs on the window that begins there: the array itself, where all of it fits. */
function withPart(array: GpuArray, begin: number, run: (part: GpuArray) => void): void {
  if (!isLarge(array.device, array.bytes)) {
    run(array);
    return;
  }
  const part = array.part(begin, [Math.min(windowSize(array), array.size - begin)]);
  try {
    run(part);
  } finally {
    part.release();
  }
}

/**
 * Runs a shader for each array, with a place of its own in one array that is read back. An array that repeats one number
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
