/** The memory behind arrays: one GPU buffer, shared by all arrays that look at it, given back when none is left. */
import type { GpugradError } from "../base/errors.js";
import { WeakList } from "../base/weak-list.js";
import { TrackedBuffer } from "./buffer.js";
import type { Write } from "./order.js";

/** Gives buffers, and takes back those that nobody looks at any more. */
export interface BufferOwner {
  /** What the buffers of arrays can be used for. */
  readonly arrayUsage: GPUBufferUsageFlags;
  take(bytes: number, usage: GPUBufferUsageFlags, purpose: string): TrackedBuffer;
  give(buffer: TrackedBuffer): void;
}

/** An array that has this memory for as long as nobody changes what is in it. */
interface Sharer {
  /** Whether it still is such a one, here. */
  isCopyOnWriteOf(storage: Storage): boolean;
  /** Takes its numbers elsewhere. */
  separate(): void;
}

/** Of the application's own buffers: all arrays over one of them share its version, and what is known of it. */
const foreign = new WeakMap<GPUBuffer, Storage>();

export class Storage {
  readonly buffer: TrackedBuffer;
  /** Counts up with every change in place. */
  version = 0;
  recordedWrite: Write | null = null;
  lastWrite: Write | null = null;
  /** Called before the next change in place: for who wants the numbers as they are. */
  onChange: (() => void) | null = null;
  /** Known weakly, since what is forgotten needs no numbers. */
  #sharers: WeakList<Sharer> | null = null;
  #isExposed: boolean;
  readonly #owner: BufferOwner | null;
  #failure: GpugradError | null = null;
  #references = 1;

  /** @param owner null for the application's own buffer, which is used, and never reused or destroyed */
  constructor(buffer: TrackedBuffer, owner: BufferOwner | null) {
    this.buffer = buffer;
    this.#owner = owner;
    this.#isExposed = owner === null;
  }

  /** Memory of gpugrad's own, holding anything. @throws OutOfMemoryError */
  static allocate(owner: BufferOwner, bytes: number, purpose: string): Storage {
    return new Storage(owner.take(bytes, owner.arrayUsage, purpose), owner);
  }

  /** That of the application's own buffer: the same one for all arrays over it. */
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

  /** To be called before each change in place of what is in here. */
  beforeChange(): void {
    this.beforeLoss();
    for (const sharer of this.#sharers?.all() ?? []) if (sharer.isCopyOnWriteOf(this)) sharer.separate();
    this.#sharers = null;
  }

  /** To be called where this is given up: those that share it keep it. */
  beforeLoss(): void {
    this.onChange?.();
    this.onChange = null;
  }

  /** One more that has what is in here copy-on-write. */
  addSharer(sharer: WeakRef<Sharer>): void {
    this.#sharers ??= new WeakList();
    this.#sharers.add(sharer);
  }

  /** Whether more than one array has it. */
  get isShared(): boolean {
    return this.#owner === null || this.#references > 1;
  }

  /** Whether the application can change what is in here, of which nobody hears before. */
  get isExposed(): boolean {
    return this.#isExposed;
  }

  /** The application gets to see the buffer. */
  expose(): void {
    if (this.#isExposed) return;
    this.beforeChange();
    this.#isExposed = true;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    this.#references--;
    if (this.#references === 0) this.#owner?.give(this.buffer);
  }
}
