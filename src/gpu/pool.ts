/** GPU buffers by size class, kept for reuse up to a cap in bytes; given back to the GPU when it runs out of memory. */
import { at } from "../base/assert.js";
import { OutOfMemoryError, type GpugradError } from "../base/errors.js";
import { TrackedBuffer } from "./buffer.js";
import { attempt, checkedBytes } from "./error-scopes.js";
import type { Loss } from "./loss.js";
import type { Recorder } from "./recorder.js";

/**
 * The size of the buffer that holds `bytes`: a multiple of 16, so that the last vec4 needs no tail code, and one of
 * four classes per power of two, so that at most a quarter is wasted.
 */
function sizeClass(bytes: number): number {
  const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(padded)) - 2));
  return Math.ceil(padded / step) * step;
}

/** What the pool works with. */
interface Surroundings {
  readonly gpuDevice: GPUDevice;
  readonly recorder: Recorder;
  readonly loss: Loss;
  readonly maxBufferSize: number;
}

/** Of released buffers that encoders of the application's use; beyond that, later encoders use them, too. */
const mostWaitingBytes = 2 ** 26;

/** What every buffer of an array can be used for. */
const usualUsage = 0x80 /* STORAGE */ | 0x4 /* COPY_SRC */ | 0x8; /* COPY_DST */

export class Pool {
  liveBytes = 0;
  pooledBytes = 0;
  /** Of released buffers that encoders of the application's use, which may not have run. */
  waitingBytes = 0;
  peakBytes = 0;
  allocatedBytes = 0;
  readonly #gpu: Surroundings;
  /** What an application wants the buffers of arrays for, besides. */
  extraUsage: GPUBufferUsageFlags = 0;
  #cap: number;
  /** Bytes that the GPU is known not to have, since it refused the buffer that would have made so many. */
  #tooMany = Infinity;
  /** Released buffers by usage and size; the class that was given one last stands last. */
  readonly #free = new Map<number, TrackedBuffer[]>();
  /** Those that wait for encoders of the application's. */
  readonly #waiting = new Map<number, TrackedBuffer[]>();
  #lastGiven = 0;

  constructor(gpu: Surroundings, cap: number) {
    this.#gpu = gpu;
    this.#cap = cap;
  }

  get arrayUsage(): GPUBufferUsageFlags {
    return usualUsage | this.extraUsage;
  }

  /** The most bytes of released buffers that are kept. */
  get cap(): number {
    return this.#cap;
  }

  /** What is over is given back now. */
  setCap(bytes: number): void {
    this.#cap = bytes;
    this.#trim(bytes);
  }

