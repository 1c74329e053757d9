/**
 * What an example shows to who looks into its page, as its test does: with `?still` nothing moves by itself, and it is drawn
 * into a texture, since not every browser without a GPU shows a canvas of WebGPU.
 */
import type { Variable } from "gpugrad";

export const isStill = location.search.includes("still");

export interface Example {
  /** Computes and draws once. */
  frame(): void;
  /** What gpugrad moves. */
  readonly moved: Variable;
  /** The bytes drawn last, four a pixel: where it is still. */
  pixels?(): Promise<ArrayLike<number>>;
}

export function show(example: Example): void {
  Object.assign(globalThis, { example });
  if (isStill) return;
  const next = (): void => {
    example.frame();
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}
