/** A traced program as WGSL: one function forward, and one backward that computes what it needs again, in registers. */
import isZeroWgsl from "../../../shaders/math/is_zero.wgsl?raw";
import { at } from "../../base/assert.js";
import type { Elementwise } from "../../elementwise/elementwise.js";
import type { Variable } from "../../graph/variable.js";
import { identifier } from "../../wgsl/language/walk.js";
import { withMath } from "../../wgsl/math.js";
import { argumentOf, callOf, type ElementwiseSource } from "../../wgsl/source.js";
import { Barriers, opaque } from "./barriers.js";
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

/** A call of a function: its WGSL, and what it is given. */
interface Call {
  readonly text: string;
  readonly uses: readonly Value[];
}

/** A gradient, and the function whose backward gave it, if no select and no sum is in between. */
interface Arriving extends Value {
  readonly by?: Elementwise;
}

/** A gradient, which is 0 wherever one of these is, whatever its text gives there. */
interface Gradient extends Arriving {
  readonly zeroWith: readonly Value[];
}

/** What the harness needs to know of a program: it is one function with several inputs and outputs. */
export function sourceOf(program: Program, name: string): ElementwiseSource {
  const text = new ProgramText(program);
  const inputs = program.inputs.map((_, k) => `x${k}`);
  const isDifferentiable = program.outputs.some((output) => output.requiresGrad) && inputs.length > 0;
  const forward = functionText(`${name}_forward`, inputs, text.forward, text.outputs);
  const { lines, results } = text.backward(false);
  const parameters = isDifferentiable ? parametersRead(lines, results, [...inputs, ...text.gradientNames]) : null;
  const backward = (fromOnes: boolean): string => {
    const all = fromOnes ? text.backward(true) : { lines, results };
    return functionText(`${name}_backward`, parameters ?? [], all.lines, all.results);
  };
  return {
    name,
    wgsl: [
      forward,
      ...(isDifferentiable ? [backward(false)] : []),
      ...calledBy(program, text.names, ({ source }) =>
        isDifferentiable ? source.wgsl : source.textFor("forward", false),
      ),
    ].join("\n\n"),
    differentiable: parameters !== null,
    derived: null,
    inputs,
    outputs: program.outputs.length,
    packed: null,
    backward: parameters,
    gradientType: inputs.length === 1 ? "f32" : `array<f32, ${inputs.length}>`,
    gradientReads: results.map((result) => new Set(parametersRead(lines, [result], parameters ?? []))),
    textFor: (direction, fromOnes) => {
      const called = calledBy(program, text.names, ({ source, output }) =>
        source.textFor(direction === "backward" && output.requiresGrad ? "backward" : "forward", false),
      );
      return [direction === "forward" ? forward : backward(fromOnes), ...called].join("\n\n");
    },
  };
}

/** The WGSL of the functions in the program, each once. */
function calledBy({ nodes }: Program, names: Names, textOf: (node: Elementwise) => string): string[] {
  const called = new Map<string, string>();
  for (const node of nodes) {
    const text = names.rename(node.source, textOf(node));
    const name = names.of(node.source);
    // One call may need the gradient where another doesn't.
    if (text.length > (called.get(name)?.length ?? 0)) called.set(name, text);
  }
  return [...called.values()];
}

/** The names of a program's functions: of two different ones that are called the same, the second gets another. */
class Names {
  /** By the functions' WGSL. */
  readonly #names = new Map<string, string>();

  constructor({ nodes }: Program) {
    const isPartOf = (name: string): boolean => nodes.some(({ source }) => source.wgsl.includes(`${name}_`));
    const taken = new Set<string>();
    for (const { source } of nodes) {
      if (this.#names.has(source.wgsl)) continue;
      let name = source.name;
      for (let k = 2; taken.has(name); k++) {
        const next = `${source.name}_v${k}`;
        if (!isPartOf(next)) name = next;
      }
      taken.add(name);
      this.#names.set(source.wgsl, name);
    }
  }

  of({ name, wgsl }: ElementwiseSource): string {
    return this.#names.get(wgsl) ?? name;
  }

  /** All that a source declares begins with its name. */
  rename(source: ElementwiseSource, text: string): string {
    const name = this.of(source);
    if (name === source.name) return text;
    const prefix = `${source.name}_`;
    return text.replace(identifier, (word) =>
      word.startsWith(prefix) ? `${name}_${word.slice(prefix.length)}` : word,
    );
  }
}

class ProgramText {
  readonly forward: readonly Line[];
  readonly outputs: readonly Value[];
  /** Of the parameters for the outputs' gradients. */
  readonly gradientNames: readonly string[];
  readonly names: Names;
  readonly #program: Program;
  readonly #barriers: Barriers;
  readonly #values = new Map<Variable, Value>();

