/**
 * A Variable: data on the GPU, the gradient that reached it, and the Function that made it.
 *
 * variable.ts, function.ts and backward.ts import each other, which is in the nature of the thing: a Variable knows its
 * creator, a Function its Variables, a pass both. No other file of graph/ is on that circle.
 */
import { backward, type BackwardOptions } from "./backward.js";
import { toGpuArray, type Data } from "../gpu/data.js";
import { ArgumentError, ReleasedError, ShapeError } from "../base/errors.js";
import type { Function } from "./function.js";
import { GpuArray } from "../gpu/array.js";
import type { Label } from "../gpu/holdings.js";
import { describe, madeBy, maker, type Maker } from "../base/describe.js";
import { sameShape, showShape, type Shape } from "../base/shape.js";

export interface VariableOptions {
  /** Shown in graphs and errors. */
  readonly name?: string;
  /** The shape to give the data; it must have as many elements. */
  readonly shape?: Shape;
  /** False for data that needs no gradient: no work is done for it. Default true. */
  readonly requiresGrad?: boolean;
}

/** Options of the library's own results, which are told by identity and need no checks. */
const ownNeedsGrad: VariableOptions = Object.freeze({ requiresGrad: true });
const ownNeedsNone: VariableOptions = Object.freeze({ requiresGrad: false });

/**
 * Whose a gradient is, which says when its memory goes:
 * - unseen: a pass made it, and nobody has looked at it. It goes when it is replaced
 * - seen: somebody may be using it after that. It goes with the Variable
 * - given: a Variable that the user has set. It is the user's
 */
type GradientSlot = "unseen" | "seen" | "given";

/**
 * - held: it was made, and not yet used
 * - passedOn: a Function has it as an input; it goes with what was computed from it, unless it is a leaf
 * - kept: as held, for good
 * - disposed: it goes as soon as nothing needs it
 */
type Lifetime = "held" | "passedOn" | "kept" | "disposed";

/**
 * @example
 * const x = new Variable([[1, 2], [3, 4]], { name: "x" });
 * const y = square(x);
 * y.backward();
 * await x.grad.read(); // Float32Array [2, 4, 6, 8]
 */
export class Variable {
  /** The name, and the creator's: what `leaks()` tells of the memory, whoever still has this Variable. */
  readonly #label: Label;
  readonly requiresGrad: boolean;
  #data: GpuArray;
  #grad: Variable | null = null;
  #slot: GradientSlot = "unseen";
  #creator: Function | null = null;
  /** Functions of graphs that are not disposed and have this as an input. */
  #consumers = 0;
  #lifetime: Lifetime = "held";

  /** @internal */
  get [madeBy](): Maker {
    return maker("Variable");
  }

