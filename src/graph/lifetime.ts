/**
 * The lifetime of a Variable's numbers: who needs them, when their memory is given back, and when they are computed again.
 *
 * `dispose()` gives back a result and what was computed on the way to it. The library can't see who else holds a Variable:
 * what was on the way goes only where it can be computed again, or where a graph that was disposed needed it.
 */
import { ArgumentError, ReleasedError } from "../base/errors.js";
import type { GpuArray } from "../gpu/array.js";
import type { Label } from "../gpu/holdings.js";
import { awaitChangeOf, handOn, isAwaited } from "./handed-out.js";
import { enter, isSpared } from "./made-here.js";
import { currentTask, insideFunction, Origin } from "./origin.js";
import { computeAgain, wayTo, type Recipe, type Roots, type Way } from "./recompute.js";

/** A Function, as far as this file knows it. */
interface Producer {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** @internal */
  readonly inputVersions: readonly number[];
  readonly repeatable: boolean;
  readonly differentiable: boolean;
  /** @internal */
  repeat(arrays: readonly GpuArray[], index: number): GpuArray;
  /** @internal */
  releaseInputs(): readonly Value[];
}

/**
 * - held: it was made, and not yet used
 * - passedOn: a Function of a graph has it as an input; it goes with what was computed from it, unless it is a leaf
 * - lent: a result without a graph was computed from it; it goes with that if it can be computed again
 * - kept: as held, for good
 * - disposed: it goes as soon as nothing needs it
 */
type State = "held" | "passedOn" | "lent" | "kept" | "disposed";

/** Functions whose operands have no gradients any more. */
const withoutGradients = new WeakSet<Producer>();

/** What a Variable is, apart from gradients and what people do with it. */
export abstract class Value {
  /** Its place in the order in which Variables were made. */
  readonly #place = enter(this);
  readonly #label: Label;
  #data: GpuArray;
  #state: State = "held";
  /** Functions of graphs that are not disposed and have this as an input. */
  #consumers = 0;
  /** What it was computed from without a graph. */
  #origin: Origin<Producer, Value> | null = null;
  /** Whether it, or what was computed from it, was the input of a Function of a graph: through that it may be needed again. */
  #wasInput = false;
  /** Leaves that are there and whose grad it is, with a graph of its own. */
  #leaves = 0;
  /** Results without a graph that were computed from it and have their numbers, and Variables whose grad it is. */
  #results = 0;
  /** Those of the results that the library may give back. */
  #lentResults = 0;
  #weak: WeakRef<Value> | null = null;
  /** The user's own array, where this is an operand that was given as one. */
  #given: GpuArray | null = null;
  #isTemporary = false;
  /** Where its memory was given back: what it comes from. */
  #roots: Roots<Value> | null = null;
  /** Whether something that was given back would be computed again from this. */
  #isOnAWay = false;
  /** Whether that is so through something that the user has disposed. */
  #isApart = false;
  /** Disposed, with numbers that only others are computed from. */
  #isHidden = false;
  /** Whether nobody but the library has seen it. */
  #isDiscarded = false;
  /** Whether noGrad gave it, so that somebody has it, or it was made before a throw, and somebody may. */
  #isHandedOut = false;

  /** @internal */
  protected constructor(data: GpuArray, label: Label) {
    this.#data = data;
    this.#label = label;
    data.track(label);
  }

  /** @internal */
  abstract get creator(): Producer | null;
  abstract toString(): string;
  /** Gives back its gradient with its numbers. */
  protected abstract dropGradient(): void;
  /** Nobody reads its gradient there any more: the gradient doesn't stay for it. @internal */
  protected abstract leaveGradient(): void;

  /** The array on the GPU. It belongs to the Variable; `data.reshape(data.shape)` is a share of your own. */
  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- so that the type checker refuses what the setter does
  get data(): GpuArray {
    const array = this.seen();
    array.own();
    return array;
  }

