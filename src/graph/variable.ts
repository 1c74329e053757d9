/**
 * A Variable: data on the GPU, the gradient that reached it, and the Function that made it.
 *
 * variable.ts, function.ts and backward.ts import each other, which is in the nature of the thing: a Variable knows its
 * creator, a Function its Variables, a pass both. No other file of graph/ is on that circle.
 */
import { backward, type BackwardOptions } from "./backward.js";
import { toGpuArray, type Data } from "../gpu/data.js";
import { ArgumentError, ReleasedError, ShapeError } from "../base/errors.js";
import { Identity, type Function } from "./function.js";
import { withGrad } from "./grad-mode.js";
import { currentTask, Origin, insideFunction } from "./origin.js";
import { GpuArray } from "../gpu/array.js";
import type { Device } from "../gpu/device.js";
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
 * - looked: somebody asked for it once. It counts as seen, unless that was to give it to `update`
 * - seen: somebody may be using it after that. It goes with the Variable
 * - given: a Variable that the user has set. It is the user's
 */
type GradientSlot = "unseen" | "looked" | "seen" | "given";

/**
 * - held: it was made, and not yet used
 * - passedOn: a Function of a graph has it as an input; it goes with what was computed from it, unless it is a leaf
 * - lent: a result without a graph was computed from it; it goes with that if it can be computed again
 * - kept: as held, for good
 * - disposed: it goes as soon as nothing needs it
 */
