/**
 * Fusion: many element-wise nodes become one. A function is run once with symbols for its arguments, which gives its
 * graph; from that come one WGSL function forward, and one backward that computes the intermediates again in registers.
 * Memory traffic is what element-wise math costs: square(exp(square(x))) moves 6 arrays forward and 8 backward node by
 * node, 2 and 2 fused, when it starts from ones.
 */
import { checkFunction } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { sortedByGeneration } from "../graph/walk.js";
import { Elementwise, type Derivative } from "../elementwise/elementwise.js";
import { FuseError, NotDifferentiableError } from "../base/errors.js";
import { toList, tracing, type Function } from "../graph/function.js";
import { GpuArray } from "../gpu/array.js";
import { currentDevice } from "../gpu/current.js";
import { Shaders } from "../elementwise/kernels.js";
import { describe } from "../base/describe.js";
import { type Shape } from "../base/shape.js";
import { asVariable, Variable, type Operand } from "../graph/variable.js";
import { referenceOf, type ElementwiseSource } from "../wgsl/source.js";

/** A function of Variables made of element-wise functions, with one result or several. */
export type Fusable<Result extends Variable | readonly Variable[]> = (...args: Variable[]) => Result;

/** The fused function. It takes what the built-in ones take, broadcast together; all results have the broadcast shape. */
export interface FusedFunction<Result extends Variable | readonly Variable[]> {
  (...args: Operand[]): Result;
  /** The WGSL it became: its forward and backward, and the functions they call. */
  readonly wgsl: string;
  /** Compiles ahead, so that a first call doesn't wait. */
  prepare(): Promise<void>;
}

/**
 * Makes one shader forward and one backward of a function that is made of element-wise ones, built-in or a user's own.
 * It is traced at the first call, with symbols: numbers in it become part of the shader, Variables from outside become
 * further inputs that are read at every call. The result equals that of the unfused function; where the compiler
 * contracts operations, within 2 ULP. Differentiating it again is fused, too.
 *
 * @throws FuseError, when it is traced, for what can't be fused: a reduction or another function that is not
 * element-wise, a shape or a value that is asked for, an async function, or more arrays than a shader may bind.
 * @example
 * const f = fuse((x) => square(exp(square(x))));
 * const [z] = [f(0.5)];
 * await z.item(); // 1.6487212
 */
export function fuse<Result extends Variable | readonly Variable[]>(f: Fusable<Result>): FusedFunction<Result> {
  checkFunction(f, "what fuse traces");
  // One for each number of arguments.
  const traced = new Map<number, Fused>();
  const fusedFor = (count: number): Fused => {
    let fused = traced.get(count);
    if (fused === undefined) {
      fused = traceFunction(f, count);
      traced.set(count, fused);
    }
    return fused;
  };
  const apply = (...args: Operand[]): Result => {
    const fused = fusedFor(args.length);
    const outputs = fused.call(args);
    return (fused.single ? at(outputs, 0) : outputs) as Result;
  };
  return Object.defineProperty(
    Object.assign(apply, { wgsl: "", prepare: async () => fusedFor(f.length).shaders.prepare() }),
    "wgsl",
    { get: () => fusedFor(f.length).source.wgsl },
  );
}

/** Numbers the fused functions, since their names may meet in one shader. */
let count = 0;

/** What stands for an array while a function is traced: it has no shape and no numbers yet. */
class SymbolArray extends GpuArray {
  constructor() {
    super(currentDevice(), [], { kind: "unknown" });
  }

  override get shape(): Shape {
    throw new FuseError(
      "fuse: a shape was asked for, by the function or by one that is not element-wise (a reduction, a reshape), but none " +
        "is known while the function is traced. Only element-wise functions can be fused",
    );
  }

  override get size(): number {
    throw new FuseError(
      "fuse: a size was asked for, but none is known while the function is traced. Pass it as an argument",
    );
  }

  override check(): void {
    // A symbol can stand anywhere; what reads it goes through `hold` or `read`.
  }

  override hold(): never {
    throw new FuseError("fuse: the numbers were asked for, but there are none while the function is traced");
  }

  override read(): never {
    return this.hold();
  }
}

