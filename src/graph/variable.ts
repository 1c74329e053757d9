/**
 * A Variable: data on the GPU, the gradient that reached it, and the Function that made it.
 *
 * variable.ts, function.ts and backward.ts import each other, which is in the nature of the thing: a Variable knows its
 * creator, a Function its Variables, a pass both. No other file of graph/ is on that circle.
 */
import { backward, type BackwardOptions } from "./backward.js";
import { numbersOf, toGpuArray, type Data } from "../gpu/data.js";
import { ArgumentError, FuseError, ShapeError } from "../base/errors.js";
import { Given, Identity, tracing, type Function } from "./function.js";
import { gradEnabled, withGrad } from "./grad-mode.js";
import { Value } from "./lifetime.js";
import { Setting } from "./setting.js";
import { GpuArray } from "../gpu/array.js";
import type { Device } from "../gpu/device.js";
import type { Label } from "../gpu/holdings.js";
import { describe, madeBy, maker, type Maker } from "../base/describe.js";
import { sameShape, showShape, type Shape } from "../base/shape.js";

/** Of `new Variable`. */
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
 * - seen: somebody may be using it after that. It goes when the Variable is disposed
 * - set: numbers that the user has set. It goes as one that is unseen, but not before the Variable does
 * - given: a Variable that the user has set. It is the user's
 */
type GradientSlot = "unseen" | "looked" | "seen" | "set" | "given";

/** Whose gradients they are that somebody has asked for once. */
const lookedAt = new WeakMap<Variable, Variable>();

/**
 * What `using` calls. Where the runtime has no Symbol.dispose (Safari before 27.3), the code that Vite and esbuild write for `using` looks for
 * a method by this symbol.
 */