type Lifetime = "held" | "passedOn" | "lent" | "kept" | "disposed";

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
  /** What it was computed from without a graph. */
  #origin: Origin<Function, Variable> | null = null;
  /** Results that were computed from it without a graph, and are not disposed. */
  #results = 0;
  #weak: WeakRef<Variable> | null = null;

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
   * @param data a number, a (nested) array of numbers, a Float32Array, or an array that is on the GPU already, of which the
   * Variable takes a share: the array stays its owner's
   * @throws ArgumentError, ShapeError where data or options can't be used, LimitError where the device doesn't allow
   * that many bytes, NotInitializedError before `await init()`
   */
  constructor(data: Data, options: VariableOptions = {}) {
    const own = options === ownNeedsGrad || options === ownNeedsNone;
    const { name, shape, requiresGrad = true } = own ? options : checkOptions(options);
    const array = own ? (data as GpuArray) : shareOf(data, shape);
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

  /** The array on the GPU. It belongs to the Variable; `data.reshape(data.shape)` is a share of your own. */
  get data(): GpuArray {
    if (this.#lifetime !== "disposed" && this.#creator === null && this.#origin !== null) this.#lifetime = "kept";
    return this.array;
  }

  /**
   * The same, for the library itself: it doesn't count as held by somebody. Where the memory was given back with what was
   * computed from it, the numbers are computed again.
   *
   * @internal
   */
  get array(): GpuArray {
    return this.#data.released ? this.#computeAgain() : this.#data;
  }

  /** Whether it was disposed, and its numbers are gone for good. @internal */
  get isGone(): boolean {
    return this.#lifetime === "disposed" && this.#data.released;
  }

  /** @internal */
  get device(): Device {
    return this.#data.device;
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
    if (this.#slot === "unseen") this.#slot = "looked";
    else if (this.#slot === "looked") this.#slot = "seen";
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
    this.#forgetOrigin();
    this.#creator = null;
    this.#label.creator = null;
    if (creator?.outputs.every((output) => output.#creator !== creator) !== true) return;
    for (const input of creator.releaseInputs()) input.#consumers--;
  }

  /** The same data, as a leaf that needs no gradient. */
  detach(): Variable {
    const alone = withGrad(false, () => new Identity().call(this));
    alone.name = this.name;
    return alone;
  }

  /** Forgets the gradient. */
  clearGrad(): void {
    const gradient = this.#grad;
    if (this.#slot === "unseen" && gradient !== null && gradient.#lifetime !== "kept") gradient.dispose();
    this.#grad = null;
  }

  /** Its gradient was asked for, once, to give it to `update`: nobody holds it, unless by keep(). @internal */
  gradWasUsed(): void {
    if (this.#slot === "looked") this.#slot = "unseen";
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
   * backward through them any more: trying is an error that says so. So: forward, backward, then assign. For a step of an
   * optimizer, see `update`.
   *
   * @throws ArgumentError where this is not a leaf; ShapeError; what the constructor throws.
   * @example
   * const w = new Variable([1, 2]);
   * w.assign([3, 4]);
   * await w.read(); // [3, 4]
   */
  assign(value: Variable | Data): this {
    this.checkLeaf("assigned to");
    const source = value instanceof Variable ? value.array : value;
    const flat = source instanceof Float32Array && source.length === this.size;
    const array = toGpuArray(source, flat ? this.shape : undefined, "the assigned value");
    if (!sameShape(array.shape, this.shape)) {
      throw new ShapeError(
        `${showShape(array.shape)} can't be assigned to ${this.toString()}: it needs the same shape`,
      );
    }
    this.array.copyFrom(array);
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
    this.checkLeaf("changed");
    if (this.#grad === null) {
      throw new ArgumentError(`${this.toString()} has no gradient to descend along: call backward() first`);
    }
    this.array.descend(this.#grad.array, rate);
    return this;
  }

  /** @throws ArgumentError where it was computed. @internal */
  checkLeaf(what: string): void {
    if (this.#creator === null) {
      this.#forgetOrigin();
      return;
    }
    throw new ArgumentError(`${this.toString()} can't be ${what} in place: it was computed. Only a leaf can`);
  }

  /**
   * Holds an intermediate Variable, and its own graph, when what was computed from it is disposed. Without it the numbers
   * are computed again if you read them, which fails once a leaf that they come from has changed.
   */
  keep(): this {
    if (this.#lifetime !== "disposed") this.#lifetime = "kept";
    return this;
  }

  /** What noGrad gave: somebody has it. @internal */
  holdResult(): void {
    if (this.#creator === null && this.#origin !== null) this.keep();
  }

  /**
   * Gives back the memory of this Variable and of everything that was computed on the way to it, with or without a graph,
   * and that nothing else needs: no other result that is there, no `keep()`. Leaves stay, and so do their gradients.
   * What was computed on the way can still be read, if it was made by the library's functions: it is computed again.
   * Forgetting a Variable instead is no mistake; its memory then comes back when the garbage collector finds it.
   *
   * @example
   * {
   *   using loss = sum(square(x)); // disposed at the end of the block
   *   loss.backward();
   * }
   */
  dispose(): void {
    this.#lifetime = "disposed";
    this.#giveBack();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Gives it back where it was computed, nobody kept it and nothing needs it. @internal */
  letGo(): void {
    if (this.#lifetime === "held") this.#lifetime = "lent";
    this.#giveBack();
  }

  /** Takes back that it was computed, where nothing was computed from it: its operands are as before. @internal */
  undo(): void {
    const creator = this.#creator;
    if (creator === null || this.#consumers > 0) return;
    this.#data.release();
    for (const input of creator.releaseInputs()) {
      input.#consumers--;
      if (input.#consumers === 0 && input.#lifetime === "passedOn") input.#lifetime = "held";
    }
  }

  #giveBack(): void {
    const waiting: Variable[] = [this];
    for (let variable = waiting.pop(); variable !== undefined; variable = waiting.pop()) {
      const creator = variable.#creator;
      const outputs = creator?.outputs ?? [variable];
      // A Function's outputs go together: its backward may need each of them.
      if (!outputs.every((output) => output.#isFree())) continue;
      for (const output of outputs) {
        output.#data.release();
        if (output.#slot !== "given") output.#grad?.dispose();
        waiting.push(...output.#leaveOperands());
        if (output.#lifetime === "disposed") output.#origin = null;
      }
      for (const input of creator?.releaseInputs() ?? []) {
        input.#consumers--;
        waiting.push(input);
      }
    }
  }

  /** Counts one more Function that needs this as its input. @internal */
  addConsumer(): void {
    this.#consumers++;
    this.#passOn("passedOn");
  }

  /** Says what this was computed from without a graph, as the `index`-th output of `f`. @internal */
  comeFrom(f: Function, index: number, operands: readonly Variable[]): void {
    const known: (Variable | WeakRef<Variable>)[] = [];
    const versions: number[] = [];
    for (const operand of operands) {
      const isConstant = operand.#data.constant !== null && operand.#origin === null && operand.#creator === null;
      known.push(isConstant ? operand : (operand.#weak ??= new WeakRef(operand)));
      versions.push(operand.#data.version);
      operand.#results++;
      // What a backward reads of its graph is not its to give away: somebody may want to read the output afterwards.
      if (!insideFunction.current || operand.#creator === null) operand.#passOn("lent");
    }
    this.#origin = new Origin(f, index, known, versions);
  }

  #passOn(lifetime: "passedOn" | "lent"): void {
    const now = this.#lifetime;
    if (now !== "held" && !(now === "lent" && lifetime === "passedOn")) return;
    const wasHeld = this.#creator === null && this.#origin !== null && this.#origin.task !== currentTask();
    this.#lifetime = wasHeld ? "kept" : lifetime;
  }

  #leaveOperands(): readonly Variable[] {
    const origin = this.#origin;
    if (origin?.counted !== true) return [];
    origin.counted = false;
    const operands = origin.operands();
    for (const operand of operands) operand.#results--;
    return operands;
  }

  /** Makes a leaf of it, whose numbers are not what its operands gave any more. */
  #forgetOrigin(): void {
    this.#leaveOperands();
    this.#origin = null;
  }

  /** Whether nothing needs this Variable: it was disposed, or computed on the way and not kept. */
  #isFree(): boolean {
    if (this.#consumers > 0) return false;
    if (this.#lifetime === "disposed") return true;
    if (this.#lifetime !== "passedOn" && this.#lifetime !== "lent") return false;
    if (this.#lifetime === "passedOn" && this.#creator !== null) return true;
    return this.#results === 0 && (this.#origin?.inner === true || this.#canBeMadeAgain());
  }

  /** Whether its numbers could be computed again: what they come from is there, and has not changed. */
  #canBeMadeAgain(): boolean {
    const operands = this.#creator?.inputs ?? this.#origin?.operands() ?? [];
    const versions = this.#creator?.inputVersions ?? this.#origin?.versions ?? [];
    const f = this.#creator ?? this.#origin?.f;
    if (f?.repeatable !== true || operands.some((operand) => operand.#lifetime === "disposed")) return false;
    if (this.#creator === null && this.#origin?.hold() !== true) return false;
    return operands.every((operand, k) => operand.#data.released || operand.#data.version === versions[k]);
  }

  /** The numbers that were given back, from those that they were computed from. @throws ReleasedError. */
  #computeAgain(): GpuArray {
    const made = new Map<Variable, GpuArray>();
    const waiting: Variable[] = [this];
    for (let variable = waiting.at(-1); variable !== undefined; variable = waiting.at(-1)) {
      const { f, index, operands } = variable.#recipe(this, made);
      const missing = operands.filter((operand) => operand.#data.released && !made.has(operand));
      waiting.push(...missing);
      if (missing.length > 0) continue;
      waiting.pop();
      if (made.has(variable)) continue;
      made.set(
        variable,
        f.repeat(
          operands.map((operand) => made.get(operand) ?? operand.#data),
          index,
        ),
      );
    }
    const array = made.get(this) ?? this.#data;
    for (const other of made.values()) if (other !== array) other.release();
    this.#data = array;
    array.track(this.#label);
    this.keep();
    return array;
  }

  /** How its numbers are computed, for `wanted`. @throws ReleasedError where they can't be any more. */
  #recipe(
    wanted: Variable,
    made: ReadonlyMap<Variable, unknown>,
  ): { f: Function; index: number; operands: readonly Variable[] } {
    const creator = this.#creator?.repeatable === true ? this.#creator : null;
    const origin = this.#origin;
    const f = creator ?? origin?.f;
    if (this.#lifetime === "disposed" || f?.repeatable !== true) throw wanted.#goneError("");
    const operands = creator?.inputs ?? origin?.operands() ?? [];
    const versions = creator?.inputVersions ?? origin?.versions ?? [];
    operands.forEach((operand, k) => {
      if (operand.#data.released || made.has(operand) || operand.#data.version === versions[k]) return;
      throw wanted.#goneError(`, and can't be computed again since ${operand.toString()} was changed in place`);
    });
    return { f, index: creator?.outputs.indexOf(this) ?? origin?.index ?? 0, operands };
  }

  #goneError(why: string): ReleasedError {
    return new ReleasedError(
      `${this.toString()} was released, by dispose() on it or on what was computed from it${why}; keep() holds it`,
    );
  }

  /** An operand that only the Function has to which it is given: it goes with what is computed from it. @internal */
  static temporary(data: Data): Variable {
    if (typeof data === "number") return Variable.of(GpuArray.constant(data, []));
    const variable = Variable.of(shareOf(data));
    variable.#lifetime = "disposed";
    return variable;
  }

  /** Gives back an operand that only a Function had, which was not computed. @internal */
  letGoIfTemporary(): void {
    if (this.#lifetime === "disposed") this.#giveBack();
  }

  /** A Variable isn't a number: `Math.sin(x)`, `x * 2` and `x > 0` would be NaN or false. @throws ArgumentError for these. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint !== "number") return this.toString();
    throw new ArgumentError(
      `${this.toString()} can't be used as a number, as in Math.sin(x), x * 2 or x > 0: its numbers are on the GPU. ` +
        "Write sin(x), mul(x, 2), greater(x, 0), or read it first: await x.item()",
    );
  }

  /** Such as `x [2, 3] from Square`: name, shape and creator, without reading back. */
  toString(): string {
    const from = this.#creator === null ? "" : ` from ${this.#creator.name}`;
    return `${this.name ?? "Variable"} ${showShape(this.shape)}${from}`;
  }
}

/** The array for data; of an array that is there already, a share. */
function shareOf(data: Data, shape?: Shape): GpuArray {
  const array = toGpuArray(data, shape);
  return array === data ? array.share() : array;
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
  return typeof operand === "number"
    ? Variable.of(GpuArray.constant(operand, []))
    : new Variable(operand, { requiresGrad: false });
}

/** The same for what a Function is called with. @internal */
export function asOperand(operand: Operand): Variable {
  return operand instanceof Variable ? operand : Variable.temporary(operand);
}
