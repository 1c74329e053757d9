/** GPU buffers by size class, kept for reuse up to a cap in bytes; given back to the GPU when it runs out of memory. */
import { at } from "../base/assert.js";
import { OutOfMemoryError, type GpugradError } from "../base/errors.js";
import type { Device } from "./device.js";
import { watched } from "./recorder.js";

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
  readonly usage: GPUBufferUsageFlags;
  /** The batch of commands that last used it; see `Recorder`. */
  lastBatch: number;
  /** Counts up with every buffer that is made, and stands for it in the keys of bind groups. */
  readonly number: number;
  /** Why it holds nothing: the GPU had no room for it, and said so some time after it was made. */
  failure: GpugradError | null;
  /**
   * A large buffer, of which the GPU has not said yet that there is room. What uses it is
   * submitted alone, so that its failure takes nothing else along.
   */
  doubtful: boolean;
  /** Whether it is known to be a buffer of this device; a small one is taken for one. */
  confirmed: boolean;
  /** A small buffer of a batch that failed: it may be none, and is not used again once it is given back. */
  distrusted: boolean;
}

/** From this size on a new buffer is doubtful at first. */
const large = 2 ** 22;

export class Pool {
  liveBytes = 0;
  pooledBytes = 0;
  peakBytes = 0;
  allocatedBytes = 0;
  readonly #device: Device;
  #cap: number;
  /** Bytes that the GPU is known not to have, since it refused the buffer that would have made so many. */
  #tooMany = Infinity;
  /** Released buffers by usage and size; the class that was given one last stands last. */
  readonly #free = new Map<number, PooledBuffer[]>();
  #lastGiven = 0;

  constructor(device: Device, cap: number) {
    this.#device = device;
    this.#cap = cap;
  }

  /** The most bytes to keep; what is over is given back now. */
  setCap(bytes: number): void {
    this.#cap = bytes;
    this.#trim(bytes);
  }

  /**
   * A buffer of at least `bytes`, holding anything.
   *
   * @throws OutOfMemoryError, naming `purpose`, where there is no room for it even when nothing is kept for reuse. Most
   * implementations tell of that later: the buffer's `failure` is set then, and what is kept for reuse is given back.
   */
  take(bytes: number, usage: GPUBufferUsageFlags, purpose: string): PooledBuffer {
    const { limits } = this.#device;
    const size = Math.min(sizeClass(bytes), Math.floor(limits.maxBufferSize / 16) * 16);
    const kept = this.#free.get(keyOf(usage, size))?.pop();
    if (kept !== undefined) {
      this.pooledBytes -= kept.bytes;
      this.liveBytes += kept.bytes;
      return kept;
    }
    const room = this.#tooMany - 1 - this.liveBytes - size;
    if (this.pooledBytes > room) this.#trim(Math.max(0, room));
    const made = this.#make(size, usage, purpose);
    this.allocatedBytes += size;
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes + this.pooledBytes);
    return made;
  }

  #make(size: number, usage: GPUBufferUsageFlags, purpose: string): PooledBuffer {
    const { gpuDevice, recorder } = this.#device;
    const live = this.liveBytes;
    const total = live + this.pooledBytes + size;
    const noRoom = (message: string): GpugradError =>
      new OutOfMemoryError(
        `${purpose}: no room for a buffer of ${size} bytes, while ${live} bytes are in use: ${message}`,
        size,
        live,
      );
    const create = (): GPUBuffer => gpuDevice.createBuffer({ size, usage, label: purpose });
    const { made: buffer, check } = this.withRoom(() => recorder.attempt(size, create, noRoom, purpose), noRoom);
    const pooled: PooledBuffer = {
      buffer,
      bytes: size,
      usage,
      lastBatch: -1,
      number: this.#device.bindGroups.numberOf(buffer),
      failure: null,
      doubtful: size >= large,
      confirmed: size < watched,
      distrusted: false,
    };
    const known = check.then((failure) => {
      pooled.doubtful = false;
      pooled.confirmed = failure === null;
      pooled.failure = failure;
      if (failure !== null) this.#refused(pooled, total);
      // What fails is the work that uses this buffer, and no other.
      return null;
    });
    recorder.check(known);
    return pooled;
  }

  /** What `make` gives. Where that throws, it tries once more when nothing is kept for reuse. */
  withRoom<T>(make: () => T, noRoom: (message: string) => GpugradError): T {
    try {
      return make();
    } catch {
      this.#trim(0);
    }
    try {
      return make();
    } catch (error) {
      throw this.#device.lost ?? noRoom(String(error));
    }
  }

  /** The GPU had no room: the buffer is none, and what is kept for reuse may be what is in the way. */
  #refused(pooled: PooledBuffer, total: number): void {
    this.#tooMany = Math.min(this.#tooMany, total);
    this.#remove(pooled);
    this.#trim(0);
  }

  /** Takes a buffer out of what is kept for reuse. False where it wasn't among it. */
  #remove(pooled: PooledBuffer): boolean {
    const list = this.#free.get(keyOf(pooled.usage, pooled.bytes));
    const index = list?.indexOf(pooled) ?? -1;
    if (index < 0) return false;
    list?.splice(index, 1);
    this.pooledBytes -= pooled.bytes;
    return true;
  }

  /** Sees that a buffer that may be none is not used again. Only for small ones: of others it is known. */
  distrust(pooled: PooledBuffer): void {
    if (pooled.bytes >= watched || pooled.distrusted) return;
    pooled.distrusted = true;
    if (this.#remove(pooled)) this.#destroy(pooled);
  }

  #destroy(pooled: PooledBuffer): void {
    // Destroying a buffer that an unsubmitted command uses would make the whole submit invalid.
    this.#device.recorder.flushIfUsing(pooled);
    pooled.buffer.destroy();
  }

  /** Takes a buffer back. Commands that are recorded already may still use it. */
  give(pooled: PooledBuffer): void {
    this.liveBytes -= pooled.bytes;
    if (pooled.failure !== null) return;
    if (pooled.distrusted) {
      this.#destroy(pooled);
      return;
    }
    this.pooledBytes += pooled.bytes;
    const key = keyOf(pooled.usage, pooled.bytes);
    const list = this.#free.get(key) ?? [];
    insert(list, pooled);
    if (key !== this.#lastGiven) {
      this.#free.delete(key);
      this.#free.set(key, list);
      this.#lastGiven = key;
    }
    if (this.pooledBytes > this.#cap) this.#trim(this.#cap);
  }

  #forget(key: number): void {
    this.#free.delete(key);
    this.#lastGiven = 0;
  }

  /** Destroys released buffers, those of the longest unused classes first, until at most `bytes` are kept. */
  #trim(bytes: number): void {
    for (const [key, list] of this.#free) {
      while (this.pooledBytes > bytes) {
        const pooled = list.shift();
        if (pooled === undefined) break;
        this.pooledBytes -= pooled.bytes;
        this.#destroy(pooled);
      }
      if (list.length === 0) this.#forget(key);
      if (this.pooledBytes <= bytes) return;
    }
  }
}

/**
 * Keeps the list in falling order, so that `pop` gives the oldest buffer. A loop that takes and gives the same sizes then
 * gets the same buffers in the same places every time, in whatever order it gave them back, and finds its bind groups.
 */
function insert(list: PooledBuffer[], pooled: PooledBuffer): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(list, middle).number > pooled.number) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, pooled);
}

/** One number for both: no size has more than 43 bits, no usage more than 10. */
function keyOf(usage: GPUBufferUsageFlags, bytes: number): number {
  return usage * 2 ** 43 + bytes;
}
