/** `elementwise`: a user's own function from its WGSL. */
import { checkObject } from "../base/arguments.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import { define, type Derivative, type ElementwiseFunction } from "../elementwise/elementwise.js";
import type { Operand, Variable } from "../graph/variable.js";
import { parseElementwise } from "../wgsl/parse-elementwise.js";
import type { ElementwiseSource } from "../wgsl/source.js";
import { mul } from "./pointwise.js";

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

/**
 * A differentiable function from scalar WGSL: `fn NAME_forward(x: f32) -> f32` with one to four parameters. Its gradient is
 * derived from the source (forward mode: one tangent for each input), at the first use, to any order; what can't be
 * differentiated (pointers, the bits of a value) is a WgslError with its line. A loop is differentiated turn by turn, as it
 * ran: an iteration that converges gives the derivative of its last step.
 *
 * Everything else declared in the source begins with `NAME_`. Its `exp`, `log`, `sin`, `cos`, `tan`, `tanh`, `pow` and `atan2` are
 * gpugrad's, as exact as the built-in functions, or with native math the driver's; `math_exp` and so on are always gpugrad's.
 *
 * A gradient by hand wins: `fn NAME_backward`, whose parameters are any of the forward's, `y` (the output) and `gy` (its
 * gradient), by name. It returns the gradient of the input, or a vec2f, vec3f, vec4f with one for each input. With it, a
 * `derivative` is needed for second derivatives.
 *
 * @throws ArgumentError, WgslError (with the line) where the source isn't of this form. What only the compiler finds
 * rejects the next read, or `prepare()`, with its message and the line in this source.
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
 */
export function elementwise<Inputs extends readonly Operand[] = Operand[]>(
  wgsl: string,
  options: ElementwiseOptions = {},
): ElementwiseFunction<Inputs> {
  const { derivative, gradient = true } = checkObject(options, "elementwise's options");
  if (typeof gradient !== "boolean") {
    throw new ArgumentError(`gradient must be true or false, not ${describe(gradient)}`);
  }
  if (derivative !== undefined && typeof derivative !== "function") {
    throw new ArgumentError(`a derivative must be a function, not ${describe(derivative)}`);
  }
  return of(wgsl, parseElementwise(wgsl, gradient), derivative);
}

function of<Inputs extends readonly Operand[] = Operand[]>(
  wgsl: string,
  source: ElementwiseSource,
  derivative?: Derivative,
): ElementwiseFunction<Inputs> {
  return define(wgsl, source, derivative ?? derivativeOf(source), { origin: "scalar" });
}

/** The product rule with each partial derivative as a function of its own, whose derivatives are found the same way. */
function derivativeOf({ derived, inputs }: ElementwiseSource): Derivative | null {
  if (derived === null) return null;
  const partials = new Map<number, ElementwiseFunction>();
  const partial = (input: number): ElementwiseFunction => {
    let f = partials.get(input);
    if (f === undefined) {
      const wgsl = derived.by(input);
      partials.set(input, (f = of(wgsl, parseElementwise(wgsl, true, true))));
    }
    return f;
  };
  return (...gyInputsAndOutput: Variable[]) => {
    const [gy, ...operands] = gyInputsAndOutput.slice(0, 1 + inputs.length);
    if (gy === undefined) throw new Error("gpugrad bug: a derivative without a gradient");
    return operands.map((operand, k) => (operand.requiresGrad ? mul(gy, partial(k)(...operands)) : null));
  };
}
