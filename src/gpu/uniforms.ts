/**
 * Small blocks of numbers that shaders read: lengths, strides, axes. Equal blocks share one buffer that is written when
 * it is made and never again, so no upload can overtake recorded commands, and a loop that repeats uploads nothing.
 */
import type { Device } from "./device.js";

const most = 1024;

export class UniformCache {
  readonly #device: Device;
  /** By content; the one that was used last stands last. */
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(device: Device) {
    this.#device = device;
  }

  get(block: ArrayBufferView): GPUBuffer {
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
    const { gpuDevice, recorder } = this.#device;
    const buffer = recorder.watch(`no room for a uniform block of ${words.byteLength} bytes`, () =>
      gpuDevice.createBuffer({ size: words.byteLength, usage: 0x40 /* UNIFORM */, mappedAtCreation: true }),
    );
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    this.#buffers.set(key, buffer);
    if (this.#buffers.size > most) this.#dropOldest();
    return buffer;
  }

  #dropOldest(): void {
    for (const [key, buffer] of this.#buffers) {
      // An unsubmitted command may use it, and must not find it destroyed.
      this.#device.recorder.flush();
      buffer.destroy();
      this.#buffers.delete(key);
      return;
    }
  }
}
