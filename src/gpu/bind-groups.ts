/**
 * Bind groups by what they bind. A loop binds the same buffers again and again, since the pool hands them out in turn;
 * making a bind group costs several times what recording the dispatch does.
 */
import { OutOfMemoryError, type GpugradError } from "../base/errors.js";
import type { Binding } from "../wgsl/binding.js";
import { attempt } from "./error-scopes.js";
import { numberOf } from "./number-of.js";
import type { Recorder } from "./recorder.js";

/** When so many are known, all are forgotten: a loop that binds more than that would find none of them in time. */
const most = 16384;

/** Bind groups by a path of numbers: the layout's, then each binding's offset, size and buffer. */
type Tree = Map<number, Tree | GPUBindGroup>;

/** A part of a buffer, and the number that stands for the buffer in keys: never used again, so that no group of a
 * destroyed buffer is found. */
export interface Bound extends Required<GPUBufferBinding> {
  readonly number: number;
}

/** The layout of group 0, and its number. */
export interface GroupLayout {
  readonly layout: GPUBindGroupLayout;
  readonly number: number;
}

const types = { input: "read-only-storage", output: "storage", uniform: "uniform" } as const;

export class BindGroups {
  readonly #gpuDevice: GPUDevice;
  readonly #recorder: Recorder;
  readonly #layouts = new Map<string, GroupLayout>();
  readonly #tree: Tree = new Map();
  #known = 0;

  constructor(gpuDevice: GPUDevice, recorder: Recorder) {
    this.#gpuDevice = gpuDevice;
    this.#recorder = recorder;
  }

  /** The layout of group 0 for these bindings, shared by all kernels that have the same ones. */
  layoutOf(bindings: readonly Binding[]): GroupLayout {
    const key = bindings.join();
    let known = this.#layouts.get(key);
    if (known === undefined) {
      const layout = this.#gpuDevice.createBindGroupLayout({
        entries: bindings.map((kind, binding) => ({
          binding,
          visibility: 0x4 /* COMPUTE */,
          buffer: { type: types[kind] },
        })),
      });
      known = { layout, number: numberOf(layout) };
      this.#layouts.set(key, known);
    }
    return known;
  }

  /** @param purpose named where WebGPU refuses; null for what it can't refuse */
  get(layout: GroupLayout, bindings: readonly Bound[], purpose: string | null): GPUBindGroup {
    let tree = this.#tree;
    let key = layout.number;
    for (const { number, offset, size } of bindings) {
      tree = branch(tree, key);
      // Below 0, so that it can't be taken for a size.
      if (offset > 0) tree = branch(tree, -offset);
      tree = branch(tree, size);
      key = number;
    }
    const known = tree.get(key) as GPUBindGroup | undefined;
    if (known !== undefined) return known;
    const group = this.#make(layout.layout, bindings, purpose);
    tree.set(key, group);
    if (++this.#known > most) {
      this.#tree.clear();
      this.#known = 0;
    }
    return group;
  }

  #make(layout: GPUBindGroupLayout, bindings: readonly Bound[], purpose: string | null): GPUBindGroup {
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const make = (): GPUBindGroup => this.#gpuDevice.createBindGroup({ layout, entries });
    if (purpose === null) return make();
    const what = `${purpose} can't be bound`;
    const noRoom = (message: string): GpugradError => new OutOfMemoryError(`${what}: ${message}`);
    const { made, check } = attempt(this.#gpuDevice, Infinity, make, noRoom, what);
    this.#recorder.check(check);
    return made;
  }
}

function branch(tree: Tree, key: number): Tree {
  let found = tree.get(key) as Tree | undefined;
  if (found === undefined) tree.set(key, (found = new Map()));
  return found;
}
