/** Functions that are WGSL for one number: the built-in ones and a user's own (own.ts), the same way. */
import eitherNonzeroWgsl from "../../shaders/eitherNonzero.wgsl?raw";
import gateWgsl from "../../shaders/gate.wgsl?raw";
import gatedWgsl from "../../shaders/gated.wgsl?raw";
import strongZeroWgsl from "../../shaders/strongZero.wgsl?raw";
import { checkOperands } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, NotDifferentiableError } from "../base/errors.js";
import { Function, toList, letGoIfAlone, type NodeClass } from "../graph/function.js";
import { gradEnabled } from "../graph/grad-mode.js";
import type { GpuArray } from "../gpu/array.js";
import { broadcastGradient, sumGradient, sumTo } from "./broadcast.js";
import { ElementwiseShaders, type Traits } from "./shaders.js";
import { broadcastOperand } from "./operands.js";
import { broadcastShapes, sameShape, type Shape } from "../base/shape.js";
import { asVariable, checkVariable, type Operand, Variable } from "../graph/variable.js";
import { librarySource, type BackwardArgument, type ElementwiseSource } from "../wgsl/source.js";

/**
 * The gradients of the inputs, as Variables made of other functions; null for an input that has none. It is given the
 * gradient of the output, the inputs in order, and the output.
 */
export type Derivative = (...gyInputsAndOutput: Variable[]) => Variable | null | readonly (Variable | null)[];

/** One Variable, or as many as the WGSL gives numbers. */
export type Results<Outputs extends number> = Outputs extends 1 ? Variable : Several<Outputs>;

type Several<Count extends number, List extends readonly Variable[] = readonly []> = List["length"] extends 9
  ? readonly Variable[]
  : List["length"] extends Count
    ? List
    : Several<Count, readonly [...List, Variable]>;

/** A function of Variables, numbers and arrays, which are broadcast as in NumPy. */
export interface ElementwiseFunction<Inputs extends readonly Operand[] = Operand[], Outputs extends number = 1> {
  (...inputs: Inputs): Results<Outputs>;
  /** The class whose instances are nodes of the graph: `new square.Node().call(x)` is `square(x)`. */
  readonly Node: NodeClass<Elementwise>;
  /** The WGSL it was made from. */
  readonly wgsl: string;
  /**
   * The WGSL of its gradient, derived from its own: to read, to copy, to mend. null where the gradient was written by hand, or
   * there is none.
   *
   * @throws WgslError, with the line, where the source can't be differentiated.
   */
  readonly gradient: string | null;
  /** Compiles the usual shaders ahead, so that a first call doesn't wait. */
  prepare(): Promise<void>;
}

/**
 * The function of one of the library's own shaders, which are known to compile.
 *
 * @internal
 */
/* @__NO_SIDE_EFFECTS__ */
export function builtin<Inputs extends readonly Operand[]>(
  wgsl: string,
  derivative?: Derivative,
  traits: Omit<Traits, "origin"> = {},
): ElementwiseFunction<Inputs> {
  return define(wgsl, librarySource(wgsl), derivative ?? null, { ...traits, origin: "library" });
}

/** The class of a function's nodes. Reading a property, which a getter may do anything in, would keep the function in every bundle. @internal */
/* @__NO_SIDE_EFFECTS__ */
export function nodeOf(f: ElementwiseFunction<never>): NodeClass<Elementwise> {
  return f.Node;
}

/**
 * The function of a source: what `elementwise` gives, and `builtin`.
 *
 * @param wgsl what it was written as
 * @internal
 */
export function define<Inputs extends readonly Operand[], Outputs extends number = 1>(
  wgsl: string,
  source: ElementwiseSource,
  derivative: Derivative | null,
  traits: Traits,
): ElementwiseFunction<Inputs, Outputs> {
  const shaders = new ElementwiseShaders(source, traits);
  // Named by computed key, so that graphs and errors show "Square" whatever a minifier does to classes.
  const className = source.name.charAt(0).toUpperCase() + source.name.slice(1);
  const { [className]: Node } = {
    [className]: class extends Elementwise {
      constructor() {
        super(source, shaders, derivative);
      }

      override again(): Elementwise {
        return make();
      }
    },
  };
  if (Node === undefined) throw new Error("gpugrad bug: no class");
  const make = (): Elementwise => new Node();
  const apply = (...inputs: Inputs): Results<Outputs> => {
    const node = make();
    const first = node.call(...inputs);
    return (source.outputs === 1 ? first : [...node.outputs]) as Results<Outputs>;
  };
  const own = { Node, wgsl, gradient: null, prepare: () => shaders.prepare() };
  return Object.defineProperty(Object.assign(apply, own), "gradient", { get: () => source.derived?.wgsl ?? null });
}

