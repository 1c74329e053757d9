/** `elementwise`: a user's own function from its WGSL. */
import { checkObject } from "../base/arguments.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import type { Operand } from "../graph/variable.js";
import { parseElementwise } from "../wgsl/parse-elementwise.js";
import { define, type Derivative, type ElementwiseFunction } from "./elementwise.js";

export interface ElementwiseOptions {
  /**
   * The same gradients as NAME_backward's, written with functions, so that they can be differentiated again. It is
   * called with the output's gradient, the inputs in order, then the output. Each result may have a shape that
   * broadcasts with the input's; it is summed back.
   */
  readonly derivative?: Derivative;
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
  const { derivative } = checkObject(options, "elementwise's options");
  if (derivative !== undefined && typeof derivative !== "function") {
    throw new ArgumentError(`a derivative must be a function, not ${describe(derivative)}`);
  }
  return define(wgsl, parseElementwise(wgsl), derivative ?? null, { origin: "scalar" });
}
