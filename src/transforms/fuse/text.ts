/** A traced program as WGSL: one function forward, and one backward that computes what it needs again, in registers. */
import { at } from "../../base/assert.js";
import { FuseError } from "../../base/errors.js";
import type { Elementwise } from "../../elementwise/elementwise.js";
import type { Variable } from "../../graph/variable.js";
import { argumentOf, type ElementwiseSource } from "../../wgsl/source.js";
import { literalOf, type Program } from "./program.js";

/** `let name = text;` and the names in it that have a line, or are parameters. */
interface Line {
  readonly name: string;
  readonly uses: readonly string[];
  readonly text: string;
}

/** A value of the program: its WGSL, and the line or parameter it comes from, if any. */
interface Value {
  readonly text: string;
  readonly from: string | null;
}

/** What the harness needs to know of a program: it is one function with several inputs and outputs. */
export function sourceOf(program: Program, name: string): ElementwiseSource {
  const text = new ProgramText(program);
  const inputs = program.inputs.map((_, k) => `x${k}`);
  const isDifferentiable = program.outputs.some((output) => output.requiresGrad) && inputs.length > 0;
  const called = calledBy(program);
  const forward = functionText(`${name}_forward`, inputs, text.forward, text.outputs);
  const { lines, results } = text.backward(false);
  const parameters = isDifferentiable ? parametersRead(lines, results, [...inputs, ...text.gradientNames]) : null;
  const backward = (fromOnes: boolean): string => {
    const all = fromOnes ? text.backward(true) : { lines, results };
    return functionText(`${name}_backward`, parameters ?? [], all.lines, all.results);
  };
  return {
    name,
    wgsl: [forward, ...(isDifferentiable ? [backward(false)] : []), ...called].join("\n\n"),
    inputs,
    outputs: program.outputs.length,
    backward: parameters,
    gradientType: inputs.length === 1 ? "f32" : `array<f32, ${inputs.length}>`,
    gradientReads: results.map((result) => new Set(parametersRead(lines, [result], parameters ?? []))),
    textFor: (direction, fromOnes) => [direction === "forward" ? forward : backward(fromOnes), ...called].join("\n\n"),
  };
}

/** The WGSL of the functions in the program, each once. */
function calledBy({ nodes }: Program): string[] {
  const called = new Map<string, string>();
  for (const { source } of nodes) {
    if ((called.get(source.name) ?? source.wgsl) !== source.wgsl) {
      throw new FuseError(`fuse: two different functions are called ${source.name}. Rename one`);
    }
    called.set(source.name, source.wgsl);
  }
  return [...called.values()];
}

class ProgramText {
  readonly forward: readonly Line[];
  readonly outputs: readonly Value[];
  /** Of the parameters for the outputs' gradients. */
  readonly gradientNames: readonly string[];
  readonly #program: Program;
  readonly #values = new Map<Variable, Value>();

