/** The values of expressions, in one call of a function. */
import { componentsOf } from "../../../../src/wgsl/check/swizzle.js";
import { numberValue } from "../../../../src/wgsl/check/constant.js";
import { elementOf, isFloat, type ScalarName, type Type } from "../../../../src/wgsl/check/types.js";
import type { CallExpression, Expression } from "../../../../src/wgsl/language/syntax.js";
import { builtin } from "./builtins.js";
import { mathFormula } from "./math.js";
import { binary, unary, wrap } from "./operators.js";
import type { Operation, Program } from "./program.js";
import { asBool, asList, asNumber, each, memberOf, partOf, StructValue, zeroOf, type Value } from "./values.js";

/** Names of types, whose elements a constructor finds out of its operands. */
const open = /^(?:vec[234]|mat[234]x[234]|array)$/;

export class Evaluator {
  readonly #program: Program;
  /** What the function's names hold, by where they are declared: one that shadows another is declared elsewhere. */
  readonly #frame: ReadonlyMap<number, Value>;

  constructor(program: Program, frame: ReadonlyMap<number, Value>) {
    this.#program = program;
    this.#frame = frame;
  }

  value(expression: Expression): Value {
    switch (expression.kind) {
      case "number":
        return this.#program.operation(expression, () => {
          const number = numberValue(expression.text);
          return () => number;
        })([]);
      case "bool":
        return expression.value;
      case "name":
        return this.#name(expression);
      case "unary": {
        const { operator, operand } = expression;
        return unary(operator, this.value(operand), this.#program.typeOf(operand));
      }
      case "binary":
        return this.#binary(expression);
      case "member":
        return this.#member(expression);
      case "index":
        return partOf(asList(this.value(expression.object)), asNumber(this.value(expression.index)));
      case "call":
        return this.#call(expression);
    }
  }

  #name(expression: Expression & { kind: "name" }): Value {
    const variable = this.#program.checked.variables.get(expression);
    if (variable === undefined) throw new Error(`${expression.name} stands for nothing`);
    const held = this.#frame.get(variable.at);
    if (held !== undefined) return held;
    if (variable.keyword !== "const" || variable.value === null) throw new Error(`${variable.name} has no value yet`);
    return this.#program.constant(variable.at, variable.value);
  }

  #binary(expression: Expression & { kind: "binary" }): Value {
    const { operator, left, right } = expression;
    const first = this.value(left);
    if (operator === "&&") return asBool(first) && asBool(this.value(right));
    if (operator === "||") return asBool(first) || asBool(this.value(right));
    const compute = this.#program.operation(expression, () => {
      const both = binary(operator, this.#program.typeOf(left), this.#program.typeOf(right));
      return ([a, b]) => both(a!, b!);
    });
    return compute([first, this.value(right)]);
  }

  #member({ object, name }: Expression & { kind: "member" }): Value {
    const whole = this.value(object);
    if (whole instanceof StructValue) return memberOf(whole, name);
    const components = componentsOf(name).map((k) => partOf(asList(whole), k));
    return components.length === 1 ? components[0]! : components;
  }

  #call(call: CallExpression): Value {
    const args = call.args.map((arg) => this.value(arg));
    return this.#program.operation(call, () => this.#called(call))(args);
  }

  /** What a call computes of its operands. */
  #called(call: CallExpression): Operation {
    const { name } = call.callee;
    const callable = this.#program.checked.callees.get(call);
    if (callable !== undefined) {
      if (callable.declaration !== null) return (args) => this.#program.call(name, args);
      return mathFormula(name) ?? unknown(name);
    }
    const types = call.args.map((arg) => this.#program.typeOf(arg));
    const type = this.#program.typeOf(call);
    if (name === "bitcast") {
      const [from, to] = [elementOf(types[0]!), elementOf(type)];
      return ([x]) => each((part) => bitcast(asNumber(part), from, to), x!);
    }
    if (open.test(name) || this.#program.typeNamed(call.callee) !== null) return (args) => construct(type, args, types);
    const compute = builtin(name) ?? unknown(name);
    return (args) => compute(args, types);
  }
}

function unknown(name: string): never {
  throw new Error(`the interpreter doesn't know ${name}`);
}

/** A value of this type, made of others: converted, filled up from parts, or element by element. */
function construct(type: Type, args: readonly Value[], types: readonly Type[]): Value {
  if (args.length === 0) return zeroOf(type);
  switch (type.kind) {
    case "struct":
      return new StructValue(type.members.map(({ name }, k) => [name, args[k]!] as const));
    case "array":
      return args;
    case "matrix":
      if (args.length === 1) return args[0]!;
      return args.length === type.columns ? args : columnsOf(args, type.rows);
    case "vector": {
      const parts = args.flatMap((arg, k) => each((x) => convert(x, elementOf(types[k]!), type.element), arg));
      const [only] = parts;
      return parts.length === 1 && only !== undefined ? Array.from({ length: type.size }, () => only) : parts;
    }
    default:
      return convert(args[0]!, elementOf(types[0]!), elementOf(type));
  }
}

function columnsOf(numbers: readonly Value[], rows: number): Value {
  return Array.from({ length: numbers.length / rows }, (_, k) => numbers.slice(k * rows, (k + 1) * rows));
}

function convert(x: Value, from: ScalarName | null, to: ScalarName | null): Value {
  if (to === "bool") return typeof x === "boolean" ? x : asNumber(x) !== 0;
  const number = typeof x === "boolean" ? Number(x) : x;
  if (isFloat(to)) return number;
  // Floats are cut towards 0, and kept in the range; whole numbers keep their bits.
  const whole = Math.trunc(asNumber(number));
  if (!isFloat(from)) return wrap(whole, to);
  if (Number.isNaN(whole)) return 0;
  const [low, high] = to === "u32" ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  return Math.min(Math.max(whole, low), high) + 0;
}

const view = new DataView(new ArrayBuffer(4));

function bitcast(x: number, from: ScalarName | null, to: ScalarName | null): number {
  if (isFloat(from)) view.setFloat32(0, x);
  else view.setUint32(0, x >>> 0);
  if (isFloat(to)) return view.getFloat32(0);
  return to === "u32" ? view.getUint32(0) : view.getInt32(0);
}
