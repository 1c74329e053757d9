/** Writes a constant into an array that was a number alone until now. */
import source from "../../shaders/fill.wgsl?raw";
import type { GpuArray } from "./array.js";
import { Kernel } from "./kernel.js";

let kernel: Kernel | null = null;

export function fill(array: GpuArray, value: number): void {
  // Made at the first use: this module and kernel.ts import each other.
  kernel ??= new Kernel(
    { name: "fill", wgsl: source, bindings: ["output", "uniform"] },
    { padded: true, trusted: true },
  );
  kernel.runInto({
    inputs: [],
    outputs: [array],
    uniforms: [new Float32Array([value])],
    invocations: Math.ceil(array.size / 4),
  });
}
