/** An array of float32 numbers on the GPU: a shape over a piece of GPU memory. What NumPy's arrays are to DeZero. */
import { ArgumentError, LimitError, OtherDeviceError, ReleasedError, ShapeError } from "../base/errors.js";
import { describe, madeBy, maker, type Maker } from "../base/describe.js";
import { checkShape, showShape, sizeOf, type Shape } from "../base/shape.js";
import { currentDevice, type Device } from "./device.js";
import type { Label, Share } from "./holdings.js";
import { descend, fill, repeat } from "./in-place.js";
import { read } from "./reader.js";
import { Storage } from "./storage.js";

const oneElement: Shape = Object.freeze([1]);

export class GpuArray {
  readonly device: Device;
  readonly #shape: Shape;
  readonly #size: number;
  #constant: number | null;
  /** The array of one element that this one repeats. */
  #element: GpuArray | null = null;
  #share: Share | null = null;
  #released = false;

  protected constructor(device: Device, shape: Shape, storage: Storage | null, constant: number | null) {
    this.device = device;
    this.#shape = shape;
    this.#size = sizeOf(shape);
    this.#constant = constant;
    if (storage !== null) this.#hold(storage);
  }

  /** @internal */
  get [madeBy](): Maker {
    return maker("GpuArray");
  }

  /** What has only the prototype, or is a Proxy of an array, can't be used as one: it lacks what is private. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== GpuArray) return Object.prototype.isPrototypeOf.call(this.prototype, value as object);
    return typeof value === "object" && value !== null && #shape in value;
  }

  /** An array whose elements are all the same number, without memory of its own. */
  static constant(value: number, shape: Shape, device = currentDevice()): GpuArray {
    if (typeof value !== "number") throw new ArgumentError(`a constant must be a number, not ${describe(value)}`);
    return new GpuArray(device, checkShape(shape), null, value);
  }

  /**
   * An array whose elements all are the only one of `element`: no more memory than that, until somebody needs it whole.
   * It looks at the same memory.
   *
   * @internal
   */
  static repeat(element: GpuArray, shape: Shape): GpuArray {
    if (element.constant !== null) return GpuArray.constant(element.constant, shape, element.device);
    if (sizeOf(shape) === 1) return element.reshape(shape);
    const array = new GpuArray(element.device, shape, null, null);
    array.#element = (element.#element ?? element).reshape(oneElement);
    return array;
  }

  /**
   * An array that holds anything, to be written by a kernel.
   *
   * @throws LimitError, before anything is allocated, where the device doesn't allow that many bytes.
   */
  static allocate(device: Device, shape: Shape, purpose: string): GpuArray {
    checkBytes(device, shape, purpose);
    return new GpuArray(device, shape, Storage.allocate(device, sizeOf(shape) * 4, purpose), null);
  }

  /** A copy of `values` on the GPU. @throws ShapeError where the shape has another size; LimitError. */
  static from(values: Float32Array, shape?: Shape, device = currentDevice()): GpuArray {
    const given: unknown = values;
    if (!(given instanceof Float32Array)) {
      throw new ArgumentError(`GpuArray.from takes a Float32Array, not ${describe(given)}`);
    }
    const checked = checkShape(shape ?? [values.length]);
    if (sizeOf(checked) !== values.length) {
      throw new ShapeError(
        `${values.length} numbers don't fill shape ${showShape(checked)}, which has ${sizeOf(checked)}`,
      );
    }
    const array = GpuArray.allocate(device, checked, "upload");
    if (values.length > 0) device.recorder.upload(array.storage, values);
    return array;
  }

