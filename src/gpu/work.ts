/** What a shader is run on. */
import type { Shape } from "../base/shape.js";
import type { Workgroups } from "./grid.js";
import type { Shader } from "./shader.js";
import type { Storage } from "./storage.js";

/** The bytes of one array in its memory. */
export interface Part {
  readonly storage: Storage;
  readonly offset: number;
  readonly bytes: number;
}

/** The numbers of one uniform binding, as WGSL lays them out. */
export type UniformBlock = Uint32Array | Int32Array | Float32Array;

/** One run of a shader. */
export interface Work {
  readonly shader: Shader;
  readonly inputs: readonly Part[];
  readonly outputs: readonly Part[];
  readonly uniforms: readonly UniformBlock[];
  readonly workgroups: Workgroups;
  /** Of the outputs; named where it fails. Not the arrays: a command is remembered, and must not hold them back. */
  readonly shapes: readonly Shape[];
}

/** Bytes with the last vec4 filled up. */
export function paddedBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}
