/** Functions that are WGSL for one number: the built-in ones and a user's own are made here, the same way. */
import { checkObject } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ArgumentError, NotDifferentiableError } from "../base/errors.js";
import { Function, toList } from "../graph/function.js";
import { gradEnabled } from "../graph/grad-mode.js";
import type { GpuArray } from "../gpu/array.js";
import { broadcastTo, sumTo } from "./broadcast.js";
import { everyElement, run, Shaders, type OwnSource, type Read } from "./kernels.js";
import { describe } from "../base/describe.js";
import { broadcastShapes, broadcastStrides, sameShape, type Shape } from "../base/shape.js";
import { checkVariable, type Operand, Variable } from "../graph/variable.js";
import { parseElementwise, type ElementwiseSource, type Reference } from "../wgsl/source.js";

/**
 * The gradients of the inputs, as Variables made of other functions; null for an input that has none. It is given the
 * gradient of the output, the inputs in order, and the output.
 */
export type Derivative = (...gyInputsAndOutput: Variable[]) => Variable | null | readonly (Variable | null)[];

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
  return define(wgsl, options, { trusted: false, passes: [] });
}

/**
 * `elementwise` for the library's own shaders, which are known to compile.
 *
 * @param passes the inputs, by index, whose gradient is the output's as it is
 * @internal
 */
export function builtin<Inputs extends readonly Operand[]>(
  wgsl: string,
  derivative?: Derivative,
  passes: readonly number[] = [],
): ElementwiseFunction<Inputs> {
  return define(wgsl, derivative === undefined ? {} : { derivative }, { trusted: true, passes });
}

function define<Inputs extends readonly Operand[]>(
  wgsl: string,
  options: ElementwiseOptions,
  own: OwnSource,
): ElementwiseFunction<Inputs> {
  const { derivative } = checkObject(options, "elementwise's options");
  if (derivative !== undefined && typeof derivative !== "function") {
    throw new ArgumentError(`a derivative must be a function, not ${describe(derivative)}`);
  }
  const source = parseElementwise(wgsl);
  const shaders = new Shaders(source, own);
  // Named by computed key, so that graphs and errors show "Square" whatever a minifier does to classes.
  const className = source.name.charAt(0).toUpperCase() + source.name.slice(1);
  const { [className]: Node } = {
    [className]: class extends Elementwise {
      constructor() {
        super(source, shaders, derivative ?? null);
      }

      override again(): Elementwise {
        return make();
      }
    },
  };
  if (Node === undefined) throw new Error("gpugrad bug: no class");
  const make = (): Elementwise => new Node();
  const apply = (...inputs: Inputs): Variable => make().call(...inputs);
  return Object.assign(apply, { Node, wgsl, prepare: () => shaders.prepare() });
}

/** One call of an element-wise function. Its class is made by `elementwise`, or by `fuse`. */
export abstract class Elementwise extends Function {
  override readonly differentiable: boolean;
  override readonly givesFreshGradients = true;
  readonly source: ElementwiseSource;
  readonly derivative: Derivative | null;
  protected readonly shaders: Shaders;

  constructor(source: ElementwiseSource, shaders: Shaders, derivative: Derivative | null) {
    super();
    this.differentiable = source.backward !== null;
    this.source = source;
    this.derivative = derivative;
    this.shaders = shaders;
  }

  /** Another node of the same function, not called yet. @internal */
  abstract again(): Elementwise;

  /** Whether its WGSL is the library's own. */
  get trusted(): boolean {
    return this.shaders.trusted;
  }

  /** The shader that runs forward, whole, where all inputs have the same shape, whole. */
  override get wgsl(): string {
    return this.shaders.whole().source(this.outputs[0]?.data.device.math ?? "exact");
  }

  protected override backwardReads(k: number): boolean {
    const { length } = this.inputs;
    const read = ({ to, index }: Reference): boolean =>
      to === "input" ? index === k : to === "output" && length + index === k;
    return this.shaders.references?.some(read) === true;
  }

  /** @throws ArgumentError where the number of operands isn't that of the parameters. */
  checkCount(operands: number): void {
    const { name, inputs } = this.source;
    if (operands === inputs.length) return;
    throw new ArgumentError(`${name} takes ${inputs.length} operands (${inputs.join(", ")}), was given ${operands}`);
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(...inputs: GpuArray[]): GpuArray | readonly GpuArray[] {
    this.checkCount(inputs.length);
    const { name, outputs } = this.source;
    const shapes = inputs.map((input) => input.shape);
    const shape = broadcastShapes(shapes, name);
    const reads = inputs.map((input) => broadcast(input, shape));
    return run((accesses) => this.shaders.forward(accesses), reads, shape, outputs);
  }

  override backward(...gradients: Variable[]): readonly (GpuArray | Variable | null)[] {
    if (gradEnabled() && this.derivative !== null) return this.#differentiably(gradients, this.derivative);
    const { references } = this.shaders;
    if (references === null) {
      const { name } = this.source;
      throw new NotDifferentiableError(`${name} has no gradient: its WGSL has no ${name}_backward`);
    }
    const { shape } = this.output;
    const variables = { input: this.inputs, output: this.outputs, gradient: gradients };
    const reads = references.map(({ to, index }) =>
      broadcast(at(variables[to], index).array, shape, to === "gradient"),
    );
    const { passes } = this.shaders;
    const wanted = this.inputs.flatMap(({ requiresGrad }, index) =>
      requiresGrad && !passes.includes(index) ? [index] : [],
    );
    const written =
      wanted.length === 0
        ? []
        : run((accesses) => this.shaders.backward(accesses, wanted), reads, shape, wanted.length);
    try {
      return this.inputs.map((input, index) => {
        if (!input.requiresGrad) return null;
        const k = wanted.indexOf(index);
        return summedTo(k < 0 ? at(gradients, 0).data.reshape(shape) : at(written, k), input.shape);
      });
    } catch (error) {
      for (const gradient of written) gradient.release();
      throw error;
    }
  }

  #differentiably(gradients: readonly Variable[], derivative: Derivative): (Variable | null)[] {
    const results = toList<Variable | null>(derivative(...gradients, ...this.inputs, ...this.outputs));
    if (results.length !== this.inputs.length) {
      throw new ArgumentError(
        `${this.source.name}'s derivative must give ${this.inputs.length} gradients, gave ${results.length}`,
      );
    }
    return results.map((result, index) => {
      const { shape, requiresGrad } = at(this.inputs, index);
      if (result === null) return null;
      checkVariable(result, `what ${this.source.name}'s derivative gives`);
      if (!requiresGrad) {
        result.letGo();
        return null;
      }
      const full = broadcastShapes([result.shape, shape], this.source.name);
      return sumTo(broadcastTo(result, full), shape);
    });
  }
}

/** How an operand is read where the result has this shape. */
function broadcast(array: GpuArray, shape: Shape, foldsOne = false): Read {
  const isWhole = array.shape === shape || sameShape(array.shape, shape);
  return { array, strides: isWhole ? everyElement : broadcastStrides(array.shape, shape), foldsOne };
}

/** The gradient of an operand that was broadcast: summed back to its shape, without a graph. */
function summedTo(gradient: GpuArray, shape: Shape): GpuArray {
  if (sameShape(gradient.shape, shape)) return gradient;
  const sum = sumTo(Variable.of(gradient), shape).array;
  gradient.release();
  return sum;
}