  /** @throws ArgumentError: numbers are changed in place, where the Variable is a leaf. */
  set data(_: never) {
    throw new ArgumentError(
      `the data of ${this.toString()} can't be replaced: assign(…) gives a leaf other numbers, and a new Variable has others`,
    );
  }

  /** The same, to be read: somebody has the Variable. @internal */
  protected seen(): GpuArray {
    if (this.#state !== "disposed" && this.creator === null && this.#origin !== null) this.#become("kept");
    return this.array;
  }

  /**
   * The same, for the library itself: it doesn't count as held by somebody. Where the memory was given back with what was
   * computed from it, the numbers are computed again.
   *
   * @internal
   */
  get array(): GpuArray {
    if (this.#isHidden) throw this.#goneError("");
    return this.#data.released ? this.#computeAgain() : this.#data;
  }

  /** The array as it is, which may be released. @internal */
  get numbers(): GpuArray {
    return this.#data;
  }

  /** Whether it was disposed, and its numbers are gone for good. @internal */
  get isGone(): boolean {
    return this.#state === "disposed" && (this.#isHidden || this.#data.released);
  }

  /** @internal */
  get isReadable(): boolean {
    return this.#state !== "disposed";
  }

  /** @internal */
  get roots(): Roots<Value> | null {
    return this.#roots;
  }

  /** The Function that computed it without a graph; null for what wasn't. @internal */
  get computedBy(): string | null {
    const origin = this.#origin;
    return this.creator !== null || origin === null || origin.isStandIn ? null : origin.f.name;
  }

  /** The Function that computed it and has no gradient; null for what isn't of such a one. @internal */
  get notDifferentiable(): string | null {
    return this.#origin?.f.differentiable === false ? this.#origin.f.name : null;
  }

  /** How its numbers come about; null where they can't be computed again. @internal */
  get recipe(): Recipe<Value> | null {
    const { creator } = this;
    if (creator?.repeatable === true) {
      return {
        f: creator,
        index: creator.outputs.indexOf(this),
        operands: creator.inputs,
        versions: creator.inputVersions,
      };
    }
    const origin = this.#origin;
    const operands = origin?.f.repeatable === true ? origin.operands() : null;
    if (origin === null || operands === null) return null;
    return { f: origin.f, index: origin.index, operands, versions: origin.versions };
  }

  /**
   * Holds an intermediate Variable, and its own graph, when what was computed from it is disposed. Without it the numbers
   * are computed again if you read them, which fails once something that they come from was changed or disposed.
   */
  keep(): this {
    if (this.#state !== "disposed") this.#become("kept");
    return this;
  }

  /** Whether keep() was called, or somebody held it without a doubt. @internal */
  get isKept(): boolean {
    return this.#state === "kept";
  }

  /** An own Function gave it that hasn't made it: somebody has it. @internal */
  holdResult(): void {
    if (this.creator === null && this.#origin !== null) this.keep();
  }

  /** noGrad gave it: it stays readable, whatever it was computed from. @internal */
  handOut(): void {
    if (this.creator === null && this.#origin !== null) this.#isHandedOut = true;
  }

  /**
   * Gives back the memory of this Variable and of everything that was computed on the way to it, with or without a graph,
   * and that nothing else needs: no other result that is there, no `keep()`. Its gradient goes with it. Leaves stay, and so do
   * their gradients.
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
    this.#become("disposed");
    this.leaveGradient();
    this.#giveBack();
  }

  /** As dispose, of what the library has made and nobody has seen: nothing that somebody has comes from it. @internal */
  discard(): void {
    this.#isDiscarded = true;
    this.dispose();
  }

  /** Gives it back where it was computed, nobody kept it and nothing needs it. @internal */
  letGo(): void {
    this.#passOn("lent");
    this.#giveBack();
  }

  /** As letGo, of what was made before something was thrown: whoever has it nevertheless can read it as before. @internal */
  abandon(): void {
    this.#isHandedOut = true;
    this.letGo();
  }

  /** Takes back that it was computed, where nothing was computed from it: its operands are as before. @internal */
  undo(): void {
    const { creator } = this;
    if (creator === null || this.#consumers > 0) return;
    this.#data.release();
    for (const input of creator.releaseInputs()) {
      input.#consumers--;
      if (input.#consumers === 0 && input.#state === "passedOn") input.#state = "held";
    }
  }

  /** Counts one more Function that needs this as its input. @internal */
  addConsumer(): void {
    this.#consumers++;
    this.#wasInput = true;
    this.#passOn("passedOn");
  }

  /** One Function less needs it. @internal */
  removeConsumer(): void {
    this.#consumers--;
  }

  /** It is some Variable's grad. @internal */
  lend(): void {
    this.#results++;
    this.#passOn("lent");
  }

  /** It is not any more, and goes where it can be computed again and nothing else needs it. @internal */
  takeBack(): void {
    this.#results--;
    this.#giveBack();
  }

  /** It is a leaf's grad, with a graph of its own: it stays, whatever was computed from it. @internal */
  stayWithLeaf(): void {
    this.#leaves++;
  }

  /** It is not any more: it goes with what was computed from it. @internal */
  leaveLeaf(): void {
    this.#leaves--;
    this.#giveBack();
  }

  /**
   * The pass that made it is over: from now on it is held, whatever was computed from it, until it is replaced.
   *
   * @param withGraph whether gradients of this pass have a graph, through which this one may be needed again
   * @internal
   */
  becomeGradient(withGraph: boolean): void {
    if (this.#state === "lent") this.#become("held");
    if (withGraph) {
      this.#wasInput = true;
      this.#origin?.hold();
    }
    if (this.#origin !== null) this.#origin.inner = false;
  }

  /** Says what this was computed from without a graph, as the `index`-th output of `f`. @internal */
  comeFrom(f: Producer, index: number, operands: readonly Value[]): void {
    const known: (Value | WeakRef<Value>)[] = [];
    const versions: number[] = [];
    for (const operand of operands) {
      const isConstant = operand.#data.constant !== null && operand.#origin === null && operand.creator === null;
      known.push(isConstant ? operand : operand.weak);
      versions.push(operand.#data.version);
      operand.#results++;
      // What a backward reads of its graph is not its to give away: somebody may want to read the output afterwards.
      if (!insideFunction.current || operand.creator === null) operand.#passOn("lent");
    }
    this.#origin = new Origin(f, index, known, versions);
  }

  /**
   * Says that it stands for `operand`, whose numbers it has: it goes with what is computed from it, and can then be had from
   * there as long as that is as it was. The operand stays.
   *
   * @internal
   */
  standFor(operand: Value, f: Producer): void {
    this.#origin = new Origin<Producer, Value>(f, 0, [operand.weak], [operand.#data.version], true);
  }

  /** @internal */
  get weak(): WeakRef<this> {
    return (this.#weak ??= new WeakRef<Value>(this)) as WeakRef<this>;
  }

  /** Makes a leaf of it, whose numbers are not what its operands gave any more. @internal */
  forgetOrigin(): void {
    this.regain();
    this.#leaveOperands();
    this.#origin = null;
  }

  /**
   * Makes it an operand that only the Function has to which it is given: it goes with what is computed from it.
   *
   * @param given where its numbers can be had again: the user's own array, or a Function that makes one
   * @internal
   */
  becomeTemporary(given: GpuArray | Producer): void {
    this.#state = "disposed";
    this.#isTemporary = true;
    if ("outputs" in given) this.#origin = new Origin(given, 0, [], []);
    else this.#given = given;
  }

  /** Whether it is an operand that was given as data. @internal */
  get isTemporary(): boolean {
    return this.#isTemporary;
  }

  /** Gives back an operand that only a Function had. @internal */
  letGoOfTemporary(): void {
    this.#giveBack();
  }

  /** Holds an operand that was given as data: somebody gets to see it. @internal */
  keepIfTemporary(): this {
    if (!this.#isTemporary) return this;
    this.#isTemporary = false;
    this.#given = null;
    this.#state = "kept";
    return this;
  }

  #passOn(state: "passedOn" | "lent"): void {
    const now = this.#state;
    if (now !== "held" && !(now === "lent" && state === "passedOn")) return;
    const wasHeld = this.creator === null && this.#origin !== null && this.#origin.task !== currentTask();
    this.#become(wasHeld ? "kept" : state);
  }

  #become(state: State): void {
    const change = Number(state === "lent") - Number(this.#state === "lent");
    this.#state = state;
    if (change === 0 || this.#origin?.counted !== true) return;
    for (const operand of this.#origin.there()) operand.#lentResults += change;
  }

  #giveBack(): void {
    // Who has disposed of a result reads no gradients on the way to it any more.
    const waiting: { readonly value: Value; readonly dropsGradients: boolean }[] = [
      { value: this, dropsGradients: this.#state === "disposed" },
    ];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { creator } = next.value;
      const outputs = creator?.outputs ?? [next.value];
      // A Function's outputs go together: its backward may need each of them.
      if (!outputs.every((output) => output.#isFree())) continue;
      const dropsGradients = next.dropsGradients || outputs.some(({ isReadable }) => !isReadable);
      for (const output of outputs) {
        output.#release();
        if (dropsGradients) output.dropGradient();
        for (const value of output.#leaveOperands()) waiting.push({ value, dropsGradients: false });
        const isForgotten =
          output.#state === "disposed" &&
          output.#results === 0 &&
          !output.#isOnAWay &&
          !output.#wasInput &&
          !output.#isTemporary;
        // Numbers that are there need no history.
        if (isForgotten || output.#isHidden) output.#origin = null;
      }
      for (const value of creator?.releaseInputs() ?? []) {
        value.#consumers--;
        waiting.push({ value, dropsGradients });
      }
      if (creator !== null && dropsGradients && !withoutGradients.has(creator)) {
        withoutGradients.add(creator);
        // Those of a graph that went before, with what had been computed from its result, are still there.
        for (const value of creator.inputs) {
          if (value.#isGivenBack) waiting.push({ value, dropsGradients });
        }
      }
    }
  }

  /** Whether it has gone with its graph. */
  get #isGivenBack(): boolean {
    return this.#consumers === 0 && this.#state === "passedOn" && this.creator !== null && this.#data.released;
  }

  #release(): void {
    // A constant has no memory to give back, such as the ones that a pass starts from.
    const costsNothing = this.#isDiscarded && this.#data.constant !== null;
    if (costsNothing || this.#isNeeded()) {
      this.#isHidden = true;
      return;
    }
    if (this.#data === this.#given) return;
    this.#isHidden = false;
    if (this.#state === "disposed") {
      this.#tellThoseHandedOut();
      // What a Function of a graph gave from it is computed again through it.
      if (this.#wasInput && this.#origin !== null && !this.#data.released) this.#prepareToComputeAgain();
    }
    this.#data.release();
    // The numbers are still the user's, and can be taken from there as long as they are.
    if (this.#given !== null) this.#data = this.#given;
  }

  /** Whether nobody else has what this one comes from, and others that may be given back are only to be had from it. */
  #isNeeded(): boolean {
    if (this.#isHidden) return this.#isOnAWay || this.#lentResults > 0;
    if (this.#state !== "disposed" || this.#data.released || !this.#isComputed) return false;
    const hasLent = this.#lentResults > 0 && !this.#isDiscarded;
    if (!this.#isApart && !hasLent) return false;
    const way = wayTo<Value>(this);
    if (way === null) return true;
    this.#isApart = true;
    this.#holdWay(way);
    return false;
  }

  /** What noGrad gave and comes from this one is somebody's: it gets its numbers while that can be. */
  #tellThoseHandedOut(): void {
    try {
      this.#data.memory?.beforeLoss();
    } catch {
      // No memory, or no device: then reading it says that it is gone.
    }
  }

  get #isComputed(): boolean {
    return this.#origin !== null || this.creator !== null;
  }

  #leaveOperands(): readonly Value[] {
    const origin = this.#origin;
    if (origin?.counted !== true) return [];
    origin.counted = false;
    const operands = origin.there();
    for (const operand of operands) {
      operand.#results--;
      if (this.#state === "lent") operand.#lentResults--;
    }
    return operands;
  }

  /** Whether nothing needs this Variable: it was disposed, or computed on the way and not kept. */
  #isFree(): boolean {
    if (this.#consumers > 0) return false;
    if (this.#state === "disposed") return true;
    if (this.#state !== "passedOn" && this.#state !== "lent") return false;
    if (isSpared(this.#place) || this.#leaves > 0) return false;
    if (this.#data.released) return true;
    if (this.#state === "passedOn" && this.creator !== null) {
      // It goes with its graph; where it can be computed again, it can be read.
      const isThere = (this.#origin !== null || this.#mustStay) && this.#prepareToComputeAgain();
      return isThere || !(this.#mustStay || this.#isOriginForgotten);
    }
    if (this.#results > 0) return false;
    return this.#prepareToComputeAgain() || (this.#origin?.inner === true && !this.#mustStay);
  }

  /** Whether it could be computed again, had the collector not found what its Function computed on the way to it. */
  get #isOriginForgotten(): boolean {
    const found = new Set<Value>([this]);
    // A Set gives what is added to it meanwhile, too.
    for (const value of found) {
      const origin = value.#origin;
      if (origin === null) continue;
      const operands = origin.operands();
      if (operands === null) return true;
      for (const operand of operands) if (operand.#data.released) found.add(operand);
    }
    return false;
  }

  /** Holds what this would be computed from again. False where something of that is gone or has changed. */
  #prepareToComputeAgain(): boolean {
    const way = wayTo<Value>(this);
    if (way === null || (this.#mustStay && !this.#awaitChanges(way))) return false;
    this.#holdWay(way);
    return true;
  }

  /** Has it computed again before what it comes from changes. False where an application can change that unheard. */
  #awaitChanges({ roots }: Way<Value>): boolean {
    const arrays = [...roots.states.values()].map(({ array }) => array);
    if (arrays.some(({ memory }) => memory?.isExposed === true)) return false;
    for (const array of arrays) {
      awaitChangeOf(array, this.weak);
      if (array.memory !== null) awaitChangeOf(array.memory, this.weak);
    }
    return true;
  }

  #holdWay({ roots, through }: Way<Value>): void {
    this.#roots = roots;
    for (const value of through) {
      value.#origin?.hold();
      if (value !== this) value.#isOnAWay = true;
    }
    for (const root of roots.states.keys()) {
      root.#isOnAWay = true;
      if (this.#isApart || roots.apart.has(root)) root.#isApart = true;
    }
  }

  /** Whether noGrad gave it, or something that comes from it and was given back. */
  get #mustStay(): boolean {
    return this.#isHandedOut || isAwaited(this.#data);
  }

  /** @internal */
  get isMissed(): boolean {
    return this.isReadable && this.#data.released && this.#mustStay;
  }

  /** Computes it again, where it was given back, somebody may read it and it can be. @internal */
  regain(): void {
    if (this.isReadable && this.#data.released && wayTo<Value>(this) !== null) this.#computeAgain();
  }

  /** The numbers that were given back, from those that they were computed from. @throws ReleasedError. */
  #computeAgain(): GpuArray {
    if (this.#state === "disposed") throw this.#goneError("");
    const array = computeAgain<Value>(this, (because, isChanged) =>
      this.#goneError(
        isChanged
          ? `, and can't be computed again since ${because.toString()} was changed in place`
          : because === this
            ? ""
            : `, and can't be computed again since ${because.toString()} is gone, too`,
      ),
    );
    this.take(array);
    this.keep();
    return array;
  }

  /** @internal */
  take(array: GpuArray): void {
    handOn(this.#data, array);
    this.#data = array.copyOnWrite();
    this.#roots = null;
    array.track(this.#label);
  }

  #goneError(why: string): ReleasedError {
    return new ReleasedError(
      `${this.toString()} was released, by dispose() on it or on what was computed from it${why}; keep() holds it`,
    );
  }
}
