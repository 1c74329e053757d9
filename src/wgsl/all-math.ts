/** All of shaders/math/, for texts that somebody else has written: they may name any of it. */
import { loadedSource, withMath } from "./math.js";

const files: Record<string, string> = import.meta.glob("../../shaders/math/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** A text that may name any function of gpugrad's. */
export function withAllMath(wgsl: string): string {
  return withMath(wgsl, files);
}

/** The text of the file that has a function of this name, such as math_exp; null where there is none. */
export function sourceOfMath(name: string): string | null {
  return loadedSource(name, files);
}
