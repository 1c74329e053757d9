/** An array of float32 numbers on the GPU: a shape over a piece of GPU memory. What NumPy's arrays are to DeZero. */
import { checkObject } from "../base/arguments.js";
import { ArgumentError, ReleasedError, ShapeError } from "../base/errors.js";
import { describe, madeBy, maker, type Maker } from "../base/describe.js";
import { checkShape, showShape, sizeOf, type Shape } from "../base/shape.js";
import { currentDevice } from "./current.js";
import type { Device } from "./device.js";
import { checkBytes, checkDevice } from "./checks.js";
import { holdingOf, labelOf, type Holding, type Label } from "./holdings.js";
import { copyNumbers } from "./dispatch.js";
import { checkForeign, isAligned } from "./foreign.js";
import { descend, fill, repeat } from "./in-place.js";
import { read, roomFor } from "./reader.js";
import { Storage } from "./storage.js";

const oneElement: Shape = Object.freeze([1]);

/** Where an array's numbers are: in memory, or known without any. */
type Numbers =
  | Holding
  | { readonly kind: "constant"; readonly value: number }
  /** All are the only one of an array of one element. */
  | { readonly kind: "repeated"; readonly element: GpuArray }
  | { readonly kind: "released" }
  /** Of a symbol, which stands for an array while a function is traced. */
  | { readonly kind: "unknown" };

/**
 * An array of float32 numbers on the GPU, without a graph: what a Variable has as its `data`, and what a Function's `forward`
 * gets and gives.
 *
 * @example
 * const array = GpuArray.from(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * await array.read(); // [1, 2, 3, 4]
 * array.release();
 */
export class GpuArray {
  /** Counts the arrays that were made: the number of the latest. @internal */
  static made = 0;
  /** Its place in the order in which arrays were made. @internal */
  readonly serial = ++GpuArray.made;
  /** The device that it is on. */
  readonly device: Device;
  readonly #shape: Shape;
  readonly #size: number;
  #numbers: Numbers;
  /** Called before this array is changed in place: as Storage's, where it has no memory yet, or is about to get its own. @internal */
  onChange: (() => void) | null = null;

  /** Arrays are made by `GpuArray.from`, `constant` and `fromBuffer`. */
  protected constructor(...made: never[]);
  /** @internal */
  protected constructor(device: Device, shape: Shape, numbers: Numbers);
  protected constructor(device: Device, shape: Shape, numbers: Numbers) {
    this.device = device;
    this.#shape = shape;
    this.#size = sizeOf(shape);
    this.#numbers = numbers;
    if (numbers.kind === "held") device.holdings.add(this);
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
    return new GpuArray(device, checkShape(shape), { kind: "constant", value });
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
    const own = (element.element ?? element).reshape(oneElement);
    return new GpuArray(element.device, shape, { kind: "repeated", element: own });
  }

  /**
   * An array that holds anything, to be written by a kernel.
   *
   * @throws LimitError, before anything is allocated, where the device doesn't allow that many bytes.
   */
  static allocate(device: Device, shape: Shape, purpose: string): GpuArray {
    checkBytes(device, shape, purpose);
    return new GpuArray(device, shape, holdingOf(Storage.allocate(device.pool, sizeOf(shape) * 4, purpose), 0, shape));
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
    if (values.length > 0) device.recorder.upload(array.hold().storage, values);
    return array;
  }

  /**
   * An array over the application's own buffer, without a copy. The buffer stays the application's: it is never
   * destroyed or reused, and nothing but the array's elements is written. It must not be one of gpugrad's own, and have been
   * made by the current device with usage STORAGE (and COPY_SRC to read the array). It may be a vertex buffer, or any other
   * of a multiple of 4 bytes; where it ends within a group of four elements, or the array does and is written, gpugrad works
   * on a copy.
   *
   * All arrays over one buffer share its version: a change of one in place counts as a change of each, overlapping or
   * not. What the application itself changes is told with `markModified()`.
   *
   * @param options.offset the first element's place in bytes: a multiple of 4 where the buffer has usage COPY_SRC and
   * COPY_DST, else of the device's limits.minStorageBufferOffsetAlignment
   * @throws ArgumentError; ShapeError; LimitError where the buffer doesn't hold as many elements.
   * @example
   * const { STORAGE, COPY_SRC } = GPUBufferUsage;
   * const buffer = device.gpuDevice.createBuffer({ size: 12, usage: STORAGE | COPY_SRC });
   * const x = new Variable(GpuArray.fromBuffer(buffer, [3]));
   */
  static fromBuffer(buffer: GPUBuffer, shape: Shape, options: { readonly offset?: number } = {}): GpuArray {
    const device = currentDevice();
    const checked = checkShape(shape);
    const { offset = 0 } = checkObject(options, "fromBuffer's options");
    checkForeign(device, buffer, checked, offset);
    return new GpuArray(device, checked, holdingOf(Storage.foreign(buffer), offset, checked));
  }