function symbol(name: string): Variable {
  const variable = Variable.of(new SymbolArray(), true);
  variable.name = name;
  return variable;
}

/** Says what takes the place of a Function's outputs while tracing. */
function recordCall(f: Function, inputs: readonly Variable[]): Variable[] {
  if (!(f instanceof Elementwise)) {
    throw new FuseError(
      `fuse: ${f.name} can't be fused, since it is not element-wise. Call it outside of the fused function`,
    );
  }
  f.checkCount(inputs.length);
  return Array.from({ length: f.source.outputs }, (_, k) => symbol(`${f.name} ${k}`));
}

function traceFunction(f: Fusable<Variable | readonly Variable[]>, args: number): Fused {
  const symbols = Array.from({ length: args }, (_, k) => symbol(`x${k}`));
  const result: unknown = tracing.during(recordCall, () => f(...symbols));
  const outputs: unknown[] = Array.isArray(result) ? result : [result];
  for (const output of outputs) {
    if (output instanceof Variable) continue;
    // What an async function rejects with is the same, and would be reported a second time.
    Promise.resolve(output).catch(() => undefined);
    const isAsync = typeof (output as { then?: unknown } | null | undefined)?.then === "function";
    throw new FuseError(
      isAsync
        ? "fuse: the function is async, but nothing can be awaited while it is traced"
        : `fuse: the function must give Variables, not ${describe(output)}`,
    );
  }
  if (outputs.length === 0) throw new FuseError("fuse: the function gives no result");
  return new Fused(symbols, outputs as Variable[], !Array.isArray(result));
}

/** One call of a fused function. */
export class FusedNode extends Elementwise {
  /**
   * Runs the functions that were fused one by one, on these inputs (as many as `inputs`): the same results, with a graph
   * of their own where the inputs need gradients. For those who look inside, as for the first NaN. @internal
   */
  readonly unfold: (inputs: readonly Variable[]) => readonly Variable[];

  constructor(
    source: ElementwiseSource,
    shaders: Shaders,
    derivative: Derivative,
    unfold: (inputs: readonly Variable[]) => readonly Variable[],
  ) {
    super(source, shaders, derivative);
    this.unfold = unfold;
  }

  override again(): FusedNode {
    return new FusedNode(this.source, this.shaders, this.derivative ?? (() => []), this.unfold);
  }
}

/** A traced function and its shaders. */
class Fused {
  readonly single: boolean;
  readonly source: ElementwiseSource;
  readonly shaders: Shaders;
  readonly #program: Program;
  #derivative: Fused | null = null;

