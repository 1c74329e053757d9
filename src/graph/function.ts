/** A Function: one node of the graph. It computes its outputs from its inputs, and their gradients backwards. */
import { checkList } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { callSite, inBackwardOf, type CallSite } from "../base/call-sites.js";
import {
  ArgumentError,
  FunctionReusedError,
  ModifiedError,
  NotDifferentiableError,
  NotImplementedError,
} from "../base/errors.js";
import { gradEnabled, withGrad } from "./grad-mode.js";
import type { Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import type { Device } from "../gpu/device.js";
import { describe } from "../base/describe.js";
import type { MathMode } from "../wgsl/math.js";
import { insideFunction } from "./origin.js";
import { Setting } from "./setting.js";
import { givingBack } from "./made-here.js";
import { asOperand, letGoOperands, Variable, whileGiven, type Operand } from "./variable.js";

/** Gives the symbols that stand for a Function's outputs where it is called, but not to compute: what `fuse` looks at. */
export type Trace = (f: Function, inputs: readonly Variable[]) => readonly Variable[];

/** Whether calls compute (null), or only take their place in a graph of symbols. */
export const tracing = new Setting<Trace | null>(null);

const none: readonly never[] = [];

/** One result, as an array or a Variable. */
export type Result = GpuArray | Variable;

/** A class of nodes of the graph: `new` gives one that isn't called yet, and can be called once. */
export type NodeClass<Node extends Function> = new () => Node;

/**
 * The base of all functions. A subclass writes `forward`, from arrays to an array (or several), and `backward`, from the
 * gradients of the outputs to those of the inputs. Both are made of other Functions, of kernels (see Kernel), or both.
 * Where `backward` is made of Functions, it can be differentiated again.
 *
 * @example
 * class Cube extends Function {
 *   override forward(x: GpuArray) {
 *     return square(x).mul(x);
 *   }
 *   override backward(gy: Variable) {
 *     return square(this.input).mul(3).mul(gy);
 *   }
 * }
 * const y = new Cube().call(x);
 */
export abstract class Function {
  #inputs: readonly Variable[] = none;
  #outputs: readonly Variable[] = none;
  #generation = 0;
  /** Whether the inputs count this as their consumer. */
  #holdsInputs = false;
  /** Of the inputs' and outputs' data, when they were used. */
  #versions: readonly number[] = none;
  #math: MathMode = "exact";
  #site: CallSite | null = null;

  /** Shown in graphs and errors: the name of the class. */
  get name(): string {
    return this.constructor.name;
  }

  /** Whose backward it is that gives arrays, for the error where those can't be differentiated. @internal */
  get backwardName(): string {
    return this.name;
  }

  /** Where the user called it; null without init({ debug: true }). @internal */
  get site(): CallSite | null {
    return this.#site;
  }

  /** The math that it ran with, and runs with again. */
  protected get math(): MathMode {
    return this.#math;
  }

  /** The WGSL that it runs, whole; null where it has none of its own, as a reshape or one that is made of others. */
  get wgsl(): string | null {
    return null;
  }

  /** The inputs of the call, in order. */
  get inputs(): readonly Variable[] {
    return this.#inputs;
  }

  /** The outputs of the call, in order. */
  get outputs(): readonly Variable[] {
    return this.#outputs;
  }

  /** The first input. @throws ArgumentError before the call. */
  get input(): Variable {
    return this.#first(this.#inputs, "input");
  }

  /** The first output. @throws ArgumentError before the call. */
  get output(): Variable {
    return this.#first(this.#outputs, "output");
  }

  /** The greatest generation of the inputs: backward passes visit Functions from high to low. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Runs `forward` and gives its output, the first where there are several (`outputs` has all). One instance is one node
   * and can be called once.
   *
   * @throws FunctionReusedError at a second call; ArgumentError where an input is not an Operand; what `forward` throws.
   */
  call(...inputs: Operand[]): Variable {
    if (this.#outputs !== none) {
      throw new FunctionReusedError(
        `this ${this.name} was called already: one instance is one node of the graph. ` +
          "Make a new one for each call, or use the lower-case function",
      );
    }
    const missing = (inputs as readonly unknown[]).indexOf(undefined);
    if (missing >= 0) {
      throw new ArgumentError(
        `${this.name}: operand ${missing} is missing: it must be a Variable, a number, an array of numbers or a GpuArray, not undefined`,
      );
    }
    this.#site = callSite();
    const variables = inputs.map(asOperand);
    const trace = tracing.current;
    if (trace !== null) return this.#record(variables, trace(this, variables));
    const arrays = variables.map(({ array }) => array);
    this.#math = arrays[0]?.device.math ?? "exact";
    const made = GpuArray.made;
    const results = toList(withGrad(false, () => this.#runForward(arrays, variables)));
    const remember = gradEnabled() && this.differentiable && variables.some(({ requiresGrad }) => requiresGrad);
    const taken = new Set(arrays);
    const outputs = results.map((result) => this.takeOver(result, "forward", made, taken, remember, variables));
    if (remember) {
      this.#holdsInputs = true;
      for (const variable of variables) variable.addConsumer();
      this.#versions = versionsOf(variables, outputs);
      return this.#record(variables, outputs);
    }
    this.#outputs = outputs;
    outputs.forEach((output, index) => {
      if (!(results[index] instanceof Variable)) output.comeFrom(this, index, variables);
    });
    letGoOperands(variables);
    return this.output;
  }

  #runForward(arrays: readonly GpuArray[], variables: readonly Variable[]): Result | readonly Result[] {
    if (this.repeatable) return this.forward(...arrays);
    return whileGiven(variables, () => insideFunction.during(true, () => givingBack(() => this.forward(...arrays))));
  }

  /**
   * A Variable of what `forward` or `backward` gave. An array that it made and nobody else can have becomes the Variable's
   * own; of any other, the Variable takes a share, since it stays its owner's. Neither changes with any other array.
   *
   * @param made how many arrays there were before the call
   * @param taken the arrays that have an owner; this one is added
   * @param operands what goes with the result, besides what was computed on the way to it
   * @internal
   */
  takeOver(
    result: unknown,
    who: string,
    made: number,
    taken: Set<GpuArray>,
    requiresGrad = false,
    operands: readonly Variable[] = none,
  ): Variable {
    const data = arrayOf(result, `${this.name}.${who}`);
    const isFree = data.serial > made && !taken.has(data) && result === data && !this.#saved(data);
    taken.add(data);
    // It was there before: somebody has it.
    if (result instanceof Variable && data.serial <= made) result.holdResult();
    if (isFree) return Variable.of(data.copyOnWrite(), requiresGrad);
    const share = Variable.of(data.share().copyOnWrite(), requiresGrad);
    // What the user's functions computed on the way goes with what they gave.
    if (result instanceof Variable) share.comeFrom(new Identity(), 0, [result, ...(requiresGrad ? none : operands)]);
    return share;
  }

  /** `backward` without a graph: what it computes on the way goes with what it gives. @internal */
  backwardWithoutGraph(gradients: readonly Variable[]): ReturnType<Function["backward"]> {
    const run = (): ReturnType<Function["backward"]> => this.backward(...gradients);
    return inBackwardOf(this.#site, () => withGrad(false, () => insideFunction.during(true, () => givingBack(run))));
  }

  /** Whether the array was put into this node, as a backward may need it. */
  #saved(data: GpuArray): boolean {
    if (this.repeatable) return false;
    return Object.values(this).some(
      (value: unknown) => value === data || (Array.isArray(value) && value.includes(data)),
    );
  }

  /** Runs `forward` once more, for a result whose memory was given back. @internal */
  repeat(arrays: readonly GpuArray[], index: number): GpuArray {
    const run = (): Result | readonly Result[] => withGrad(false, () => this.forward(...arrays));
    const results = toList(arrays[0]?.device.withMath(this.#math, run) ?? run());
    const wanted = arrayOf(at(results, index), `${this.name}.forward`);
    for (const result of results) if (result instanceof GpuArray && result !== wanted) result.release();
    return arrays.includes(wanted) ? wanted.reshape(wanted.shape) : wanted;
  }

  /** Of the data of the inputs, when they were used. @internal */
  get inputVersions(): readonly number[] {
    return this.#versions.slice(0, this.#inputs.length);
  }

  /**
   * Whether `forward` gives the same numbers from the same arrays, whenever it is called and however often. What was
   * computed on the way can then be given back while somebody may still read it, and is computed again if somebody does.
   */
  get repeatable(): boolean {
    return false;
  }

  /** False for a function without a gradient, such as a comparison: its outputs are leaves that need none. */
  readonly differentiable: boolean = true;

  /**
   * Whether each array or Variable that `backward` makes and gives is kept by nobody else. The pass then releases it as soon
   * as the gradient was used; of any other it takes a share of its own.
   */
  readonly givesFreshGradients: boolean = false;

  /**
   * Adds the input's gradient to one that is there, in place, from that of the output: for Functions of one input and one output
   * whose gradient is mostly zeros. null where `backward` alone gives it.
   *
   * @internal
   */
  readonly addGradient: ((gy: GpuArray, gradient: GpuArray) => void) | null = null;

  /** Takes its place in the graph. */
  #record(inputs: readonly Variable[], outputs: readonly Variable[]): Variable {
    this.#inputs = inputs;
    this.#outputs = outputs;
    for (const { generation } of inputs) if (generation > this.#generation) this.#generation = generation;
    for (const output of outputs) output.setCreator(this);
    return this.output;
  }

  /** Computes the output from the inputs' data. Nothing in it is remembered for the graph. */
  forward(..._inputs: GpuArray[]): Result | readonly Result[] {
    throw new NotImplementedError(`${this.name} has no forward: write forward(x) to compute its output`);
  }

  /**
   * Computes the gradient of each input from those of the outputs: one, or a list in the order of the inputs, with null
   * where an input has none. Only a backward made of Functions can be differentiated again.
   */
  backward(..._gradients: Variable[]): Result | null | readonly (Result | null)[] {
    throw new NotImplementedError(`${this.name} has no backward: write backward(gy) to give its input's gradient`);
  }

  /** The inputs, once: what needed them is disposed. @internal */
  releaseInputs(): readonly Variable[] {
    if (!this.#holdsInputs) return [];
    this.#holdsInputs = false;
    return this.#inputs;
  }

  /** Whether backward reads the data of the k-th of the inputs and outputs, which must not have changed then. @internal */
  backwardReads(_k: number): boolean {
    return true;
  }

  /** @throws ModifiedError where data that backward needs was changed in place after forward. @internal */
  checkUnchanged(): void {
    this.#versions.forEach((_, k) => {
      if (!this.backwardReads(k) || !this.isChanged(k)) return;
      const variable = this.#variable(k);
      throw new ModifiedError(
        `${variable.toString()} was changed in place after ${this.name} used it: call backward() before assign() or descend()`,
      );
    });
  }

  /** Whether the data of the k-th of the inputs and outputs was changed in place after it was used. @internal */
  isChanged(k: number): boolean {
    const version = this.#versions[k];
    return version !== undefined && this.#variable(k).array.version !== version;
  }

  #variable(k: number): Variable {
    const { length } = this.#inputs;
    return k < length ? at(this.#inputs, k) : at(this.#outputs, k - length);
  }

  #first(list: readonly Variable[], what: string): Variable {
    const [first] = list;
    if (first === undefined) throw new ArgumentError(`this ${this.name} has no ${what} before it is called`);
    return first;
  }
}

function versionsOf(inputs: readonly Variable[], outputs: readonly Variable[]): number[] {
  return [...inputs, ...outputs].map(({ array }) => array.version);
}

export function toList<T extends object | null>(results: T | readonly T[]): readonly T[] {
  return Array.isArray(results) ? checkList<T>(results, "what a Function gives") : [results as T];
}

/** Gives back a result that nobody asked for, unless the same Variable stands in another place, too. */
export function letGoIfAlone(
  result: Variable,
  results: readonly unknown[],
  others: { has(variable: Variable): boolean },
): void {
  if (!others.has(result) && results.indexOf(result) === results.lastIndexOf(result)) result.letGo();
}

/** The data of a result. @throws ArgumentError naming who gave it, where it is none. */
export function arrayOf(result: unknown, who: string): GpuArray {
  if (result instanceof GpuArray) return result;
  if (result instanceof Variable) return result.array;
  throw new ArgumentError(`${who} must give a GpuArray or a Variable, not ${describe(result)}`);
}

// These two stand here, since a class can extend Function only where Function has been defined: not in backward.ts, which
// is loaded first.

/** The same numbers once more, where one Variable would stand in two places of a graph. */
export class Identity extends Function {
  override get name(): string {
    return "Identity";
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(x: GpuArray): GpuArray {
    return x;
  }

  override backward(gy: Variable): Variable {
    return gy;
  }

  override backwardReads(): boolean {
    return false;
  }
}

/** Numbers that were given to a Function as data: where they come from, should they be needed again. */
export class Given extends Function {
  readonly #numbers: Float32Array;
  readonly #shape: Shape;
  readonly #device: Device;

  constructor(numbers: Float32Array, { shape, device }: GpuArray) {
    super();
    this.#numbers = numbers;
    this.#shape = shape;
    this.#device = device;
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(): GpuArray {
    return GpuArray.from(this.#numbers, this.#shape, this.#device);
  }
}

/** Stands for a backward that ran as a kernel: gives its results a creator, which says so when asked for gradients. */
export class OnceDifferentiable extends Function {
  readonly #of: string;
  readonly #arrays: readonly GpuArray[];

  constructor(of: string, arrays: readonly GpuArray[]) {
    super();
    this.#of = of;
    this.#arrays = arrays;
  }

  override get name(): string {
    return `${this.#of}.backward`;
  }

  override forward(): readonly GpuArray[] {
    return this.#arrays;
  }

  override backward(): never {
    throw new NotDifferentiableError(
      `${this.#of} can't be differentiated twice: its backward is a kernel. Give it a derivative made of Functions`,
    );
  }
}
