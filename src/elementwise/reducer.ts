/** The shaders of reductions: trees on the GPU, in as many passes as it takes. Arrays only, nothing of gradients. */
import columnsWgsl from "../../shaders/reduce/columns.wgsl?raw";
import maxWgsl from "../../shaders/reduce/max.wgsl?raw";
import minWgsl from "../../shaders/reduce/min.wgsl?raw";
import oddColumnsWgsl from "../../shaders/reduce/oddColumns.wgsl?raw";
import oddRowsWgsl from "../../shaders/reduce/oddRows.wgsl?raw";
import rowsWgsl from "../../shaders/reduce/rows.wgsl?raw";
import shortColumnsWgsl from "../../shaders/reduce/shortColumns.wgsl?raw";
import shortRowsWgsl from "../../shaders/reduce/shortRows.wgsl?raw";
import sumWgsl from "../../shaders/reduce/sum.wgsl?raw";
import treeWgsl from "../../shaders/reduce/tree.wgsl?raw";
import { at } from "../base/assert.js";
import type { GpuArray } from "../gpu/array.js";
import { launch } from "../gpu/launch.js";
import { Shader } from "../gpu/shader.js";
import { reduceInParts } from "./parts.js";

/** Rows up to this length are taken four at a time. */
const shortRow = 64;
/** Numbers of a longer row, or of a column, that one invocation takes. */
const rowChunk = 1024;
const columnChunk = 256;

/** One pass: a shader, what its uniform holds, how many invocations run, and the length that is left. */
interface Pass {
  readonly shader: Shader;
  readonly words: readonly number[];
  readonly invocations: number;
  readonly left: number;
}

/** The shaders of one operation, and what it gives for no numbers at all. */
export class Reducer {
  /** Of the function: "Sum". */
  readonly name: string;
  readonly empty: number | null;
  readonly #shortRows: Shader;
  readonly #rows: Shader;
  readonly #oddRows: Shader;
  readonly #columns: Shader;
  readonly #shortColumns: Shader;
  readonly #oddColumns: Shader;

  constructor(name: string, wgsl: string, empty: number | null) {
    const shader = (source: string, padded: boolean): Shader =>
      new Shader(name.toLowerCase(), [source, treeWgsl, wgsl].join("\n"), ["input", "output", "uniform"], 64, {
        origin: "library",
        padded,
      });
    this.name = name;
    this.empty = empty;
    this.#shortRows = shader(shortRowsWgsl, true);
    this.#rows = shader(rowsWgsl, true);
    this.#oddRows = shader(oddRowsWgsl, false);
    this.#columns = shader(columnsWgsl, true);
    this.#shortColumns = shader(shortColumnsWgsl, true);
    this.#oddColumns = shader(oddColumnsWgsl, false);
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
      for (let rest = length; rest > 1;) {
        const { shader, words, invocations, left } = this.#pass(outer, rest, inner);
        const made = launch(shader, {
          inputs: [current],
          outputs: [[outer * left * inner]],
          uniforms: [Uint32Array.from(words)],
          grid: { invocations },
        });
        if (current !== array) current.release();
        current = at(made, 0);
        rest = left;
      }
    } catch (error) {
      if (current !== array) current.release();
      throw error;
    }
    return current;
  }

  #pass(outer: number, length: number, inner: number): Pass {
    if (inner === 1 && length <= shortRow) {
      return { shader: this.#shortRows, words: [length], invocations: Math.ceil(outer / 4), left: 1 };
    }
    const left = Math.ceil(length / (inner === 1 ? rowChunk : columnChunk));
    const results = outer * left * inner;
    if (inner === 1) {
      const shader = length % 4 === 0 || outer === 1 ? this.#rows : this.#oddRows;
      return { shader, words: [length, left, results], invocations: results, left };
    }
    if (inner % 4 !== 0 && left === 1) {
      return { shader: this.#shortColumns, words: [length, inner], invocations: Math.ceil(results / 4), left };
    }
    if (inner % 4 !== 0) {
      return { shader: this.#oddColumns, words: [length, inner, left, results], invocations: results, left };
    }
    return {
      shader: this.#columns,
      words: [length, inner / 4, left, results / 4],
      invocations: results / 4,
      left,
    };
  }
}

export const summing = /* @__PURE__ */ new Reducer("Sum", sumWgsl, 0);
export const maximizing = /* @__PURE__ */ new Reducer("Max", maxWgsl, null);
export const minimizing = /* @__PURE__ */ new Reducer("Min", minWgsl, null);
