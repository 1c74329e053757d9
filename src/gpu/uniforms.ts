/**
 * Small blocks of numbers that shaders read: lengths, strides, axes. Equal blocks share one buffer that is written when
 * it is made and never again, so no upload can overtake recorded commands, and a loop that repeats uploads nothing.
 */
import { OutOfMemoryError } from "../base/errors.js";
import type { Bound } from "./bind-groups.js";
import { attempt } from "./error-scopes.js";
import { numberOf } from "./number-of.js";
import type { Pool } from "./pool.js";
import type { Recorder } from "./recorder.js";

const most = 1024;

export class UniformCache {
  readonly #gpuDevice: GPUDevice;
  readonly #recorder: Recorder;
  readonly #pool: Pool;
  /** By content; the one that was used last stands last. */
  readonly #buffers = new Map<string, Bound>();

  constructor(gpuDevice: GPUDevice, recorder: Recorder, pool: Pool) {
    this.#gpuDevice = gpuDevice;
    this.#recorder = recorder;
    this.#pool = pool;
  }

  get(block: ArrayBufferView): Bound {
    const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
    const words = new Uint32Array(Math.max(4, Math.ceil(bytes.length / 16) * 4));
    new Uint8Array(words.buffer).set(bytes);
    const key = words.join();
    const known = this.#buffers.get(key);
    if (known !== undefined) {
      this.#buffers.delete(key);
      this.#buffers.set(key, known);
      return known;
    }
    const bound = this.#make(key, words);
    this.#buffers.set(key, bound);
    return bound;
  }

  #make(key: string, words: Uint32Array<ArrayBuffer>): Bound {
    const gpuDevice = this.#gpuDevice;
    const { byteLength: size } = words;
    const what = `a uniform block of ${size} bytes`;
    const noRoom = (message: string): OutOfMemoryError =>
      new OutOfMemoryError(`no room for ${what}: ${message}`, size, this.#pool.liveBytes);
    if (this.#buffers.size >= most) this.#dropOldest();
    const { made: buffer, check } = this.#pool.withRoom(
      () => attempt(gpuDevice, size, () => filled(gpuDevice, words), noRoom, what),
      noRoom,
    );
    const outcome = check.then((failure) => {
      // What is no buffer must not be found again.
      if (failure !== null) this.#buffers.delete(key);
      return failure;
    });
    this.#recorder.check(outcome);
    return { buffer, number: numberOf(buffer), offset: 0, size };
  }

  /** After a failed batch: one of the buffers may be none, and all are made quickly. */
  forget(): void {
    this.#buffers.clear();
  }

  #dropOldest(): void {
    for (const [key, { buffer }] of this.#buffers) {
      this.#recorder.destroyUntracked(buffer);
      this.#buffers.delete(key);
      return;
    }
  }
}

/** A uniform buffer with these words in it. */
function filled(gpuDevice: GPUDevice, words: Uint32Array<ArrayBuffer>): GPUBuffer {
  const size = words.byteLength;
  const buffer = gpuDevice.createBuffer({ size, usage: 0x40 /* UNIFORM */, mappedAtCreation: true });
  try {
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    return buffer;
  } catch {
    // Deno maps no buffer of a lost device, and may not have told of the loss yet. The queue writes without an error, and who
    // reads learns of the loss.
    const written = gpuDevice.createBuffer({ size, usage: 0x40 | 0x8 /* COPY_DST */ });
    gpuDevice.queue.writeBuffer(written, 0, words);
    return written;
  }
}
