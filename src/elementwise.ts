/** Functions that are WGSL for one number: the built-in ones and a user's own are made here, the same way. */
import { at } from "./assert.js";
import { ArgumentError, NotDifferentiableError } from "./errors.js";
import { Function, toList } from "./function.js";
import { gradEnabled } from "./grad-mode.js";
import type { GpuArray } from "./gpu/array.js";
import { run, Shaders, type Read } from "./shaders.js";
import { broadcastShapes, broadcastStrides, describe, sameShape, type Shape } from "./shape.js";
import { type Operand, Variable } from "./variable.js";
import { parseElementwise, type ElementwiseSource } from "./wgsl/source.js";

/** The gradients of the inputs, as Variables made of other functions; null for an input that has none. */
export type Derivative = (
  gy: Variable,
  ...inputsAndOutput: Variable[]
) => Variable | null | readonly (Variable | null)[];

export interface ElementwiseOptions {
  /**
   * The same gradients as NAME_backward's, written with functions, so that they can be differentiated again. It is
   * called with the output's gradient, the inputs in order, then the output. Each result may have a shape that
   * broadcasts with the input's; it is summed back.
   */
  readonly derivative?: Derivative;
}

/** A function of Variables, numbers and arrays, which are broadcast as in NumPy. */
export interface ElementwiseFunction<Inputs extends readonly Operand[] = Operand[]> {
  (...inputs: Inputs): Variable;
  /** The class whose instances are nodes of the graph: `new square.Node().call(x)` is `square(x)`. */
  readonly Node: new () => Elementwise;
  /** The WGSL it was made from. */
  readonly wgsl: string;
  /** Compiles the usual shaders ahead, so that a first call doesn't wait. */
  prepare(): Promise<void>;
}

/**
 * A differentiable function from scalar WGSL. The source has `fn NAME_forward(x: f32) -> f32` with one to four
 * parameters, and `fn NAME_backward`, whose parameters are any of the forward's, `y` (the output) and `gy` (its
 * gradient), by name. The backward returns the gradient of the input, or a vec2f, vec3f, vec4f with one for each input.
 * Everything else declared in the source begins with `NAME_`. It may call gpugrad's own `math_exp`, `math_log` and so on.
 *
 * Without a backward, the function has no gradient, as a comparison has none. Without a `derivative`, it can be
 * differentiated once.
 *
 * @throws ArgumentError, WgslError (with the line) where the source isn't of this form. What only the compiler finds
 * rejects the next read, or `prepare()`, with its message and the line in this source.
 * @example
 * const swish = elementwise(`
 *   fn swish_forward(x: f32) -> f32 { return x / (1.0 + exp(-x)); }
 *   fn swish_backward(x: f32, gy: f32) -> f32 {
 *     let s = 1.0 / (1.0 + exp(-x));
 *     return gy * s * (1.0 + x * (1.0 - s));
 *   }`);
 * const y = swish(x);
 */
export function elementwise<Inputs extends readonly Operand[] = Operand[]>(
  wgsl: string,
  options: ElementwiseOptions = {},
): ElementwiseFunction<Inputs> {
  return define(wgsl, options, false);
}

/** `elementwise` for the library's own shaders, which are known to compile. @internal */
export function builtin<Inputs extends readonly Operand[]>(
  wgsl: string,
  derivative?: Derivative,
): ElementwiseFunction<Inputs> {
  return define(wgsl, derivative === undefined ? {} : { derivative }, true);
}

function define<Inputs extends readonly Operand[]>(
  wgsl: string,
  { derivative }: ElementwiseOptions,
  trusted: boolean,
): ElementwiseFunction<Inputs> {
  if (derivative !== undefined && typeof derivative !== "function") {
    throw new ArgumentError(`a derivative must be a function, not ${describe(derivative)}`);
  }
  const source = parseElementwise(wgsl);
  const shaders = new Shaders(source, trusted);
  // Named by computed key, so that graphs and errors show "Square" whatever a minifier does to classes.
  const className = source.name.charAt(0).toUpperCase() + source.name.slice(1);
  const { [className]: Node } = {
    [className]: class extends Elementwise {
      constructor() {
        super(source, shaders, derivative ?? null);
      }
    },
  };
  if (Node === undefined) throw new Error("gpugrad bug: no class");
  const apply = (...inputs: Inputs): Variable => new Node().call(...inputs);
  return Object.assign(apply, { Node, wgsl, prepare: () => shaders.prepare() });
}