/**
 * One call of an element-wise function: a node of the graph. Its class is made by `elementwise`, or by `fuse`.
 *
 * @example
 * const node = new square.Node();
 * node.call([1, 2]); // [1, 4]
 * console.log(node.name); // "Square"
 */
export abstract class Elementwise extends Function {
  override readonly differentiable: boolean;
  override readonly givesFreshGradients = true;
  /** @internal */
  readonly source: ElementwiseSource;
  /** @internal */
  protected readonly shaders: ElementwiseShaders;
  readonly #derivative: Derivative | null;

  /** @internal */
  constructor(source: ElementwiseSource, shaders: ElementwiseShaders, derivative: Derivative | null) {
    super();
    this.differentiable = source.differentiable;
    this.source = source;
    this.shaders = shaders;
    this.#derivative = derivative;
  }

  /** Another node of the same function, not called yet. @internal */
  abstract again(): Elementwise;

  /** What makes its gradients differentiable; null where they come from the shader alone. @internal */
  get derivative(): Derivative | null {
    return this.#derivative;
  }

  /** @internal */
  get traits(): Traits {
    return this.shaders.traits;
  }

  /** The shader that runs forward, whole, where all inputs have the same shape, whole. */
  override get wgsl(): string {
    return this.shaders.whole().source(this.math);
  }

  /** @internal */
  override backwardReads(k: number): boolean {
    const { length } = this.inputs;
    const read = ({ to, index }: BackwardArgument): boolean =>
      to === "input" ? index === k : to === "output" && length + index === k;
    return this.shaders.backwardArguments?.some(read) === true;
  }

  /** @throws ArgumentError where the number of operands isn't that of the parameters. @internal */
  checkCount(operands: number): void {
    checkOperands(this.source.name, this.source.inputs, operands);
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(...inputs: GpuArray[]): GpuArray | readonly GpuArray[] {
    this.checkCount(inputs.length);
    const shape = broadcastShapes(
      inputs.map((input) => input.shape),
      this.source.name,
    );
    return this.shaders.runForward(
      inputs.map((input) => broadcastOperand(input, shape)),
      shape,
    );
  }

  override backward(...gradients: Variable[]): readonly (GpuArray | Variable | null)[] {
    if (gradEnabled() && this.derivative !== null) return this.#differentiably(gradients);
    const { backwardArguments, traits } = this.shaders;
    if (backwardArguments === null) {
      const { name } = this.source;
      throw new NotDifferentiableError(`${name} has no gradient`);
    }
    const { identityGradients = [], withoutGradient = [] } = traits;
    const { shape } = this.output;
    const variables = { input: this.inputs, output: this.outputs, gradient: gradients };
    const operands = backwardArguments.map(({ to, index }) =>
      broadcastOperand(at(variables[to], index).array, shape, to === "gradient"),
    );
    const asking = this.inputs.flatMap(({ requiresGrad }, index) =>
      requiresGrad && !withoutGradient.includes(index) ? [index] : [],
    );
    const wanted = asking.filter((index) => !identityGradients.includes(index));
    const written = wanted.length === 0 ? [] : this.shaders.runBackward(operands, shape, wanted);
    try {
      return this.inputs.map((input, index) => {
        if (!asking.includes(index)) return null;
        const k = wanted.indexOf(index);
        return summedTo(k < 0 ? at(gradients, 0).array.reshape(shape) : at(written, k), input.shape);
      });
    } catch (error) {
      for (const gradient of written) gradient.release();
      throw error;
    }
  }

  /**
   * The gradients as the derivative gives them, in whatever shapes, and 0 where the output's is exactly 0, those of all
   * outputs where there are several.
   *
   * @throws NotDifferentiableError where there is no derivative.
   */
  derive(
    gradients: readonly Variable[],
    inputs: readonly Variable[],
    outputs: readonly Variable[],
  ): readonly (Variable | null)[] {
    const { name } = this.source;
    const { derivative } = this;
    if (derivative === null) {
      throw new NotDifferentiableError(
        `${this.name} can't be differentiated twice: its backward is a kernel. Give it a derivative made of Functions`,
      );
    }
    const { identityGradients = [], keepsZero = false, derivativeKeepsZero = keepsZero } = this.traits;
    const operands = [...inputs, ...outputs];
    const gy = derivativeKeepsZero ? null : zeroWhereAllAre(gradients);
    const results =
      gy === null
        ? toList<Variable | null>(derivative(...gradients, ...operands))
        : gated(gy, operands, (own) => toList<Variable | null>(derivative(...gradients, ...own)));
    if (results.length !== inputs.length) {
      throw new ArgumentError(`${name}'s derivative must give ${inputs.length} gradients, gave ${results.length}`);
    }
    return results.map((result, index) => {
      if (result === null) return null;
      checkVariable(result, `what ${name}'s derivative gives`);
      if (!at(inputs, index).requiresGrad) {
        letGoIfAlone(result, results, new Set([...gradients, ...operands]));
        return null;
      }
      return gy === null || identityGradients.includes(index) ? result : strongZero(gy, result);
    });
  }

  #differentiably(gradients: readonly Variable[]): (Variable | null)[] {
    return this.derive(gradients, this.inputs, this.outputs).map((result, index) => {
      if (result === null) return null;
      const { shape } = at(this.inputs, index);
      const full = broadcastShapes([result.shape, shape], this.source.name);
      return sumGradient(broadcastGradient(result, full), shape);
    });
  }
}