  /**
   * An array over the application's own buffer, without a copy. The buffer stays the application's: it is never
   * destroyed or reused. It must have been made by the current device with usage STORAGE (and COPY_SRC to read it), and
   * have at least as many bytes as the array, rounded up to a multiple of 16.
   *
   * @throws ArgumentError, ShapeError, LimitError.
   * @example
   * const buffer = device.gpuDevice.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
   * const x = new Variable(GpuArray.fromBuffer(buffer, [3]));
   */
  static fromBuffer(buffer: GPUBuffer, shape: Shape): GpuArray {
    const device = currentDevice();
    const checked = checkShape(shape);
    const given: unknown = buffer;
    if (Object.prototype.toString.call(given) !== "[object GPUBuffer]") {
      throw new ArgumentError(`fromBuffer takes a GPUBuffer, not ${describe(given)}`);
    }
    const bytes = Math.max(16, Math.ceil(sizeOf(checked) / 4) * 16);
    if (buffer.size < bytes) {
      throw new LimitError(
        `fromBuffer: shape ${showShape(checked)} needs a buffer of ${bytes} bytes (a multiple of 16), this one has ${buffer.size}`,
        bytes,
        buffer.size,
      );
    }
    if ((buffer.usage & 0x80) === 0) throw new ArgumentError("fromBuffer: the buffer's usage must include STORAGE");
    return new GpuArray(device, checked, Storage.wrap(device, buffer), null);
  }

  get shape(): Shape {
    return this.#shape;
  }

  /** The number of elements. */
  get size(): number {
    return this.#size;
  }

