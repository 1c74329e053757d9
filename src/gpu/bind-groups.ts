/**
 * Bind groups by what they bind. A loop binds the same buffers again and again, since the pool hands them out in turn;
 * making a bind group costs several times what recording the dispatch does.
 */
import type { Device } from "./device.js";

/** When so many are known, all are forgotten: a loop that binds more than that would find none of them in time. */
const most = 16384;

/** Bind groups by a path of numbers: the layout's, then each binding's offset, size and buffer. */
type Tree = Map<number, Tree | GPUBindGroup>;

/** A part of a buffer, and the number that stands for the buffer in keys. */
export interface Bound extends Required<GPUBufferBinding> {
  readonly number: number;
}

/** The layout of group 0, and its number. */
export interface GroupLayout {
  readonly layout: GPUBindGroupLayout;
  readonly number: number;
}

export class BindGroups {
  readonly #device: Device;
  readonly #tree: Tree = new Map();
  #known = 0;
  /** A number is never used again, so a group of a destroyed buffer is never found. */
  readonly #numbers = new WeakMap<GPUBuffer | GPUBindGroupLayout, number>();
  #next = 0;

  constructor(device: Device) {
    this.#device = device;
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
    const { gpuDevice, recorder } = this.#device;
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const make = (): GPUBindGroup => gpuDevice.createBindGroup({ layout, entries });
    return purpose === null ? make() : recorder.watch(`${purpose} can't be bound`, make);
  }

  /** Counts up with every resource that it is asked for; the same resource has the same number again. */
  numberOf(resource: GPUBuffer | GPUBindGroupLayout): number {
    let number = this.#numbers.get(resource);
    if (number === undefined) this.#numbers.set(resource, (number = this.#next++));
    return number;
  }
}

function branch(tree: Tree, key: number): Tree {
  let found = tree.get(key) as Tree | undefined;
  if (found === undefined) tree.set(key, (found = new Map()));
  return found;
}
