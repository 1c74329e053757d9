/** `elementwise`: a user's own function from its WGSL. */
import { checkObject } from "../base/arguments.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import { define, ofOutputs, type Derivative, type ElementwiseFunction } from "../elementwise/elementwise.js";
import type { Operand, Variable } from "../graph/variable.js";
import { parseElementwise } from "../wgsl/parse-elementwise.js";
import type { ElementwiseSource } from "../wgsl/source.js";
import { add, mul, where } from "./pointwise.js";

/** Of `elementwise`. */
export interface ElementwiseOptions {
  /** false for a function that has no gradient, as a comparison has none. */
  readonly gradient?: boolean;
  /**
   * The same gradients as NAME_backward's, written with functions, so that they can be differentiated again. It is
   * called with the output's gradient, the inputs in order, then the output. Each result may have a shape that
   * broadcasts with the input's; it is summed back.
   */
  readonly derivative?: Derivative;
}

type Trimmed<Text extends string> = Text extends
  ` ${infer Rest}` | `\n${infer Rest}` | `${infer Rest} ` | `${infer Rest}\n`
  ? Trimmed<Rest>
  : Text;

type CountOf<Result extends string> = Result extends
  | `vec${infer Count extends number}f`
  | `vec${infer Count extends number}<f32>`
  | `array<f32, ${infer Count extends number}>`
  | `array<f32,${infer Count extends number}>`
  ? Count
  : 1;

/** How many numbers a source gives, where it is known as it is compiled; else it must be said. */
export type OutputsOf<Source extends string> =
  Source extends `${string}_forward(${string})${string}->${infer Result}{${string}` ? CountOf<Trimmed<Result>> : 1;

/**
 * A differentiable function from scalar WGSL: `fn NAME_forward(x: f32) -> f32` with one to four parameters. Its gradient is
 * derived from the source (forward mode: one tangent for each input), at the first use, to any order; what can't be
 * differentiated (pointers, the bits of a value) is a WgslError with its line. A loop is differentiated turn by turn, as it
 * ran: an iteration that converges gives the derivative of its last step.
 *
 * Everything else declared in the source begins with `NAME_`. Its `exp`, `log`, `sin`, `cos`, `tan`, `tanh`, `pow` and `atan2` are
 * gpugrad's, as exact as the built-in functions, or with native math the driver's. What begins with `math_` is always gpugrad's:
 *
 * - within 1 ULP: `math_exp`, `math_log`, `math_tanh`, `math_sigmoid`, `math_pow(a, b)`
 * - within 2 ULP: `math_sin`, `math_cos`, `math_tan`, `math_softplus`, `math_erf`, `math_atan2(a, b)`
 * - slopes, within 4 ULP: `math_tan_slope`, `math_tanh_slope`, `math_sigmoid_slope`, `math_erf_slope`
 * - exact: `math_max`, `math_min`, `math_sign`, `math_equal`, `math_less`, `math_is_nan`, `math_is_zero`
 *
 * RELIABILITY.md has the formula and the largest error of each.
 *
 * A forward of `-> vec2f`, `vec3f`, `vec4f` or `array<f32, N>` (N up to 8) gives as many results: `const [r, angle] = polar(x, y)`.
 * TypeScript reads their number in the source; where it can't, say it: `elementwise<[x: Operand, y: Operand], 2>(wgsl)`. Each
 * input's gradient is the sum over the results, and a result whose gradient is exactly 0 adds nothing. By hand, `y` and
 * `gy` have the forward's type, and a `derivative` gets the gradients in order, the inputs, the results; there only a gradient of
 * all zeros is known to give 0.
 *
 * A gradient by hand wins: `fn NAME_backward`, whose parameters are any of the forward's, `y` (the output) and `gy` (its
 * gradient), by name. It returns the gradient of the input, or a vec2f, vec3f, vec4f with one for each input. With it, a
 * `derivative` is needed for second derivatives.
 *
 * @throws ArgumentError, WgslError (with the line) where the source isn't of this form. What only the compiler finds
 * rejects the next read, or `prepare()`, with its message and the line in this source; where nobody reads, the console has it.
 * @example
 * const kepler = elementwise(`
 *   fn kepler_forward(m: f32, e: f32) -> f32 {
 *     var x = m;
 *     for (var i = 0; i < 8; i++) { x -= (x - e * math_sin(x) - m) / (1.0 - e * math_cos(x)); }
 *     return x;
 *   }`);
 * const m = new Variable([1, 2], { requiresGrad: true });
 * kepler(m, 0.5).backward();
 * kepler.gradient; // its WGSL: fn kepler_backward(…)
 * await m.grad.read(); // [1.037362, 0.7391733]
 *
 * const polar = elementwise("fn polar_forward(x: f32, z: f32) -> vec2f { return vec2f(length(vec2f(x, z)), atan2(z, x)); }");
 * const [r, angle] = polar(3, 4);
 * await r.item(); // 5
 */
