/** The shaders of reductions: trees on the GPU, in as many passes as it takes. Arrays only, nothing of gradients. */
import columnsWgsl from "../../shaders/reduce/columns.wgsl?raw";
import maxWgsl from "../../shaders/reduce/max.wgsl?raw";
import minWgsl from "../../shaders/reduce/min.wgsl?raw";
import rowsWgsl from "../../shaders/reduce/rows.wgsl?raw";
import sumWgsl from "../../shaders/reduce/sum.wgsl?raw";
import { at } from "../base/assert.js";
import type { GpuArray } from "../gpu/array.js";
import { launch } from "../gpu/launch.js";
import { Shader } from "../gpu/shader.js";
import { reduceInParts } from "./parts.js";

/** Numbers that one workgroup of shaders/reduce/rows.wgsl, or one invocation of columns.wgsl, takes. */
const rowChunk = 4 * 64 * 64;
const columnChunk = 64;
/** Shorter rows than this don't fill a workgroup: one invocation takes each. */
const shortRow = 256;

/** The two shaders of one operation, and what it gives for no numbers at all. */
class Reducer {
  readonly empty: number | null;
  readonly #rows: Shader;
  readonly #columns: Shader;

  constructor(name: string, wgsl: string, empty: number | null) {
    const shader = (source: string, padded: boolean): Shader =>
      new Shader(name, `${source}\n${wgsl}`, ["input", "output", "uniform"], 64, { origin: "library", padded });
    this.empty = empty;
    this.#rows = shader(rowsWgsl, true);
    this.#columns = shader(columnsWgsl, false);
  }

  /** The shader for rows, which whole arrays take, and the one for columns. */
  get wgsl(): string {
    return `${this.#rows.source("exact")}\n${this.#columns.source("exact")}`;
  }

  /** [outer, length, inner] to [outer, inner]; gives `array` itself where there is nothing to do. */
  reduce(array: GpuArray, outer: number, length: number, inner: number): GpuArray {
    if (length === 1) return array;
    const most = Math.floor(array.device.limits.maxStorageBufferBindingSize / 4);
    if (array.size <= most) return this.#reduceWhole(array, outer, length, inner);
    return reduceInParts(this.#reduceWhole.bind(this), array, [outer, length, inner], most);
  }

  #reduceWhole(array: GpuArray, outer: number, length: number, inner: number): GpuArray {
    let current = array;
    try {
      for (let left = length; left > 1;) {
        const inRows = inner === 1 && left >= shortRow && (outer === 1 || left % 4 === 0);
        const chunks = Math.ceil(left / (inRows ? rowChunk : columnChunk));
        const results = outer * chunks * inner;
        const made = launch(inRows ? this.#rows : this.#columns, {
          inputs: [current],
          outputs: [[results]],
          uniforms: [inRows ? Uint32Array.of(left, outer, chunks) : Uint32Array.of(left, inner, chunks, results)],
          grid: { invocations: inRows ? results * 64 : results },
        });
        if (current !== array) current.release();
        current = at(made, 0);
        left = chunks;
      }
    } catch (error) {
      if (current !== array) current.release();
      throw error;
    }
    return current;
  }
}

export const reducers = {
  Sum: new Reducer("sum", sumWgsl, 0),
  Max: new Reducer("max", maxWgsl, null),
  Min: new Reducer("min", minWgsl, null),
};