  constructor(program: Program) {
    this.#program = program;
    program.inputs.forEach((input, k) => this.#values.set(input, named(`x${k}`)));
    program.nodes.forEach((node, k) => this.#values.set(node.output, named(`v${k}`)));
    this.forward = program.nodes.map((node, k) => ({ name: `v${k}`, ...this.#call(node, "forward") }));
    this.outputs = program.outputs.map((output) => this.#valueOf(output));
    this.gradientNames = program.outputs.map((_, k) => (program.outputs.length > 1 ? `gy${k}` : "gy"));
  }

  /**
   * Reverse accumulation, in the order of a pass over the unfused graph, so that the sums are the same to the bit.
   *
   * @param fromOnes whether the outputs' gradients are known not to be 0
   */
  backward(fromOnes: boolean): { lines: readonly Line[]; results: readonly Value[] } {
    const gradients = new Map<Variable, Value>();
    const lines: Line[] = [];
    const arrive = (variable: Variable, gradient: Value): void => {
      const before = gradients.get(variable);
      if (before === undefined) {
        gradients.set(variable, gradient);
        return;
      }
      const sum = named(`s${lines.length}`);
      lines.push({ name: sum.text, uses: usesOf([before, gradient]), text: `${before.text} + ${gradient.text}` });
      gradients.set(variable, sum);
    };
    this.#program.outputs.forEach((output, k) => {
      arrive(output, named(at(this.gradientNames, k)));
    });
    for (const node of this.#program.backwards()) {
      const gradient = gradients.get(node.output);
      if (gradient === undefined) continue;
      const isZero = !(fromOnes && this.gradientNames.includes(gradient.text));
      const name = `g${lines.length}`;
      lines.push({ name, ...this.#call(node, "backward", gradient, isZero) });
      node.inputs.forEach((input, k) => {
        if (!input.requiresGrad) return;
        arrive(input, { text: node.inputs.length === 1 ? name : `${name}[${k}]`, from: name });
      });
    }
    const results = this.#program.inputs.map((input) => gradients.get(input) ?? { text: "0.0", from: null });
    return { lines: linesFor([...this.forward, ...lines], results), results };
  }

  /** A call of the node's function; backward, with the 0 that a gradient of 0 gives, whatever the operands are. */
  #call(node: Elementwise, direction: "forward" | "backward", gradient = zero, isZero = false): Omit<Line, "name"> {
    const { source, traits } = node;
    const parameters = direction === "forward" ? source.inputs : (source.backward ?? []);
    const values = parameters.map((parameter) => {
      const { to, index } = argumentOf(parameter, source.inputs);
      if (to === "gradient") return gradient;
      return this.#valueOf(at(to === "input" ? node.inputs : node.outputs, index));
    });
    const call = `${source.name}_${direction}(${values.map(({ text }) => text).join(", ")})`;
    if (!isZero || traits.keepsZero === true || !values.includes(gradient)) return { uses: usesOf(values), text: call };
    const none = source.gradientType === "f32" ? "0.0" : `${source.gradientType}()`;
    return { uses: usesOf(values), text: `select(${call}, ${none}, math_is_zero(${gradient.text}))` };
  }

  #valueOf(variable: Variable): Value {
    const value = this.#values.get(variable);
    if (value !== undefined) return value;
    const literal = literalOf(variable);
    if (literal === null) throw new Error("gpugrad bug: a value from outside of the program");
    return { text: literal, from: null };
  }
}

const zero: Value = { text: "0.0", from: null };

function named(name: string): Value {
  return { text: name, from: name };
}

function usesOf(values: readonly Value[]): string[] {
  return values.flatMap(({ from }) => (from === null ? [] : [from]));
}

/** The names that these values need, of lines and parameters. */
function namesFor(lines: readonly Line[], results: readonly Value[]): Set<string> {
  const needed = new Set(usesOf(results));
  for (let k = lines.length - 1; k >= 0; k--) {
    const { name, uses } = at(lines, k);
    if (needed.has(name)) for (const use of uses) needed.add(use);
  }
  return needed;
}

function linesFor(lines: readonly Line[], results: readonly Value[]): Line[] {
  const needed = namesFor(lines, results);
  return lines.filter(({ name }) => needed.has(name));
}

function parametersRead(
  lines: readonly Line[],
  results: readonly Value[],
  parameters: readonly string[],
): readonly string[] {
  const needed = namesFor(lines, results);
  return parameters.filter((parameter) => needed.has(parameter));
}

function functionText(
  name: string,
  parameters: readonly string[],
  body: readonly Line[],
  results: readonly Value[],
): string {
  const type = results.length === 1 ? "f32" : `array<f32, ${results.length}>`;
  const values = results.map(({ text }) => text).join(", ");
  return [
    `fn ${name}(${parameters.map((parameter) => `${parameter}: f32`).join(", ")}) -> ${type} {`,
    ...body.map((line) => `  let ${line.name} = ${line.text};`),
    `  return ${results.length === 1 ? values : `${type}(${values})`};`,
    "}",
  ].join("\n");
}