/**
 * The derivative of a function of several outputs from those of each. It is given the gradients of the outputs and then the
 * inputs; what an output's gradient multiplies counts as 0 where that is exactly 0.
 *
 * @param add how gradients are added
 * @internal
 */
export function ofOutputs(
  count: number,
  derivativeOf: (output: number) => (gy: Variable, inputs: readonly Variable[]) => readonly (Variable | null)[],
  add: (a: Variable, b: Variable) => Variable,
): Derivative {
  return (...operands) => {
    const inputs = operands.slice(count, operands.length - count);
    const sums: (Variable | null)[] = inputs.map(({ requiresGrad }) => (requiresGrad ? asVariable(0) : null));
    operands.slice(0, count).forEach((gy, output) => {
      if (gy.array.constant === 0) return;
      const derivative = derivativeOf(output);
      const results = isNeverZero(gy) ? derivative(gy, inputs) : gated(gy, inputs, (own) => derivative(gy, own));
      results.forEach((result, k) => {
        if (result === null) return;
        const own = isNeverZero(gy) ? result : strongZero(gy, result);
        const before = sums[k];
        sums[k] = before === null || before === undefined || before.array.constant === 0 ? own : add(before, own);
      });
    });
    return sums;
  };
}

function isNeverZero({ array: { constant } }: Variable): boolean {
  return constant !== null && constant !== 0;
}

/** What is exactly 0 where all of these are; null where they are nowhere. */
function zeroWhereAllAre(gradients: readonly Variable[]): Variable | null {
  if (gradients.some(isNeverZero)) return null;
  const [first = at(gradients, 0), ...others] = gradients.filter(({ array }) => array.constant !== 0);
  return others.reduce((sum, other) => eitherNonzero(sum, other), first);
}

/** What `f` gives of operands behind a Gate each. */
function gated(
  gy: Variable,
  operands: readonly Variable[],
  f: (operands: readonly Variable[]) => readonly (Variable | null)[],
): readonly (Variable | null)[] {
  const own = operands.map((operand) => (operand.requiresGrad ? new Gate().call(gy, operand) : operand));
  const results = f(own);
  // Those that it didn't use are nobody's.
  for (const operand of own) if (!operands.includes(operand) && !results.includes(operand)) operand.undo();
  return results;
}

/** The gradient of an operand that was broadcast: summed back to its shape, without a graph. */
function summedTo(gradient: GpuArray, shape: Shape): GpuArray {
  if (sameShape(gradient.shape, shape)) return gradient;
  const sum = sumTo(Variable.of(gradient), shape).array;
  gradient.release();
  return sum;
}

/**
 * The strong zero, under createGraph: what a derivative gives where the gradient is exactly 0 is 0, whatever it was. By the
 * gradient itself it keeps its slope. By what the gradient is multiplied by (which has passed a Gate), infinities and
 * NaN count as 0 there, since 0 times them is what they come from.
 */
const strongZero: ElementwiseFunction<[gradient: Variable, product: Variable]> = builtin(
  strongZeroWgsl,
  (gy) => [null, gy],
  { withoutGradient: [0], identityGradients: [1], keepsZero: true },
);

const gatedValue: ElementwiseFunction<[gradient: Variable, value: Variable, x: Variable]> = builtin(
  gatedWgsl,
  (gy, gradient, value) => [null, null, gatedValue(gradient, value, gy)],
  { withoutGradient: [0, 1], keepsZero: true },
);

const eitherNonzero: ElementwiseFunction<[a: Variable, b: Variable]> = builtin(eitherNonzeroWgsl);

const gateSource = librarySource(gateWgsl);
const gateShaders = new ElementwiseShaders(gateSource, { origin: "library", withoutGradient: [0], keepsZero: true });

/** An operand of a derivative as it is, without a copy where it has the gradient's shape. */
class Gate extends Elementwise {
  constructor() {
    super(gateSource, gateShaders, (gy, gradient) => [null, gatedValue(gradient, gy, gy)]);
  }

  override get name(): string {
    return "Gate";
  }

  override again(): Gate {
    return new Gate();
  }

  override forward(gradient: GpuArray, operand: GpuArray): GpuArray | readonly GpuArray[] {
    return sameShape(gradient.shape, operand.shape) ? operand : super.forward(gradient, operand);
  }
}