  /** Its length along each axis; [] for a single number. */
  get shape(): Shape {
    return this.#shape;
  }

  /**
   * An array isn't a number: `a * 2` would be NaN.
   *
   * @throws ArgumentError
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return `GpuArray ${showShape(this.#shape)}`;
    throw new ArgumentError(
      `GpuArray ${showShape(this.#shape)} can't be used as a number, as in a * 2 or a + 1: its numbers are on the GPU. ` +
        "Write mul(a, 2) or add(a, 1)",
    );
  }

  /** The number of elements. */
  get size(): number {
    return this.#size;
  }

  /**
   * Its part in a piece of memory, which it is given now where its numbers were known without any.
   *
   * @throws ReleasedError, DeviceLostError, OutOfMemoryError.
   * @internal
   */
  hold(): Holding {
    this.check();
    const numbers = this.#numbers;
    if (numbers.kind === "held") return numbers;
    const filled = GpuArray.allocate(this.device, this.#shape, "fill");
    try {
      const target = filled.hold();
      if (numbers.kind === "repeated") repeat(this.device, numbers.element.hold(), target);
      else if (numbers.kind === "constant") fill(this.device, target, numbers.value);
    } catch (error) {
      filled.release();
      throw error;
    }
    return this.#take(filled, this.version);
  }

  /** Takes the memory of another array, which nobody else has, in the place of what it had. */
  #take(other: GpuArray, version: number): Holding {
    const { storage, offset } = other.hold();
    const { holding } = this;
    storage.version = version;
    storage.retain();
    other.release();
    this.#giveUp();
    const taken = holdingOf(storage, offset, this.#shape);
    taken.label = holding?.label ?? null;
    this.#numbers = taken;
    this.device.holdings.add(this);
    return taken;
  }

  /** This array's part in its memory; null where it has none. @internal */
  get holding(): Holding | null {
    return this.#numbers.kind === "held" ? this.#numbers : null;
  }

  /** The number that every element is, where the array is such a one: it takes no memory until somebody needs it. */
  get constant(): number | null {
    return this.#numbers.kind === "constant" ? this.#numbers.value : null;
  }

  /** The array of one element that this one repeats, where it is such a one. @internal */
  get element(): GpuArray | null {
    return this.#numbers.kind === "repeated" ? this.#numbers.element : null;
  }

  /** The memory that its numbers come from, if there is any already. @internal */
  get memory(): Storage | null {
    return (this.element ?? this).holding?.storage ?? null;
  }

  /** Takes its numbers to memory of its own, so that no change in place of another array is one of this. @internal */
  separate(): void {
    const numbers = this.#numbers;
    if (numbers.kind === "repeated") {
      numbers.element.separate();
      return;
    }
    if (numbers.kind !== "held") return;
    const copy = GpuArray.allocate(this.device, this.#shape, "copy");
    copy.copyFrom(this);
    this.#take(copy, numbers.storage.version);
  }

  /**
   * Has these numbers for itself, whatever becomes of other arrays over the same memory: there is one copy, made before
   * the next change in place of any of them. What functions give is like this; a share that a user asks for is not. Where
   * an application could change the memory unheard, the copy is made at once.
   *
   * @internal
   */
  copyOnWrite(): this {
    const numbers = this.#numbers;
    if (numbers.kind === "repeated") numbers.element.copyOnWrite();
    if (numbers.kind !== "held" || numbers.isCopyOnWrite || numbers.bytes === 0 || !numbers.storage.isShared)
      return this;
    if (numbers.storage.isExposed) {
      this.separate();
      return this;
    }
    numbers.isCopyOnWrite = true;
    numbers.storage.addSharer(new WeakRef(this));
    return this;
  }

  /** @internal */
  isCopyOnWriteOf(storage: Storage): boolean {
    const { holding } = this;
    return holding?.storage === storage && holding.isCopyOnWrite;
  }

  /** Where it has its memory copy-on-write: makes that its own, as before a change. @internal */
  own(): void {
    const { holding } = this;
    if (holding?.isCopyOnWrite !== true) return;
    if (holding.storage.isShared) this.separate();
    else holding.isCopyOnWrite = false;
  }

  /** To be called before each change in place: its memory, in which nobody else needs the numbers as they are. @internal */
  beforeChange(): Holding {
    this.onChange?.();
    this.onChange = null;
    this.own();
    const holding = this.hold();
    holding.storage.beforeChange();
    return holding;
  }

  /** Whether `release()` was called: its numbers are gone. */
  get released(): boolean {
    return this.#numbers.kind === "released";
  }

  /** @throws ReleasedError, DeviceLostError where the numbers are gone. */
  check(): void {
    if (this.released) throw new ReleasedError("this array was released: its memory is no longer its own");
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
    this.own();
    const { storage } = this.hold();
    storage.expose();
    this.device.recorder.flush();
    const { gpuBuffer, state } = storage.buffer;
    // A buffer that was used before has the name of what it was then.
    if (state !== "foreign") gpuBuffer.label = labelOf(this.holding?.label ?? null);
    return gpuBuffer;
  }

  /** Another array over the same memory, to be released on its own. @internal */
  share(): GpuArray {
    return this.reshape(this.#shape);
  }

  /** The same memory under another shape of the same size. */
  reshape(shape: Shape): GpuArray {
    this.check();
    const checked = shape === this.#shape ? shape : checkShape(shape);
    if (sizeOf(checked) !== this.#size) {
      throw new ShapeError(`${this.#size} numbers don't fill shape ${showShape(checked)}`);
    }
    const numbers = this.#numbers;
    if (numbers.kind === "repeated") return GpuArray.repeat(numbers.element, checked);
    if (numbers.kind !== "held") return new GpuArray(this.device, checked, numbers);
    const { storage, offset } = numbers;
    storage.retain();
    const array = new GpuArray(this.device, checked, holdingOf(storage, offset, checked));
    return numbers.isCopyOnWrite ? array.copyOnWrite() : array;
  }

  /** The elements from `start` on, under this shape: the same memory, where shaders can bind it, else a copy. @internal */
  part(start: number, shape: Shape): GpuArray {
    const { storage, offset } = this.hold();
    const holding = holdingOf(storage, offset + 4 * start, shape);
    if (isAligned(this.device, holding.offset)) {
      storage.retain();
      return new GpuArray(this.device, shape, holding);
    }
    const copy = GpuArray.allocate(this.device, shape, "copy");
    copyNumbers(this.device, holding, copy.hold());
    return copy;
  }

  /** Writes an array over the elements from `start` on. @internal */
  put(start: number, array: GpuArray): void {
    const { storage, offset } = this.hold();
    copyNumbers(this.device, array.hold(), { storage, offset: offset + 4 * start, bytes: array.bytes });
  }

  /** Counts up with every change in place, of this array or another one over the same memory. */
  get version(): number {
    return this.memory?.version ?? 0;
  }

  /**
   * Says that the application has changed the numbers, in its own buffer or in `buffer`: a graph that still needs the old
   * ones then refuses to go backward. Call `flush()` before such a change, so that what was computed from the old numbers
   * is submitted, and this after it. What gpugrad changes itself needs no word.
   *
   * @throws ReleasedError, DeviceLostError where the numbers are gone.
   * @example
   * const p = new Variable([1, 2, 3, 4]);
   * const y = square(p);
   * flush();
   * device.gpuDevice.queue.writeBuffer(p.data.buffer, 0, Float32Array.of(9));
   * p.data.markModified();
   * // y.backward() throws a ModifiedError: its gradient needs the old numbers
   */
  markModified(): void {
    this.check();
    const { memory } = this;
    if (memory === null) return;
    memory.version++;
    memory.failure = null;
    this.device.recorder.modified(memory);
  }

  /** Replaces the numbers by those of an array of the same size, in place. */
  copyFrom(array: GpuArray): void {
    this.replaceBy(array, "copyFrom");
  }

  /** The same, for `what`, which errors name. @internal */
  replaceBy(array: GpuArray, what: string): void {
    this.#checkOther(array, what);
    if (array.constant === null) {
      const [from, to] = [array.hold(), this.hold()];
      if (from.storage === to.storage && from.offset === to.offset) return;
    }
    const target = this.beforeChange();
    if (array.constant !== null) fill(this.device, target, array.constant);
    else copyNumbers(this.device, array.hold(), target);
    target.storage.version++;
  }

  /** this ← this - rate · gradient, in place. */
  descend(gradient: GpuArray, rate: number): void {
    this.#checkOther(gradient, "descend");
    if (typeof rate !== "number") throw new ArgumentError(`descend takes a rate, not ${describe(rate)}`);
    const target = this.beforeChange();
    if (gradient.memory === target.storage) {
      // A shader can't have the same memory at two bindings.
      const apart = GpuArray.allocate(this.device, this.shape, "descend");
      apart.copyFrom(gradient);
      descend(this.device, target, apart.hold(), rate);
      apart.release();
    } else descend(this.device, target, gradient.hold(), rate);
    target.storage.version++;
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
    if (this.#numbers.kind === "held") this.#numbers.label ??= label;
  }

  /** The numbers, in row-major order. Rejects with what went wrong on the GPU, if it did. */
  async read(): Promise<Float32Array> {
    this.check();
    const { constant, element } = this;
    if (constant !== null) return roomFor(this.size, "read").fill(constant);
    if (element === null) return read(this.device, this.hold());
    const { size } = this;
    const [value = NaN] = await read(this.device, element.hold());
    return roomFor(size, "read").fill(value);
  }

  /** Gives the memory back, or this array's share of it. Releasing twice does nothing. */
  release(): void {
    if (this.released) return;
    this.#giveUp();
    this.#numbers = { kind: "released" };
  }

  #giveUp(): void {
    const numbers = this.#numbers;
    if (numbers.kind === "held") this.device.holdings.remove(this, numbers);
    else if (numbers.kind === "repeated") numbers.element.release();
  }
}
