/** Kernels that write into an array that is there already. */
import descendWgsl from "../../shaders/descend.wgsl?raw";
import fillWgsl from "../../shaders/fill.wgsl?raw";
import repeatWgsl from "../../shaders/repeat.wgsl?raw";
import type { GpuArray } from "./array.js";
import { Kernel } from "./kernel.js";
import type { Binding } from "../wgsl/binding.js";

// Made at their first use: this module and kernel.ts import each other.
let filler: Kernel | null = null;
let repeater: Kernel | null = null;
let descender: Kernel | null = null;

/** A kernel with one invocation for each vec4 of what it writes. */
function kernel(name: string, wgsl: string, bindings: readonly Binding[], inPlace = false): Kernel {
  return new Kernel(
    { name, wgsl, bindings, workgroupSize: 256 },
    { padded: true, windows: true, trusted: true, inPlace },
  );
}

/** Every element becomes `value`. */
export function fill(array: GpuArray, value: number): void {
  filler ??= kernel("fill", fillWgsl, ["output", "uniform"]);
  write(filler, array, [], [value]);
}

/** Every element becomes the only one of `element`. */
export function repeat(element: GpuArray, array: GpuArray): void {
  repeater ??= kernel("repeat", repeatWgsl, ["input", "output"]);
  write(repeater, array, [element], []);
}

/** x ← x - rate · g */
export function descend(x: GpuArray, g: GpuArray, rate: number): void {
  descender ??= kernel("descend", descendWgsl, ["output", "input", "uniform"], true);
  write(descender, x, [g], [rate]);
}

function write(kernel: Kernel, array: GpuArray, inputs: readonly GpuArray[], numbers: readonly number[]): void {
  const uniforms = numbers.map((number) => Float32Array.of(number));
  kernel.runInto({ inputs, outputs: [array], uniforms, invocations: Math.ceil(array.size / 4) });
}
