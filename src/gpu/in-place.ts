/** Kernels that write into an array that is there already. */
import descendWgsl from "../../shaders/descend.wgsl?raw";
import fillWgsl from "../../shaders/fill.wgsl?raw";
import repeatWgsl from "../../shaders/repeat.wgsl?raw";
import type { GpuArray } from "./array.js";
import { Kernel } from "./kernel.js";

// Made at their first use: this module and kernel.ts import each other.
let filler: Kernel | null = null;
let repeater: Kernel | null = null;
let descender: Kernel | null = null;

/** Every element becomes `value`. */
export function fill(array: GpuArray, value: number): void {
  filler ??= new Kernel(
    { name: "fill", wgsl: fillWgsl, bindings: ["output", "uniform"], workgroupSize: 256 },
    { padded: true, windows: true, trusted: true },
  );
  filler.runInto({
    inputs: [],
    outputs: [array],
    uniforms: [Float32Array.of(value)],
    invocations: Math.ceil(array.size / 4),
  });
}

/** Every element becomes the only one of `element`. */
export function repeat(element: GpuArray, array: GpuArray): void {
  repeater ??= new Kernel(
    { name: "repeat", wgsl: repeatWgsl, bindings: ["input", "output"], workgroupSize: 256 },
    { padded: true, windows: true, trusted: true },
  );
  repeater.runInto({ inputs: [element], outputs: [array], invocations: Math.ceil(array.size / 4) });
}

/** x ← x - rate · g */
export function descend(x: GpuArray, g: GpuArray, rate: number): void {
  descender ??= new Kernel(
    { name: "descend", wgsl: descendWgsl, bindings: ["output", "input", "uniform"], workgroupSize: 256 },
    { padded: true, windows: true, trusted: true, inPlace: true },
  );
  descender.runInto({
    inputs: [g],
    outputs: [x],
    uniforms: [Float32Array.of(rate)],
    invocations: Math.ceil(x.size / 4),
  });
}