  /** The memory. For the GPU layer; an application takes `buffer`. */
  get storage(): Storage {
    this.check();
    if (this.#share !== null) return this.#share.storage;
    const filled = GpuArray.allocate(this.device, this.shape, "fill");
    const element = this.#element;
    try {
      if (element === null) fill(filled, this.#constant ?? 0);
      else repeat(element, filled);
    } catch (error) {
      filled.release();
      throw error;
    }
    const { storage } = filled;
    storage.version = this.version;
    this.#element = null;
    element?.release();
    storage.retain();
    filled.release();
    return this.#hold(storage);
  }

  #hold(storage: Storage): Storage {
    this.#share = { storage, shape: this.#shape, label: null, watched: false };
    this.device.holdings.add(this);
    return storage;
  }

  /** This array's part in its memory; null for a constant and once it is released. @internal */
  get share(): Share | null {
    return this.#share;
  }

  /** The number that every element is, where the array is such a one: it takes no memory until somebody needs it. */
  get constant(): number | null {
    return this.#constant;
  }

  /** The array of one element that this one repeats, where it is such a one. @internal */
  get element(): GpuArray | null {
    return this.#element;
  }

  /** The memory that its numbers come from, if there is any already. @internal */
  get memory(): Storage | null {
    return (this.#element ?? this).#share?.storage ?? null;
  }

  /** Takes its numbers to memory of its own, so that no change in place of another array is one of this. @internal */
  separate(): void {
    const { memory } = this;
    if (memory === null) return;
    const source = this.#element ?? this;
    const copy = GpuArray.allocate(this.device, source.shape, "copy");
    copy.copyFrom(source);
    copy.storage.version = memory.version;
    if (source !== this) {
      source.release();
      this.#element = copy;
      return;
    }
    const label = this.#share?.label ?? null;
    this.#giveUp();
    const { storage } = copy;
    storage.retain();
    copy.release();
    this.#hold(storage);
    if (label !== null) this.track(label);
  }

  get released(): boolean {
    return this.#released;
  }

  /** @throws ReleasedError, DeviceLostError where the numbers are gone. */
  check(): void {
    if (this.#released) throw new ReleasedError("this array was released: its memory is no longer its own");
    if (this.device.lost !== null) throw this.device.lost;
  }

  /** The array's bytes, without padding. */
  get bytes(): number {
    return this.size * 4;
  }

  /**
   * The GPU buffer, to draw from or to copy. What was recorded so far is submitted, so that the application's next
   * submit sees it. The buffer may be longer than the array. It belongs to the array: keep the array while you use it.
   */
  get buffer(): GPUBuffer {
    const storage = this.storage;
    storage.device.recorder.flush();
    return storage.buffer;
  }

  /** The same memory under another shape of the same size. */
  reshape(shape: Shape): GpuArray {
    this.check();
    const checked = shape === this.#shape ? shape : checkShape(shape);
    if (sizeOf(checked) !== this.#size) {
      throw new ShapeError(`${this.#size} numbers don't fill shape ${showShape(checked)}`);
    }
    if (this.#element !== null) return GpuArray.repeat(this.#element, checked);
    this.#share?.storage.retain();
    return new GpuArray(this.device, checked, this.#share?.storage ?? null, this.#constant);
  }

  /** Counts up with every change in place, of this array or another one over the same memory. */
  get version(): number {
    return this.memory?.version ?? 0;
  }

  /** Replaces the numbers by those of an array of the same shape, in place. */
  copyFrom(array: GpuArray): void {
    this.#checkOther(array, "assign");
    const { storage } = this;
    this.#constant = null;
    if (array.constant !== null) fill(this, array.constant);
    else if (storage.buffer === array.storage.buffer) return;
    else if (this.bytes > 0)
      this.device.recorder.copy(array.storage, storage, this.bytes, `assign ${showShape(this.shape)}`);
    storage.version++;
  }

  /** this ← this - rate · gradient, in place. */
  descend(gradient: GpuArray, rate: number): void {
    this.#checkOther(gradient, "descend");
    if (typeof rate !== "number") throw new ArgumentError(`descend takes a rate, not ${describe(rate)}`);
    const { storage } = this;
    this.#constant = null;
    if (gradient.constant === null && gradient.storage.buffer === storage.buffer) {
      // A shader can't have the same memory at two bindings.
      const apart = GpuArray.allocate(this.device, this.shape, "descend");
      apart.copyFrom(gradient);
      descend(this, apart, rate);
      apart.release();
    } else descend(this, gradient, rate);
    storage.version++;
  }

  /** @throws ArgumentError, ShapeError, and what checkDevice throws, where `array` can't be taken into this one. */
  #checkOther(array: GpuArray, what: string): void {
    const given: unknown = array;
    if (!(given instanceof GpuArray)) throw new ArgumentError(`${what} takes a GpuArray, not ${describe(given)}`);
    checkDevice(given, this.device, what);
    if (given.size !== this.size) {
      throw new ShapeError(`${what}: ${showShape(given.shape)} has not as many numbers as ${showShape(this.shape)}`);
    }
  }

  /** Says whose data this is, for `leaks()`: the first Variable's that had it. @internal */
  track(label: Label): void {
    if (this.#share !== null) this.#share.label ??= label;
  }

  /** The numbers, in row-major order. Rejects with what went wrong on the GPU, if it did. */
  read(): Promise<Float32Array> {
    return read(this);
  }

  /** Gives the memory back, or this array's share of it. Releasing twice does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#element?.release();
    this.#giveUp();
  }

  #giveUp(): void {
    const share = this.#share;
    this.#share = null;
    if (share !== null) this.device.holdings.remove(this, share);
  }
}

/** @throws OtherDeviceError where the array is not on this device; ReleasedError, DeviceLostError. */
export function checkDevice(array: GpuArray, device: Device, what: string): void {
  array.check();
  if (array.device !== device) {
    throw new OtherDeviceError(
      `${what}: an array of another GPU device. Read it and make it anew: new Variable(await x.read(), { shape: x.shape })`,
    );
  }
}

/** @throws LimitError where the device doesn't allow an array of this shape. */
export function checkBytes(device: Device, shape: Shape, what: string): void {
  const bytes = sizeOf(shape) * 4;
  const limit = device.maxArrayBytes;
  if (bytes > limit) {
    throw new LimitError(
      `${what}: an array of shape ${showShape(shape)} needs ${bytes} bytes, this device allows ${limit}`,
      bytes,
      limit,
    );
  }
}