  constructor(program: Program) {
    this.#program = program;
    this.#barriers = new Barriers(program);
    this.names = new Names(program);
    program.inputs.forEach((input, k) => this.#values.set(input, named(`x${k}`)));
    program.nodes.forEach((node, k) => {
      node.outputs.forEach((output, part) => {
        const { length } = node.outputs;
        this.#values.set(output, length === 1 ? named(`v${k}`) : { text: `v${k}[${part}]`, from: `v${k}` });
      });
    });
    this.forward = program.nodes.map((node, k) => {
      const { uses, text } = this.#call(node, "forward");
      return { name: `v${k}`, uses: usesOf(uses), text };
    });
    this.outputs = program.outputs.map((output) => this.#valueOf(output));
    this.gradientNames = program.outputs.map((_, k) => (program.outputs.length > 1 ? `gy${k}` : "gy"));
  }

  /**
   * Reverse accumulation, in the order of a pass over the unfused graph, so that the sums are the same to the bit. Along a
   * chain nothing is made 0 but what is added or returned at its end, where a gradient on the way was 0: a select for each
   * function costs more (BENCHMARKS.md).
   *
   * @param fromOnes whether the outputs' gradients are known not to be 0
   */
  backward(fromOnes: boolean): { lines: readonly Line[]; results: readonly Value[] } {
    const gradients = new Map<Variable, Gradient>();
    const lines: Line[] = [];
    const define = (prefix: string, uses: readonly Value[], text: string): Value => {
      const name = `${prefix}${lines.length}`;
      lines.push({ name, uses: usesOf(uses), text });
      return named(name);
    };
    const settle = (gradient: Gradient): Value =>
      gradient.zeroWith.length === 0
        ? gradient
        : define("g", [gradient, ...gradient.zeroWith], settled(gradient, "0.0"));
    const arrive = (variable: Variable, gradient: Gradient): void => {
      const before = gradients.get(variable);
      if (before === undefined) gradients.set(variable, gradient);
      else {
        const [a, b] = [settle(before), settle(gradient)];
        gradients.set(variable, { ...define("s", [a, b], `${a.text} + ${b.text}`), zeroWith: [] });
      }
    };
    this.#program.outputs.forEach((output, k) => {
      arrive(output, { ...named(at(this.gradientNames, k)), zeroWith: [] });
    });
    for (const node of this.#program.backwards()) {
      const arrived = node.outputs.map((output) => gradients.get(output));
      const [gradient] = arrived;
      const isSeed = fromOnes && arrived.some((each) => each !== undefined && this.gradientNames.includes(each.text));
      const call =
        arrived.length > 1
          ? this.#backwardOfSeveral(
              node,
              arrived.map((each) => each && settle(each)),
              isSeed,
            )
          : gradient && this.#backwardOf(node, gradient, isSeed);
      if (!call) continue;
      if (node.inputs.length === 1) {
        arrive(at(node.inputs, 0), { ...define("g", call.uses, call.text), zeroWith: call.zeroWith, by: node });
        continue;
      }
      const value = define("g", [...call.uses, ...call.zeroWith], settled(call, `${node.source.gradientType}()`));
      const by = call.zeroWith.length === 0 ? { by: node } : {};
      node.inputs.forEach((input, k) => {
        if (input.requiresGrad) arrive(input, { text: `${value.text}[${k}]`, from: value.from, zeroWith: [], ...by });
      });
    }
    const results = this.#program.inputs.map((input) => {
      const gradient = gradients.get(input);
      return gradient === undefined ? zero : settle(gradient);
    });
    return { lines: linesFor([...this.forward, ...lines], results), results };
  }

  /** A call of the node's backward, and the gradients that make it 0 where they are, whatever the operands are. */
  #backwardOf(node: Elementwise, gradient: Gradient, isSeed: boolean): Call & { readonly zeroWith: readonly Value[] } {
    const call = this.#call(node, "backward", [gradient]);
    if (!call.uses.includes(gradient)) return { ...call, zeroWith: [] };
    const { zeroWith } = gradient;
    return { ...call, zeroWith: isSeed || node.traits.keepsZero === true ? zeroWith : [...zeroWith, gradient] };
  }

  /** The same of a node with several outputs, of which some have no gradient. It is 0 where all of them are. */
  #backwardOfSeveral(
    node: Elementwise,
    gradients: readonly (Value | undefined)[],
    isSeed: boolean,
  ): (Call & { readonly zeroWith: readonly Value[] }) | null {
    const arrived = gradients.filter((gradient) => gradient !== undefined);
    if (arrived.length === 0) return null;
    const { uses, text } = this.#call(node, "backward", gradients);
    if (isSeed || node.traits.keepsZero === true) return { uses, text, zeroWith: [] };
    const type = node.inputs.length === 1 ? "f32" : node.source.gradientType;
    return { uses: [...uses, ...arrived], text: zeroWhere(text, `${type}()`, arrived, " & "), zeroWith: [] };
  }

  /** A call of the node's function, forward or backward. @param gradients of the outputs, 0 where there is none */
  #call(node: Elementwise, direction: "forward" | "backward", gradients: readonly (Arriving | undefined)[] = []): Call {
    const { source } = node;
    const parameters = direction === "forward" ? source.inputs : (source.backward ?? []);
    const args: string[] = [];
    const uses = parameters.map((parameter) => {
      const { to, index } = argumentOf(parameter, source.inputs);
      if (to === "gradient") {
        const gradient: Arriving = gradients[index] ?? zero;
        const folds = gradient.by !== undefined && this.#barriers.foldsBackward(node, gradient.by);
        args.push(folds ? opaque(gradient.text) : gradient.text);
        return gradient;
      }
      const value = this.#valueOf(at(to === "input" ? node.inputs : node.outputs, index));
      args.push(to === "input" ? this.#barriers.operand(node, index, value.text, direction) : value.text);
      return value;
    });
    return { uses, text: callOf(source, direction, args, this.names.of(source)) };
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

/** A gradient's text with the zeros that it has where others are 0. @param none the 0 of its type */
function settled({ text, zeroWith }: Pick<Gradient, "text" | "zeroWith">, none: string): string {
  return zeroWith.length === 0 ? text : zeroWhere(text, none, zeroWith, " | ");
}

function zeroWhere(text: string, none: string, values: readonly Value[], joint: string): string {
  const areZero = values.map((value) => `math_is_zero(${value.text})`).join(joint);
  return withMath(`select(${text}, ${none}, ${areZero})`, isZeroWgsl);
}

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