export function elementwise<const Source extends string>(
  wgsl: Source,
  options?: ElementwiseOptions,
): ElementwiseFunction<Operand[], OutputsOf<Source>>;
export function elementwise<Inputs extends readonly Operand[], Outputs extends number = 1>(
  wgsl: string,
  options?: ElementwiseOptions,
): ElementwiseFunction<Inputs, Outputs>;
export function elementwise(wgsl: string, options: ElementwiseOptions = {}): unknown {
  const { derivative, gradient = true } = checkObject(options, "elementwise's options");
  if (typeof gradient !== "boolean") {
    throw new ArgumentError(`gradient must be true or false, not ${describe(gradient)}`);
  }
  if (derivative !== undefined && typeof derivative !== "function") {
    throw new ArgumentError(`a derivative must be a function, not ${describe(derivative)}`);
  }
  return of(wgsl, parseElementwise(wgsl, gradient), derivative);
}

function of<Outputs extends number>(
  wgsl: string,
  source: ElementwiseSource,
  derivative?: Derivative,
): ElementwiseFunction<Operand[], Outputs> {
  // What is derived for several outputs has the zero of each in its text.
  const keepsZero = source.outputs > 1 && source.derived !== null;
  return define(wgsl, source, derivative ?? derivativeOf(source), {
    origin: "scalar",
    keepsZero,
    derivativeKeepsZero: keepsZero && derivative === undefined,
  });
}

/**
 * The product rule with each partial derivative as a function of its own, whose derivatives are found the same way. An output that
 * isn't computed from an input gives it 0, as the backward does, also where the output's gradient is infinite.
 */
function derivativeOf({ derived, inputs, outputs }: ElementwiseSource): Derivative | null {
  if (derived === null) return null;
  const partials = new Map<string, Partial>();
  const partial = (input: number, output: number): Partial => {
    const key = `${input} ${output}`;
    let known = partials.get(key);
    if (known === undefined) {
      const reaches = derived.reaches(input, output);
      known = {
        slope: made(derived.by(input, output), true),
        reaches: typeof reaches === "string" ? made(reaches, false) : reaches,
      };
      partials.set(key, known);
    }
    return known;
  };
  const byInputs = (output: number) => (gy: Variable, operands: readonly Variable[]) =>
    operands.map((operand, k) => (operand.requiresGrad ? product(gy, partial(k, output), operands) : null));
  if (outputs > 1) return ofOutputs(outputs, byInputs, add);
  return (...gyInputsAndOutput: Variable[]) => {
    const [gy, ...operands] = gyInputsAndOutput.slice(0, 1 + inputs.length);
    if (gy === undefined) throw new Error("gpugrad bug: a derivative without a gradient");
    return byInputs(0)(gy, operands);
  };
}

/** A derivative of one output by one input. */
interface Partial {
  readonly slope: ElementwiseFunction;
  /** Whether the output is computed from the input; a function that gives 1 or 0 where that depends on values. */
  readonly reaches: ElementwiseFunction | boolean;
}

function product(gy: Variable, { slope, reaches }: Partial, operands: readonly Variable[]): Variable {
  const whole = mul(gy, slope(...operands));
  if (reaches === true) return whole;
  return where(reaches === false ? 0 : reaches(...operands), whole, 0);
}

/** The function of a source that was derived from one that has been read. */
function made(wgsl: string, hasGradient: boolean): ElementwiseFunction {
  return of<1>(wgsl, parseElementwise(wgsl, hasGradient, true));
}