const disposeSymbol: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ??
  (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/**
 * Numbers on the GPU, of any shape, with the gradient that reached them. One that is made from data is a leaf; one that a
 * Function gave knows its creator, and so the graph that led to it.
 *
 * @example
 * const x = new Variable([[1, 2], [3, 4]], { name: "x" });
 * const y = square(x);
 * y.backward();
 * await x.grad.read(); // Float32Array [2, 4, 6, 8]
 */
export class Variable extends Value {
  /** The name, and the creator's: what `leaks()` tells of the memory, whoever still has this Variable. */
  readonly #label: Label;
  /** Whether backward passes give it a gradient; false for data, and for what was computed from data alone. */
  readonly requiresGrad: boolean;
  #grad: Variable | null = null;
  #slot: GradientSlot = "unseen";
  /** Whether its gradient stays because it is that of this leaf. */
  #holdsGradient = false;
  #creator: Function | null = null;

  /** @internal */
  get [madeBy](): Maker {
    return maker("Variable");
  }

  /** What has only the prototype, or is a Proxy of a Variable, can't be used as one: it lacks what is private. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Variable) return Object.prototype.isPrototypeOf.call(this.prototype, value as object);
    return typeof value === "object" && value !== null && #grad in value;
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
    const label: Label = { name: name ?? null, creator: null };
    super(array, label);
    this.#label = label;
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

  /** Any text, or null for none. */
  set name(name: string | null) {
    if (name !== null) checkName(name);
    this.#label.name = name;
  }

  /** @internal */
  get device(): Device {
    return this.numbers.device;
  }

  /** Its length along each axis; [] for a single number. */
  get shape(): Shape {
    return this.numbers.shape;
  }

  /** The number of elements; 1 for shape []. */
  get size(): number {
    return this.numbers.size;
  }

  /** Bytes of the data on the GPU, without padding; 0 for a constant, 4 where all elements are the one that is there. */
  get bytes(): number {
    if (this.numbers.constant !== null) return 0;
    return this.numbers.element === null ? this.size * 4 : 4;
  }

  /**
   * The gradient of what `backward()` was called on with respect to this Variable, or null. May be set, to start a
   * backward pass from something else than ones: to a Variable or to the kinds of data that the constructor takes.
   *
   * @throws ShapeError where it is set to something of another shape.
   */
  get grad(): Variable | null {
    if (this.#slot === "unseen") this.#slot = "looked";
    else if (this.#slot === "looked" || this.#slot === "set") this.#slot = "seen";
    if (this.#slot === "looked" && this.#grad !== null) lookedAt.set(this.#grad, this);
    this.#grad?.handOut();
    return this.#grad;
  }

  /** A Variable, or numbers as the constructor takes them; null forgets it. */
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
    if (gradient === value) gradient.lend();
    this.receiveGrad(gradient);
    this.#slot = gradient === value ? "given" : "set";
  }

  /** `grad`, for the pass itself: it does not count as seen. One that its holder has disposed is none. @internal */
  ownGrad(): Variable | null {
    return this.#grad?.isGone === true ? null : this.#grad;
  }

  /** Puts a gradient in the place of the one before, whose memory is given back if nobody can be using it. @internal */
  receiveGrad(gradient: Variable): void {
    this.clearGrad();
    this.#grad = gradient;
    this.#slot = "unseen";
    this.#holdsGradient = this.#creator === null && this.isReadable && gradient.creator !== null;
    if (this.#holdsGradient) gradient.stayWithLeaf();
  }

  /** The Function whose output this is; null for a leaf. */
  get creator(): Function | null {
    return this.#creator;
  }

  /** 0 for a leaf, else one more than the Function that made it. */
  get generation(): number {
    return this.#creator === null ? 0 : this.#creator.generation + 1;
  }

  /** @internal */
  setCreator(creator: Function): void {
    this.#creator = creator;
    this.#label.creator = creator.name;
  }

  /** Makes a leaf of this Variable: the graph that led to it is forgotten. */
  unchain(): void {
    const creator = this.#creator;
    this.forgetOrigin();
    this.#creator = null;
    this.#label.creator = null;
    if (creator?.outputs.every((output) => output.#creator !== creator) !== true) return;
    for (const input of creator.releaseInputs()) input.removeConsumer();
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
    this.leaveGradient();
    this.#grad = null;
    if (this.#slot === "given") gradient?.takeBack();
    else if ((this.#slot === "unseen" || this.#slot === "set") && gradient?.isKept === false) gradient.discard();
  }

  /** @internal */
  protected override leaveGradient(): void {
    if (!this.#holdsGradient) return;
    this.#holdsGradient = false;
    this.#grad?.leaveLeaf();
  }

  protected override dropGradient(): void {
    const isUsers = this.#slot === "given" || this.#slot === "set";
    if (this.#slot === "unseen" || (isUsers && !this.isReadable)) this.clearGrad();
    else if (this.isGone) this.#grad?.dispose();
  }

  /**
   * Given to `update`: where it is a gradient that was asked for once, for that, nobody holds it, unless by keep().
   *
   * @internal
   */
  wasGivenToUpdate(): void {
    const owner = lookedAt.get(this);
    if (owner !== undefined && owner.#grad === this && owner.#slot === "looked") owner.#slot = "unseen";
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
    return this.seen().read();
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
    this.array.replaceBy(array, "assign");
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

  /** @throws ArgumentError where it was computed; FuseError while a function is traced. @internal */
  checkLeaf(what: string): void {
    if (tracing.current !== null) {
      throw new FuseError(
        `fuse: ${this.toString()} can't be ${what} in a fused function, which runs once, to be traced: change it outside of it`,
      );
    }
    if (this.#creator === null) {
      this.forgetOrigin();
      return;
    }
    throw new ArgumentError(`${this.toString()} can't be ${what} in place: it was computed. Only a leaf can`);
  }

  /** An operand that only the Function has to which it is given: it goes with what is computed from it. @internal */
  static temporary(data: Data): Variable {
    if (typeof data === "number") return Variable.of(GpuArray.constant(data, []));
    const variable = Variable.of(shareOf(data));
    variable.becomeTemporary(data instanceof GpuArray ? data : new Given(numbersOf(data), variable.numbers));
    return variable;
  }

  /** `using x = …` disposes it at the end of the block. */
  [disposeSymbol](): void {
    this.dispose();
  }

  /**
   * A Variable isn't a number: `Math.sin(x)`, `x * 2`, `x + 1` and `x > 0` would be NaN, a text or false. In a template it is
   * what toString gives.
   *
   * @throws ArgumentError for these.
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ArgumentError(
      `${this.toString()} can't be used as a number, as in Math.sin(x), x * 2, x + 1 or x > 0: its numbers are on the GPU. ` +
        "Write sin(x), mul(x, 2), add(x, 1), greater(x, 0), or read it first: await x.item()",
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

/** While something runs that makes several calls: the Variables that it was given, by their arrays. */
const givenArrays = new Setting<ReadonlyMap<unknown, Variable> | null>(null);

/** The same for what one Function is called with: data goes with what is computed from it. @internal */
export function asOperand(operand: Operand): Variable {
  if (operand instanceof Variable) return operand;
  return (gradEnabled() ? undefined : givenArrays.current?.get(operand)) ?? Variable.temporary(operand);
}

/** Runs `f` on operands of which it makes any number of calls; what was given as data goes afterwards. */
export function withOperands<T>(operands: readonly Operand[], f: (variables: Variable[]) => T): T {
  const variables = operands.map(asOperand);
  const result = whileGiven(variables, () => f(variables));
  letGoOperands(variables);
  return result;
}

/** The same for one operand. */
export function withOperand<T>(operand: Operand, f: (variable: Variable) => T): T {
  return withOperands([operand], ([variable]) => {
    if (variable === undefined) throw new Error("gpugrad bug: an operand is gone");
    return f(variable);
  });
}

/** Runs `f`, in which no call lets go of these: whoever has made them does. @internal */
export function whileGiven<T>(variables: readonly Variable[], f: () => T): T {
  const given = new Map<unknown, Variable>(givenArrays.current ?? []);
  for (const variable of variables) given.set(variable.numbers, variable);
  return givenArrays.during(given, f);
}

/** They were used: gives back those that nobody else has. @internal */
export function letGoOperands(variables: readonly Variable[]): void {
  for (const variable of variables) {
    if (variable.isTemporary && givenArrays.current?.get(variable.numbers) !== variable) variable.letGoOfTemporary();
  }
}
