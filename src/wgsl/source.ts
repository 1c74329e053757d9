/** What the harness must know of an element-wise function's WGSL: names, parameters and texts, nothing of the math. */

/** Forward from inputs to outputs, or backward from the outputs' gradients to the inputs'. */
export type Direction = "forward" | "backward";

/** The signatures of `NAME_forward` and `NAME_backward`, and their text. */
export interface ElementwiseSource {
  readonly name: string;
  /** The whole text. */
  readonly wgsl: string;
  /** Whether there is a backward, written or to be derived. */
  readonly differentiable: boolean;
  /** Parameters of the forward, one for each input. */
  readonly inputs: readonly string[];
  /** How many numbers the forward gives: one as f32, several as array<f32, N> or a vector. */
  readonly outputs: number;
  /**
   * The type of y and gy in a backward that takes the numbers of several outputs together; `backward` has them one by one
   * all the same (y0, y1, gy0, gy1). null where each is a parameter of its own.
   */
  readonly packed: string | null;
  /**
   * Parameters of the backward: inputs, `y` for the output, `gy` for its gradient (gy0, gy1 and so on where there are
   * several). Null where there is no backward. Where it is derived, that is done when this is first asked for.
   */
  readonly backward: readonly string[] | null;
  /** What the backward returns: f32 for one gradient, else what holds one for each input. */
  readonly gradientType: string;
  /** The parameters that each gradient depends on; null where each may depend on all. */
  readonly gradientReads: readonly ReadonlySet<string>[] | null;
  /** What was derived from the forward; null where the backward was written by hand, or there is none. */
  readonly derived: DerivedGradient | null;
  /**
   * The text that has the function of one direction.
   *
   * @param fromOnes whether every gy is 1
   * @throws WgslError where the backward is to be derived, and can't be.
   */
  textFor(direction: Direction, fromOnes: boolean): string;
}

/** How many numbers a function gives, and how its backward takes them and their gradients. */
export type Outputs = Pick<ElementwiseSource, "outputs" | "packed">;

/** The parameters of a backward with those that have the numbers of several outputs as one for each. */
export function oneByOne(parameters: readonly string[], { outputs, packed }: Outputs): readonly string[] {
  if (packed === null) return parameters;
  return parameters.flatMap((parameter) =>
    parameter === "y" || parameter === "gy"
      ? Array.from({ length: outputs }, (_, k) => `${parameter}${k}`)
      : [parameter],
  );
}

/** A function's gradient as it was derived from its WGSL. */
export interface DerivedGradient {
  /** `fn NAME_backward` and what it calls beyond the source. @throws WgslError where it can't be derived. */
  readonly wgsl: string;
  /**
   * The derivative of one output by one input: a source of its own, with the same inputs.
   *
   * @throws WgslError where there is none.
   */
  by(input: number, output: number): string;
  /**
   * Where that derivative is 0 because the output isn't computed from the input there, so that not even an infinite gradient makes
   * anything of it: whether it is computed from it, or where that depends on values, a source without a gradient, with the same
   * inputs, which gives 1 or 0.
   *
   * @throws WgslError where there is no derivative.
   */
  reaches(input: number, output: number): boolean | string;
}

/** What a parameter of a backward stands for: one of the inputs, the outputs, or the outputs' gradients. */
export interface BackwardArgument {
  readonly to: "input" | "output" | "gradient";
  readonly index: number;
}

/** @param inputs the forward's parameters */
export function argumentOf(parameter: string, inputs: readonly string[]): BackwardArgument {
  const index = inputs.indexOf(parameter);
  if (index >= 0) return { to: "input", index };
  const [, of, output] = /^(g?)y(\d*)$/.exec(parameter) ?? [];
  return { to: of === "g" ? "gradient" : "output", index: Number(output ?? 0) };
}

/** A call of a source's function. @param args one for each of its parameters */
export function callOf(
  source: ElementwiseSource,
  direction: Direction,
  args: readonly string[],
  name = source.name,
): string {
  const { packed, outputs, backward } = source;
  const given: string[] = [];
  for (let k = 0; k < args.length; k++) {
    const isFirst = packed !== null && direction === "backward" && /^g?y0$/.test(backward?.[k] ?? "");
    given.push(isFirst ? `${packed}(${args.slice(k, k + outputs).join(", ")})` : (args[k] ?? ""));
    if (isFirst) k += outputs - 1;
  }
  return `${name}_${direction}(${given.join(", ")})`;
}

/** f32 for one gradient, else a vector of them. */
export function gradientType(count: number): string {
  return count === 1 ? "f32" : `vec${count}f`;
}

/**
 * One of the library's own files, which are known to be right: only the signatures are read. A user's source goes
 * through parse-elementwise.ts, which nobody loads who has none.
 */
export function librarySource(wgsl: string): ElementwiseSource {
  const name = /\bfn (\w+)_forward\(/.exec(wgsl)?.[1] ?? "";
  const inputs = parametersOf(wgsl, `${name}_forward`);
  const backward = parametersOf(wgsl, `${name}_backward`);
  if (inputs === null) throw new Error("gpugrad bug: a shader without NAME_forward");
  return {
    name,
    wgsl,
    inputs,
    outputs: 1,
    packed: null,
    differentiable: backward !== null,
    backward,
    derived: null,
    gradientType: gradientType(inputs.length),
    gradientReads: null,
    textFor: () => wgsl,
  };
}

function parametersOf(wgsl: string, name: string): readonly string[] | null {
  const [, parameters] = new RegExp(`\\bfn ${name}\\(([^)]*)\\)`).exec(wgsl) ?? [];
  return parameters === undefined
    ? null
    : [...parameters.matchAll(/(\w+): f32/g)].map(([, parameter = ""]) => parameter);
}