  /**
   * A buffer of at least `bytes`, holding anything.
   *
   * @throws OutOfMemoryError, naming `purpose`, where there is no room for it even when nothing is kept for reuse. Most
   * implementations tell of that later: the buffer is "refused" then, and what is kept for reuse is given back.
   */
  take(bytes: number, usage: GPUBufferUsageFlags, purpose: string): TrackedBuffer {
    const size = Math.min(sizeClass(bytes), Math.floor(this.#gpu.maxBufferSize / 16) * 16);
    const kept = this.#free.get(keyOf(usage, size))?.pop();
    if (kept !== undefined) {
      this.pooledBytes -= kept.bytes;
      this.liveBytes += kept.bytes;
      return kept;
    }
    const waiting = this.#takeWaiting(keyOf(usage, size));
    if (waiting !== null) return waiting;
    const room = this.#tooMany - 1 - this.liveBytes - this.waitingBytes - size;
    if (this.pooledBytes > room) this.#trim(Math.max(0, room));
    const made = this.#make(size, usage, purpose);
    this.allocatedBytes += size;
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes + this.pooledBytes + this.waitingBytes);
    return made;
  }

  #make(size: number, usage: GPUBufferUsageFlags, purpose: string): TrackedBuffer {
    const { gpuDevice, recorder } = this.#gpu;
    const live = this.liveBytes;
    const total = live + this.pooledBytes + this.waitingBytes + size;
    const noRoom = (message: string): GpugradError =>
      new OutOfMemoryError(
        `${purpose}: no room for a buffer of ${size} bytes, while ${live} bytes are in use: ${message}`,
        size,
        live,
      );
    const create = (): GPUBuffer => gpuDevice.createBuffer({ size, usage, label: purpose });
    const { made, check } = this.withRoom(() => attempt(gpuDevice, size, create, noRoom, purpose), noRoom);
    if (size < checkedBytes) return new TrackedBuffer(made, "assumed");
    const buffer = new TrackedBuffer(made, "pending");
    const known = check.then((failure) => {
      if (failure === null) buffer.state = "made";
      else {
        buffer.refuse(failure);
        this.#refused(buffer, total);
      }
      // What fails is the work that uses this buffer, and no other.
      return null;
    });
    recorder.check(known);
    return buffer;
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
      throw this.#gpu.loss.error ?? noRoom(String(error));
    }
  }

  /** The GPU had no room: the buffer is none, and what is kept for reuse may be what is in the way. */
  #refused(buffer: TrackedBuffer, total: number): void {
    this.#tooMany = Math.min(this.#tooMany, total);
    this.#remove(buffer);
    this.#trim(0);
  }

  /** Takes a buffer out of what is kept for reuse. False where it wasn't among it. */
  #remove(buffer: TrackedBuffer): boolean {
    const list = this.#free.get(keyOf(buffer.usage, buffer.bytes));
    const index = list?.indexOf(buffer) ?? -1;
    if (index < 0) return false;
    list?.splice(index, 1);
    this.pooledBytes -= buffer.bytes;
    return true;
  }

  /** A batch with this small buffer has failed. Nobody checked whether it was made, so it must not be used again. */
  suspect(buffer: TrackedBuffer): void {
    if (buffer.state !== "assumed") return;
    buffer.state = "suspect";
    if (this.#remove(buffer)) this.#gpu.recorder.destroy(buffer);
  }

  /** Takes a buffer back. Commands that are recorded already may still use it. */
  give(buffer: TrackedBuffer): void {
    this.liveBytes -= buffer.bytes;
    if (buffer.state === "refused") return;
    if (this.#gpu.recorder.isReserved(buffer)) this.#keepLater(buffer);
    else this.#keep(buffer);
  }

  /** The application's encoder uses them: those that are given back are handed out when it has run. */
  reserve(buffers: ReadonlySet<TrackedBuffer>): void {
    for (const buffer of buffers) if (this.#remove(buffer)) this.#keepLater(buffer);
  }

  #keepLater(buffer: TrackedBuffer): void {
    this.waitingBytes += buffer.bytes;
    const key = keyOf(buffer.usage, buffer.bytes);
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), buffer]);
    buffer.whenUnused = () => {
      this.#endWait(buffer, key);
      this.#keep(buffer);
    };
  }

  #endWait(buffer: TrackedBuffer, key: number): void {
    this.waitingBytes -= buffer.bytes;
    const left = this.#waiting.get(key)?.filter((other) => other !== buffer) ?? [];
    if (left.length > 0) this.#waiting.set(key, left);
    else this.#waiting.delete(key);
  }

  /** For an encoder of the application's, where much waits: what others use that it comes behind. */
  #takeWaiting(key: number): TrackedBuffer | null {
    if (this.waitingBytes < mostWaitingBytes) return null;
    const buffer = this.#waiting.get(key)?.find((each) => each.state !== "suspect" && this.#gpu.recorder.follow(each));
    if (buffer === undefined) return null;
    buffer.whenUnused = null;
    this.#endWait(buffer, key);
    this.liveBytes += buffer.bytes;
    return buffer;
  }

  #keep(buffer: TrackedBuffer): void {
    if (buffer.state === "suspect") {
      this.#gpu.recorder.destroy(buffer);
      return;
    }
    this.pooledBytes += buffer.bytes;
    const key = keyOf(buffer.usage, buffer.bytes);
    const list = this.#free.get(key) ?? [];
    insert(list, buffer);
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
        const buffer = list.shift();
        if (buffer === undefined) break;
        this.pooledBytes -= buffer.bytes;
        this.#gpu.recorder.destroy(buffer);
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
function insert(list: TrackedBuffer[], buffer: TrackedBuffer): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(list, middle).number > buffer.number) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, buffer);
}

/** One number for both: no size has more than 43 bits, no usage more than 10. */
function keyOf(usage: GPUBufferUsageFlags, bytes: number): number {
  return usage * 2 ** 43 + bytes;
}