  /** What has only the prototype, or is a Proxy of a Variable, can't be used as one: it lacks what is private. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Variable) return Object.prototype.isPrototypeOf.call(this.prototype, value as object);
    return typeof value === "object" && value !== null && #data in value;
  }

  /**
   * @param data a number, a (nested) array of numbers, a Float32Array, or an array that is on the GPU already
   * @throws ArgumentError, ShapeError where data or options can't be used, LimitError where the device doesn't allow
   * that many bytes, NotInitializedError before `await init()`
   */
  constructor(data: Data, options: VariableOptions = {}) {
    const own = options === ownNeedsGrad || options === ownNeedsNone;
    const { name, shape, requiresGrad = true } = own ? options : checkOptions(options);
    const array = own ? (data as GpuArray) : toGpuArray(data, shape);
    this.#data = array;
    this.#label = { name: name ?? null, creator: null };
    array.track(this.#label);
    this.requiresGrad = requiresGrad;
  }

  /** The Variable of an array that the library has made and nobody else has. @internal */
  static of(array: GpuArray, requiresGrad = false): Variable {
    return new Variable(array, requiresGrad ? ownNeedsGrad : ownNeedsNone);
  }

  /** Shown in graphs and errors. @throws ArgumentError where it is set to something else than a string or null. */
  get name(): string | null {
    return this.#label.name;
  }

  set name(name: string | null) {
    if (name !== null) checkName(name);
    this.#label.name = name;
  }

  /** The array on the GPU. */
  get data(): GpuArray {
    if (this.#data.released) {
      throw new ReleasedError(
        `${this.toString()} was released, by dispose() on it or on what was computed from it; keep() holds it`,
      );
    }
    return this.#data;
  }

  get shape(): Shape {
    return this.#data.shape;
  }

  /** The number of elements; 1 for shape []. */
  get size(): number {
    return this.#data.size;
  }

  /** Bytes of the data on the GPU, without padding; 0 for a constant, 4 where all elements are the one that is there. */
  get bytes(): number {
    if (this.#data.constant !== null) return 0;
    return this.#data.element === null ? this.size * 4 : 4;
  }

  /**
   * The gradient of what `backward()` was called on with respect to this Variable, or null. May be set, to start a
   * backward pass from something else than ones: to a Variable or to the kinds of data that the constructor takes.
   *
   * @throws ShapeError where it is set to something of another shape.
   */
  get grad(): Variable | null {
    if (this.#slot === "unseen") this.#slot = "seen";
    return this.#grad;
  }

  set grad(value: Variable | Data | null) {
    if (value === null) {
      this.clearGrad();
      return;
    }
    const gradient = value instanceof Variable ? value : new Variable(value, { requiresGrad: false });
    if (!sameShape(gradient.shape, this.shape)) {
      throw new ShapeError(
        `a gradient of shape ${showShape(gradient.shape)} doesn't fit ${this.toString()}: it needs the same shape`,
      );
    }
    this.receiveGrad(gradient);
    this.#slot = gradient === value ? "given" : "seen";
  }

  /** `grad`, for the pass itself: it does not count as seen. @internal */
  ownGrad(): Variable | null {
    return this.#grad;
  }

  /** Puts a gradient in the place of the one before, whose memory is given back if nobody can be using it. @internal */
  receiveGrad(gradient: Variable): void {
    this.clearGrad();
    this.#grad = gradient;
    this.#slot = "unseen";
  }

  /** The Function whose output this is; null for a leaf. */
  get creator(): Function | null {
    return this.#creator;
  }

  /** 0 for a leaf, else one more than the Function that made it. */
  get generation(): number {
    return this.#creator === null ? 0 : this.#creator.generation + 1;
  }

  setCreator(creator: Function): void {
    this.#creator = creator;
    this.#label.creator = creator.name;
  }

  /** Makes a leaf of this Variable: the graph that led to it is forgotten. */
  unchain(): void {
    const creator = this.#creator;
    this.#creator = null;
    this.#label.creator = null;
    if (creator?.outputs.every((output) => output.#creator !== creator) !== true) return;
    for (const input of creator.releaseInputs()) input.#consumers--;
  }

  /** The same data, as a leaf that needs no gradient. */
  detach(): Variable {
    return new Variable(this.data.reshape(this.shape), {
      ...(this.name !== null && { name: this.name }),
      requiresGrad: false,
    });
  }

  /** Forgets the gradient. */
  clearGrad(): void {
    if (this.#slot === "unseen") this.#grad?.dispose();
    this.#grad = null;
  }

  /**
   * Propagates gradients from here back to the leaves: starts from `grad`, or from ones where none is set, and calls
   * each Function's backward once. Afterwards each leaf's `grad` has this pass's gradient added, and each Variable on
   * the way has it as its `grad`.
   *
   * @throws NotDifferentiableError where this Variable needs no gradient, or a Function on the way has none.
   */
  backward(options: BackwardOptions = {}): void {
    backward(this, options);
  }

  /** The numbers, in row-major order. Rejects with what went wrong on the GPU, if it did. */
  async read(): Promise<Float32Array> {
    return this.data.read();
  }

  /** The only number. @throws ShapeError where there is not exactly one. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item() needs exactly one element, ${this.toString()} has ${this.size}`);
    const [value] = await this.read();
    return value ?? NaN;
  }

  /**
   * Replaces the numbers of a leaf in place, without allocating. A graph that was built from the old ones can't go
   * backward through them any more: trying is an error that says so. So: forward, backward, then assign.
   *
   * @throws ArgumentError where this is not a leaf; ShapeError; what the constructor throws.
   * @example
   * const w = new Variable([1, 2]);
   * w.assign([3, 4]);
   * await w.read(); // [3, 4]
   */
  assign(value: Variable | Data): this {
    this.#checkLeaf("assigned to");
    const source = value instanceof Variable ? value.data : value;
    const flat = source instanceof Float32Array && source.length === this.size;
    const array = toGpuArray(source, flat ? this.shape : undefined, "the assigned value");
    if (!sameShape(array.shape, this.shape)) {
      throw new ShapeError(
        `${showShape(array.shape)} can't be assigned to ${this.toString()}: it needs the same shape`,
      );
    }
    this.data.copyFrom(array);
    if (array !== source) array.release();
    return this;
  }

  /**
   * A step of gradient descent in place: x ← x − rate · grad, one dispatch that allocates nothing. As assign in all
   * else.
   *
   * @throws ArgumentError where this is not a leaf or has no gradient.
   * @example
   * const w = new Variable(3);
   * square(w).backward();
   * await w.descend(0.1).item(); // 2.4
   */
  descend(rate: number): this {
    if (typeof rate !== "number") throw new ArgumentError(`descend takes a rate, not ${describe(rate)}`);
    this.#checkLeaf("changed");
    if (this.#grad === null) {
      throw new ArgumentError(`${this.toString()} has no gradient to descend along: call backward() first`);
    }
    this.data.descend(this.#grad.data, rate);
    return this;
  }

  #checkLeaf(what: string): void {
    if (this.#creator === null) return;
    throw new ArgumentError(`${this.toString()} can't be ${what} in place: it was computed. Only a leaf can`);
  }

  /** Holds an intermediate Variable when what was computed from it is disposed. */
  keep(): this {
    if (this.#lifetime !== "disposed") this.#lifetime = "kept";
    return this;
  }

  /**
   * Gives back the memory of this Variable and of everything that was computed on the way to it and that nothing else
   * needs: no other graph, no `keep()`. Leaves stay, and so do their gradients. Forgetting a Variable instead is no
   * mistake; its memory then comes back when the garbage collector finds it.
   *
   * @example
   * {
   *   using loss = sum(square(x)); // disposed at the end of the block
   *   loss.backward();
   * }
   */
  dispose(): void {
    this.#lifetime = "disposed";
    const waiting: Variable[] = [this];
    for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
      const creator = variable.#creator;
      const outputs = creator?.outputs ?? [variable];
      // A Function's outputs go together: its backward may need each of them.
      if (!outputs.every((output) => output.#isFree())) continue;
      for (const output of outputs) {
        output.#data.release();
        if (output.#slot !== "given") output.#grad?.dispose();
      }
      for (const input of creator?.releaseInputs() ?? []) {
        input.#consumers--;
        waiting.push(input);
      }
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Counts one more Function that needs this as its input. @internal */
  addConsumer(): void {
    this.#consumers++;
    if (this.#lifetime === "held") this.#lifetime = "passedOn";
  }

  /** Whether nothing needs this Variable: it was disposed, or computed on the way and not kept. */
  #isFree(): boolean {
    if (this.#consumers > 0) return false;
    return this.#lifetime === "disposed" || (this.#lifetime === "passedOn" && this.#creator !== null);
  }

  /** Such as `x [2, 3] from Square`: name, shape and creator, without reading back. */
  toString(): string {
    const from = this.#creator === null ? "" : ` from ${this.#creator.name}`;
    return `${this.name ?? "Variable"} ${showShape(this.shape)}${from}`;
  }
}

function checkName(name: unknown): void {
  if (typeof name !== "string") {
    throw new ArgumentError(`a Variable's name must be a string, not ${describe(name)}`);
  }
}

function checkOptions(options: unknown): VariableOptions {
  if (typeof options !== "object" || options === null) {
    throw new ArgumentError(`a Variable's options must be an object, not ${describe(options)}`);
  }
  const { name, shape, requiresGrad } = options as Record<string, unknown>;
  if (name !== undefined) checkName(name);
  if (requiresGrad !== undefined && typeof requiresGrad !== "boolean") {
    throw new ArgumentError(`requiresGrad must be true or false, not ${describe(requiresGrad)}`);
  }
  // Read once, since a getter may give something else the next time. The shape is checked with the data.
  return { name, shape, requiresGrad } as VariableOptions;
}

/** @throws ArgumentError where this is no Variable. */
export function checkVariable(value: unknown, what: string): Variable {
  if (value instanceof Variable) return value;
  throw new ArgumentError(`${what} must be a Variable, not ${describe(value)}`);
}

/** What functions take: a Variable, or data that becomes one that needs no gradient. */
export type Operand = Variable | Data;

/** The operand as a Variable. A number becomes a constant, which takes no GPU memory. */
export function asVariable(operand: Operand): Variable {
  if (operand instanceof Variable) return operand;
  const data = typeof operand === "number" ? GpuArray.constant(operand, []) : operand;
  return new Variable(data, { requiresGrad: false });
}
