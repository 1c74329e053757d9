/** A source whose functions can be called: parsed and checked as the library does it, then run in float64. */
import { check } from "../../../../src/wgsl/check/check.js";
import { mathFunction } from "../../../../src/wgsl/check/outside.js";
import { ModuleScope } from "../../../../src/wgsl/check/module-scope.js";
import type { Callable, Checked } from "../../../../src/wgsl/check/symbols.js";
import type { Type } from "../../../../src/wgsl/check/types.js";
import { parse } from "../../../../src/wgsl/language/parser.js";
import { SourceText } from "../../../../src/wgsl/language/source-text.js";
import type { Expression, TypeName } from "../../../../src/wgsl/language/syntax.js";
import { Evaluator } from "./evaluator.js";
import { gradientOf, Node, numberOf } from "./float.js";
import { Run } from "./run.js";
import { fill, scalarsOf, type Value } from "./values.js";

/** More turns of loops than any test needs. */
const mostTurns = 1_000_000;

/** math_exact_exp is math_exp, whoever declares it. */
function outside(name: string): Callable | null {
  return mathFunction(name) ?? mathFunction(name.replace(/^math_exact_/, "math_"));
}

/** What an expression does with the values of its operands. */
export type Operation = (operands: readonly Value[]) => Value;

export class Program {
  readonly checked: Checked;
  readonly #scope: ModuleScope;
  /** Of the module's constants, by where they are declared. */
  readonly #constants = new Map<number, Value>();
  /** Of the expressions that have been computed once. */
  readonly #operations = new Map<Expression, Operation>();
  #turns = 0;

  /** @throws WgslError where the source has a mistake. */
  constructor(text: string) {
    const source = new SourceText(text, "test");
    const declarations = parse(source);
    this.checked = check(source, declarations, outside);
    this.#scope = new ModuleScope(source, declarations, outside);
  }

  /** The function's value for operands given as numbers: a vector, array or struct as all of its numbers in order. */
  value(name: string, args: readonly (number | readonly number[])[]): number[] {
    return scalarsOf(this.#run(name, args, (x) => x)).map(numberOf);
  }

  /** The partial derivatives of its first number, by reverse accumulation: one for each number among the operands. */
  gradient(name: string, args: readonly (number | readonly number[])[]): { value: number; gradient: number[] } {
    const inputs: Node[] = [];
    const result = this.#run(name, args, (x) => {
      const input = new Node(x);
      inputs.push(input);
      return input;
    });
    const [first = 0] = scalarsOf(result);
    return { value: numberOf(first), gradient: gradientOf(first, inputs) };
  }

  #run(name: string, args: readonly (number | readonly number[])[], enter: (x: number) => number | Node): Value {
    const { parameters } = this.function(name);
    const values = parameters.map(({ type }, k) => {
      const numbers = [args[k] ?? []].flat();
      return fill(type, (scalar) => {
        const x = numbers.shift();
        if (x === undefined) throw new Error(`${name} lacks operands`);
        return scalar === "bool" ? x !== 0 : scalar === "f32" ? enter(x) : x;
      });
    });
    this.#turns = 0;
    return this.call(name, values);
  }

  function(name: string): Callable {
    const found = this.checked.functions.get(name);
    if (found === undefined) throw new Error(`there is no function ${name}`);
    return found;
  }

  call(name: string, args: readonly Value[]): Value {
    const { declaration } = this.function(name);
    if (declaration === null) throw new Error(`${name} has no body`);
    const frame = new Map(declaration.parameters.map(({ at }, k) => [at, args[k]!]));
    return new Run(this, new Evaluator(this, frame), frame).body(declaration.body);
  }

  typeOf(expression: Expression): Type {
    const type = this.checked.types.get(expression);
    if (type === undefined) throw new Error(`an expression of kind ${expression.kind} has no type`);
    return type;
  }

  typeNamed(written: TypeName): Type | null {
    return this.#scope.typeOrNull(written);
  }

  /** A constant of the module, or one whose value is asked for before its declaration is run. */
  constant(at: number, value: Expression): Value {
    let found = this.#constants.get(at);
    if (found === undefined) {
      found = new Evaluator(this, new Map()).value(value);
      this.#constants.set(at, found);
    }
    return found;
  }

  /** What an expression does, found at its first turn. */
  operation(expression: Expression, find: () => Operation): Operation {
    let found = this.#operations.get(expression);
    if (found === undefined) this.#operations.set(expression, (found = find()));
    return found;
  }

  countTurn(): void {
    if (++this.#turns > mostTurns) throw new Error("a loop doesn't end");
  }
}

const programs = new Map<string, Program>();

/** Of the last sources that were asked for. */
export function programOf(source: string): Program {
  let program = programs.get(source);
  if (program === undefined) {
    if (programs.size >= 8) programs.clear();
    programs.set(source, (program = new Program(source)));
  }
  return program;
}

/**
 * Runs a function of the source in float64.
 * @returns a number, or all numbers of a vector, matrix, array or struct in order; true is 1
 */
export function interpret(
  source: string,
  functionName: string,
  args: readonly (number | readonly number[])[],
): number | number[] {
  const program = programOf(source);
  const numbers = program.value(functionName, args);
  return program.function(functionName).result.kind === "scalar" ? numbers[0]! : numbers;
}
