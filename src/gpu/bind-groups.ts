/**
 * Bind groups by what they bind. A loop binds the same buffers again and again, since the pool hands them out in turn;
 * making a bind group costs several times what recording the dispatch does.
 */
import type { Device } from "./device.js";

const most = 16384;

export class BindGroups {
  readonly #device: Device;
  /** By layout and bindings; the oldest stands first, and goes first. */
  readonly #groups = new Map<string, GPUBindGroup>();
  /** Numbers for the keys: a number is never used again, so a group of a destroyed buffer is never found. */
  readonly #numbers = new WeakMap<GPUBuffer | GPUBindGroupLayout, number>();
  #next = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** @param purpose named where WebGPU refuses; null for what it can't refuse */
  get(
    layout: GPUBindGroupLayout,
    bindings: readonly Required<GPUBufferBinding>[],
    purpose: string | null,
  ): GPUBindGroup {
    let key = String(this.#numberOf(layout));
    for (const { buffer, offset, size } of bindings) key += `,${this.#numberOf(buffer)}:${offset}:${size}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const make = (): GPUBindGroup => this.#device.gpuDevice.createBindGroup({ layout, entries });
    const group = purpose === null ? make() : this.#device.recorder.watch(`${purpose} can't be bound`, make);
    this.#groups.set(key, group);
    if (this.#groups.size > most) {
      for (const oldest of this.#groups.keys()) {
        this.#groups.delete(oldest);
        break;
      }
    }
    return group;
  }

  #numberOf(resource: GPUBuffer | GPUBindGroupLayout): number {
    let number = this.#numbers.get(resource);
    if (number === undefined) this.#numbers.set(resource, (number = this.#next++));
    return number;
  }
}