/** One call of an element-wise function. Its class is made by `elementwise`. */
export class Elementwise extends Function {
  override readonly differentiable: boolean;
  override readonly givesFreshGradients = true;
  readonly #source: ElementwiseSource;
  readonly #shaders: Shaders;
  readonly #derivative: Derivative | null;

  constructor(source: ElementwiseSource, shaders: Shaders, derivative: Derivative | null) {
    super();
    this.differentiable = source.backward !== null;
    this.#source = source;
    this.#shaders = shaders;
    this.#derivative = derivative;
  }

  /** The shader that runs forward where all inputs have the same shape, whole. */
  get wgsl(): string {
    return this.#shaders.whole().wgsl;
  }

  protected override backwardReads(k: number): boolean {
    const { inputs, backward } = this.#source;
    return backward?.includes(inputs[k] ?? "y") === true;
  }

  override forward(...inputs: GpuArray[]): GpuArray {
    const { name, inputs: parameters } = this.#source;
    if (inputs.length !== parameters.length) {
      throw new ArgumentError(
        `${name} takes ${parameters.length} operands (${parameters.join(", ")}), was given ${inputs.length}`,
      );
    }
    const shape = broadcastShapes(
      inputs.map((input) => input.shape),
      name,
    );
    const reads = inputs.map((input) => broadcast(input, shape));
    return at(
      run((accesses) => this.#shaders.forward(accesses), reads, shape, 1),
      0,
    );
  }

  override backward(gy: Variable): readonly (GpuArray | Variable | null)[] {
    if (gradEnabled() && this.#derivative !== null) return this.#differentiably(gy, this.#derivative);
    const { name, inputs: parameters, backward } = this.#source;
    if (backward === null)
      throw new NotDifferentiableError(`${name} has no gradient: its WGSL has no ${name}_backward`);
    const shape = this.output.shape;
    const named = new Map(parameters.map((parameter, index) => [parameter, at(this.inputs, index)]));
    const reads = backward.map((parameter) => {
      if (parameter === "gy") return broadcast(gy.data, shape);
      return broadcast((named.get(parameter) ?? this.output).data, shape);
    });
    const wanted = this.inputs.flatMap(({ requiresGrad }, index) => (requiresGrad ? [index] : []));
    const written = run((accesses) => this.#shaders.backward(accesses, wanted), reads, shape, wanted.length);
    const gradients: (GpuArray | null)[] = this.inputs.map(() => null);
    wanted.forEach((index, k) => {
      gradients[index] = summedTo(at(written, k), at(this.inputs, index).shape);
    });
    return gradients;
  }

  #differentiably(gy: Variable, derivative: Derivative): (Variable | null)[] {
    const gradients = toList<Variable | null>(derivative(gy, ...this.inputs, this.output));
    if (gradients.length !== this.inputs.length) {
      throw new ArgumentError(
        `${this.#source.name}'s derivative must give ${this.inputs.length} gradients, gave ${gradients.length}`,
      );
    }
    return gradients.map((gradient, index) => {
      const { shape, requiresGrad } = at(this.inputs, index);
      if (gradient === null || !requiresGrad) return null;
      const full = broadcastShapes([gradient.shape, shape], this.#source.name);
      return gradient.broadcastTo(full).sumTo(shape);
    });
  }
}

/** How an operand is read where the result has this shape. */
function broadcast(array: GpuArray, shape: Shape): Read {
  return { array, strides: broadcastStrides(array.shape, shape) };
}

/** The gradient of an operand that was broadcast: summed back to its shape, without a graph. */
function summedTo(gradient: GpuArray, shape: Shape): GpuArray {
  if (sameShape(gradient.shape, shape)) return gradient;
  const sum = new Variable(gradient, { requiresGrad: false }).sumTo(shape).data;
  gradient.release();
  return sum;
}
