/** The memory behind arrays: one GPU buffer, shared by all arrays that look at it, given back when none is left. */
import type { GpugradError } from "../base/errors.js";
import type { Device } from "./device.js";
import type { PooledBuffer } from "./pool.js";

/** What every buffer of an array can be used for; an application may draw from it or copy it. */
const arrayUsage = 0x80 /* STORAGE */ | 0x4 /* COPY_SRC */ | 0x8; /* COPY_DST */

export class Storage {
  readonly device: Device;
  readonly pooled: PooledBuffer;
  /** The application's own buffer: used, never reused or destroyed. */
  readonly foreign: boolean;
  /** Counts up with every change in place. */
  version = 0;
  #failure: GpugradError | null = null;
  #references = 1;

  private constructor(device: Device, pooled: PooledBuffer, foreign: boolean) {
    this.device = device;
    this.pooled = pooled;
    this.foreign = foreign;
  }

  static allocate(device: Device, bytes: number, purpose: string): Storage {
    return new Storage(device, device.pool.take(bytes, arrayUsage, purpose), false);
  }

  static wrap(device: Device, buffer: GPUBuffer): Storage {
    const { size: bytes, usage } = buffer;
    const number = device.bindGroups.numberOf(buffer);
    const pooled = {
      buffer,
      bytes,
      usage,
      lastBatch: -1,
      number,
      failure: null,
      doubtful: false,
      confirmed: false,
      distrusted: false,
    };
    return new Storage(device, pooled, true);
  }

  get buffer(): GPUBuffer {
    return this.pooled.buffer;
  }

  /** Why what is in here can't be trusted, once the GPU has reported it. */
  get failure(): GpugradError | null {
    return this.pooled.failure ?? this.#failure;
  }

  set failure(failure: GpugradError | null) {
    this.#failure = failure;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    this.#references--;
    if (this.#references === 0 && !this.foreign) this.device.pool.give(this.pooled);
  }
}
