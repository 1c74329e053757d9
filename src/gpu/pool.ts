/** GPU buffers by size class, kept for reuse up to a cap in bytes. */
import type { Device } from "./device.js";

/**
 * The size of the buffer that holds `bytes`: a multiple of 16, so that the last vec4 needs no tail code, and one of
 * four classes per power of two, so that at most a quarter is wasted.
 */
export function sizeClass(bytes: number): number {
  const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(padded)) - 2));
  return Math.ceil(padded / step) * step;
}

/** A buffer with what the recorder must know of it. */
export interface PooledBuffer {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** The batch of commands that last used it; see `Recorder`. */
  lastBatch: number;
}

export class Pool {
  liveBytes = 0;
  pooledBytes = 0;
  peakBytes = 0;
  allocatedBytes = 0;
  readonly #device: Device;
  #cap: number;
  /** Released buffers by usage and size; a class that was touched last stands last. */
  readonly #free = new Map<string, PooledBuffer[]>();

  constructor(device: Device, cap: number) {
    this.#device = device;
    this.#cap = cap;
  }

  /** The most bytes to keep; what is over is given back now. */
  setCap(bytes: number): void {
    this.#cap = bytes;
    this.#trim(bytes);
  }

  /** A buffer of at least `bytes`, holding anything. `purpose` is named where there is no room for it. */
  take(bytes: number, usage: GPUBufferUsageFlags, purpose: string): PooledBuffer {
    const { limits } = this.#device;
    const size = Math.min(sizeClass(bytes), Math.floor(limits.maxBufferSize / 16) * 16);
    const kept = this.#free.get(keyOf(usage, size))?.pop();
    if (kept !== undefined) {
      this.pooledBytes -= kept.bytes;
      this.liveBytes += kept.bytes;
      return kept;
    }
    const buffer = this.#device.recorder.watch(`${purpose}: no room for a buffer of ${size} bytes`, () =>
      this.#device.gpuDevice.createBuffer({ size, usage, label: purpose }),
    );
    this.allocatedBytes += size;
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes + this.pooledBytes);
    return { buffer, bytes: size, lastBatch: -1 };
  }

  /** Takes a buffer back. Commands that are recorded already may still use it. */
  give(pooled: PooledBuffer): void {
    this.liveBytes -= pooled.bytes;
    this.pooledBytes += pooled.bytes;
    const key = keyOf(pooled.buffer.usage, pooled.bytes);
    const list = this.#free.get(key) ?? [];
    list.push(pooled);
    this.#free.delete(key);
    this.#free.set(key, list);
    if (this.pooledBytes > this.#cap) this.#trim(this.#cap);
  }

  /** Destroys released buffers, those of the longest unused classes first, until at most `bytes` are kept. */
  #trim(bytes: number): void {
    for (const [key, list] of this.#free) {
      while (this.pooledBytes > bytes) {
        const pooled = list.shift();
        if (pooled === undefined) break;
        // Destroying a buffer that an unsubmitted command uses would make the whole submit invalid.
        this.#device.recorder.flushIfUsing(pooled);
        this.pooledBytes -= pooled.bytes;
        pooled.buffer.destroy();
      }
      if (list.length === 0) this.#free.delete(key);
      if (this.pooledBytes <= bytes) return;
    }
  }
}

function keyOf(usage: GPUBufferUsageFlags, bytes: number): string {
  return `${usage}:${bytes}`;
}