  constructor(symbols: readonly Variable[], outputs: readonly Variable[], single: boolean) {
    this.single = single;
    this.#program = new Program(symbols, outputs);
    this.source = this.#program.source(`fused${++count}`);
    this.shaders = new Shaders(this.source, { trusted: this.#program.trusted });
  }

  call(args: readonly Operand[]): readonly Variable[] {
    const node = new FusedNode(this.source, this.shaders, this.#differentiate, (variables) =>
      this.#program.unfold(variables),
    );
    const inputs = [...args.map((arg) => asVariable(arg)), ...this.#program.captured];
    checkBindings(this.source, inputs);
    node.call(...inputs);
    return node.outputs;
  }

  /** The gradients, from those of the outputs and the inputs: a fused function again. */
  readonly #differentiate: Derivative = (...operands) => {
    this.#derivative ??= this.#program.differentiated();
    const { length } = this.#program.inputs;
    const gradients = operands.slice(0, this.source.outputs);
    return this.#derivative.call([...gradients, ...operands.slice(gradients.length, gradients.length + length)]);
  };
}

function checkBindings({ outputs, backward }: ElementwiseSource, inputs: readonly Variable[]): void {
  const most = currentDevice().limits.maxStorageBuffersPerShaderStage;
  const wanted = inputs.filter(({ requiresGrad }) => requiresGrad).length;
  const needed = Math.max(inputs.length + outputs, wanted === 0 ? 0 : (backward?.length ?? 0) + wanted);
  if (needed > most) {
    throw new FuseError(
      `fuse: ${inputs.length} inputs and ${outputs} outputs need ${needed} arrays in one shader, this device allows ${most}. Fuse smaller parts`,
    );
  }
}

/** A graph of symbols, as straight-line code. */
class Program {
  /** The arguments, then the Variables that came from outside. */
  readonly inputs: readonly Variable[];
  readonly captured: readonly Variable[];
  readonly #outputs: readonly Variable[];
  /** In the order in which they are computed. */
  readonly #nodes: readonly Elementwise[];
  /** The WGSL expression of every Variable. */
  readonly #expressions = new Map<Variable, string>();

  constructor(symbols: readonly Variable[], outputs: readonly Variable[]) {
    this.#outputs = outputs;
    this.#nodes = sortedByGeneration(outputs)
      .reverse()
      .filter((f) => f instanceof Elementwise);
    symbols.forEach((symbol, k) => this.#expressions.set(symbol, `x${k}`));
    const captured: Variable[] = [];
    for (const variable of [...this.#nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
      if (this.#expressions.has(variable) || variable.data instanceof SymbolArray) continue;
      const { constant } = variable.data;
      const literal = constant === null || variable.size !== 1 ? null : literalOf(constant);
      if (literal === null) captured.push(variable);
      this.#expressions.set(variable, literal ?? `x${symbols.length + captured.length - 1}`);
    }
    this.captured = captured;
    this.inputs = [...symbols, ...captured];
    this.#nodes.forEach((node, k) => {
      node.outputs.forEach((output, index) => {
        this.#expressions.set(output, node.outputs.length === 1 ? `v${k}` : `v${k}[${index}]`);
      });
    });
  }

  /** The outputs, computed node by node. */
  unfold(inputs: readonly Variable[]): readonly Variable[] {
    const values = new Map<Variable, Variable>(this.inputs.map((input, k) => [input, at(inputs, k)]));
    const valueOf = (variable: Variable): Variable => values.get(variable) ?? variable;
    for (const node of this.#nodes) {
      const again = node.again();
      again.call(...node.inputs.map(valueOf));
      node.outputs.forEach((output, k) => values.set(output, at(again.outputs, k)));
    }
    return this.#outputs.map(valueOf);
  }

  get trusted(): boolean {
    return this.#nodes.every((node) => node.trusted);
  }

  source(name: string): ElementwiseSource {
    const parts = new Map<string, string>();
    for (const { source } of this.#nodes) {
      for (const [part, wgsl] of source.parts) {
        if ((parts.get(part) ?? wgsl) !== wgsl) {
          throw new FuseError(`fuse: two different functions are called ${part}. Rename one`);
        }
        parts.set(part, wgsl);
      }
    }
    const inputs = this.inputs.map((_, k) => `x${k}`);
    const forward = functionText(
      `${name}_forward`,
      inputs,
      this.#forwardLines(),
      this.#outputs.map((y) => this.#text(y)),
    );
    const { parameters, text } = this.#backward(name);
    parts.set(name, `${forward}\n\n${text}\n`);
    const wgsl = [...parts.values()].reverse().join("\n");
    return { name, wgsl, parts, inputs, outputs: this.#outputs.length, backward: parameters };
  }

  #forwardLines(): string[] {
    return this.#nodes.map((node, k) => `let v${k} = ${this.#call(node, "forward", node.source.inputs)};`);
  }

  /** Reverse accumulation, in the order of a pass over the unfused graph, so that the sums are the same to the bit. */
  #backward(name: string): { parameters: readonly string[]; text: string } {
    const several = this.#outputs.length > 1;
    const gradients = new Map<Variable, string>();
    const lines: string[] = [];
    const arrive = (variable: Variable, gradient: string): void => {
      const before = gradients.get(variable);
      if (before === undefined) {
        gradients.set(variable, gradient);
        return;
      }
      const sum = `s${lines.length}`;
      lines.push(`let ${sum} = ${before} + ${gradient};`);
      gradients.set(variable, sum);
    };
    this.#outputs.forEach((output, k) => arrive(output, several ? `gy${k}` : "gy"));
    for (const node of sortedByGeneration(this.#outputs)) {
      if (!(node instanceof Elementwise) || node.source.backward === null) continue;
      if (!node.outputs.some((output) => gradients.has(output))) continue;
      const own = node.outputs.map((output) => gradients.get(output) ?? "0.0");
      const result = `g${lines.length}`;
      lines.push(`let ${result} = ${this.#call(node, "backward", node.source.backward, own)};`);
      node.inputs.forEach((input, k) => {
        if (input.requiresGrad) arrive(input, node.inputs.length === 1 ? result : `${result}[${k}]`);
      });
    }
    const results = this.inputs.map((input) => gradients.get(input) ?? "0.0");
    const body = withoutUnused([...this.#forwardLines(), ...lines], results);
    const all = [...this.inputs.map((_, k) => `x${k}`), ...this.#outputs.map((_, k) => (several ? `gy${k}` : "gy"))];
    const parameters = all.filter((parameter) => mentions([...body, ...results], parameter));
    return { parameters, text: functionText(`${name}_backward`, parameters, body, results) };
  }

  #call(
    node: Elementwise,
    kind: "forward" | "backward",
    parameters: readonly string[],
    gradients: readonly string[] = [],
  ): string {
    const args = parameters.map((parameter) => {
      const { to, index } = referenceOf(parameter, node.source.inputs);
      return to === "gradient"
        ? at(gradients, index)
        : this.#text(at(to === "input" ? node.inputs : node.outputs, index));
    });
    return `${node.source.name}_${kind}(${args.join(", ")})`;
  }

  #text(variable: Variable): string {
    const text = this.#expressions.get(variable);
    if (text === undefined) throw new Error("gpugrad bug: a symbol from outside of the graph");
    return text;
  }

  /** The gradients of the inputs as a function of the gradients of the outputs, then the inputs. */
  differentiated(): Fused {
    const gradients = new Map<Variable, Variable>();
    const starts = this.#outputs.map((_, k) => symbol(`gy${k}`));
    const arrive = (variable: Variable, gradient: Variable): void => {
      const before = gradients.get(variable);
      gradients.set(variable, before === undefined ? gradient : before.add(gradient));
    };
    const results = tracing.during(recordCall, () => {
      this.#outputs.forEach((output, k) => arrive(output, at(starts, k)));
      for (const node of sortedByGeneration(this.#outputs)) {
        if (!(node instanceof Elementwise) || node.source.backward === null) continue;
        if (!node.outputs.some((output) => gradients.has(output))) continue;
        if (node.derivative === null) {
          throw new NotDifferentiableError(
            `${node.name} can't be differentiated twice: its backward is a kernel. Give it a derivative made of Functions`,
          );
        }
        const own = node.outputs.map((output) => gradients.get(output) ?? asVariable(0));
        toList<Variable | null>(node.derivative(...own, ...node.inputs, ...node.outputs)).forEach((gradient, k) => {
          const input = at(node.inputs, k);
          if (gradient !== null && input.requiresGrad) arrive(input, gradient);
        });
      }
      return this.inputs.map((input) => gradients.get(input) ?? asVariable(0));
    });
    return new Fused([...starts, ...this.inputs], results, false);
  }
}

function functionText(
  name: string,
  parameters: readonly string[],
  body: readonly string[],
  results: readonly string[],
): string {
  const type = results.length === 1 ? "f32" : `array<f32, ${results.length}>`;
  const value = results.length === 1 ? at(results, 0) : `${type}(${results.join(", ")})`;
  return [
    `fn ${name}(${parameters.map((parameter) => `${parameter}: f32`).join(", ")}) -> ${type} {`,
    ...body.map((line) => `  ${line}`),
    `  return ${value};`,
    "}",
  ].join("\n");
}

/** The lines whose value is used, by a line after it or in the result. */
function withoutUnused(lines: readonly string[], results: readonly string[]): string[] {
  const kept: string[] = [];
  for (const line of [...lines].reverse()) {
    const [, name = ""] = /^let (\w+) =/.exec(line) ?? [];
    if (mentions([...kept, ...results], name)) kept.unshift(line);
  }
  return kept;
}

function mentions(texts: readonly string[], name: string): boolean {
  const pattern = new RegExp(`\\b${name}\\b`);
  return texts.some((text) => pattern.test(text));
}

/** The number as WGSL, exactly; null for what WGSL has no literal for. */
function literalOf(value: number): string | null {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded) || Object.is(rounded, -0)) return null;
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
