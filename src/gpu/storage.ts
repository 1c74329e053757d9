/** The memory behind arrays: one GPU buffer, shared by all arrays that look at it, given back when none is left. */
import type { GpugradError } from "../base/errors.js";
import { TrackedBuffer } from "./buffer.js";

/** Takes a buffer back that nobody looks at any more. */
export interface BufferOwner {
  give(buffer: TrackedBuffer): void;
}

/** Of the application's own buffers: all arrays over one of them share its version, and what is known of it. */
const foreign = new WeakMap<GPUBuffer, Storage>();

export class Storage {
  readonly buffer: TrackedBuffer;
  /** Counts up with every change in place. */
  version = 0;
  readonly #owner: BufferOwner | null;
  #failure: GpugradError | null = null;
  #references = 1;

  /** @param owner null for the application's own buffer, which is used, and never reused or destroyed */
  constructor(buffer: TrackedBuffer, owner: BufferOwner | null) {
    this.buffer = buffer;
    this.#owner = owner;
  }

  static foreign(gpuBuffer: GPUBuffer): Storage {
    let storage = foreign.get(gpuBuffer);
    if (storage === undefined)
      foreign.set(gpuBuffer, (storage = new Storage(new TrackedBuffer(gpuBuffer, "foreign"), null)));
    return storage;
  }

  /** Why what is in here can't be trusted, once the GPU has reported it. */
  get failure(): GpugradError | null {
    return this.buffer.refusal ?? this.#failure;
  }

  set failure(failure: GpugradError | null) {
    this.#failure = failure;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    this.#references--;
    if (this.#references === 0) this.#owner?.give(this.buffer);
  }
}
