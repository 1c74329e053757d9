/**
 * Where a compiler may compute across the functions of a program. WGSL lets it make x of (x + c) - c, and 0 of x * 0, and
 * one function alone never shows it both steps. What is given to a function at such a place goes through math_opaque,
 * which no compiler sees through; a chain that can't be folded has none. It looks at a function and the one that made its
 * operand: what a compiler computes across three or more of them is not prevented.
 */
import opaqueWgsl from "../../../shaders/math/opaque.wgsl?raw";
import { at } from "../../base/assert.js";
import type { Elementwise } from "../../elementwise/elementwise.js";
import type { Variable } from "../../graph/variable.js";
import { withMath } from "../../wgsl/math.js";
import { argumentOf } from "../../wgsl/source.js";
import { literalOf, type Program } from "./program.js";

/** Sums fold with sums, and products with products. */
type Kind = "sum" | "product";

/** Which way an operand counts: 1 where it is added or multiplied by, -1 where subtracted or divided by. */
const signs: Readonly<Record<string, { readonly kind: Kind; readonly of: readonly (1 | -1)[] }>> = {
  add: { kind: "sum", of: [1, 1] },
  sub: { kind: "sum", of: [1, -1] },
  mul: { kind: "product", of: [1, 1] },
  div: { kind: "product", of: [1, -1] },
  reciprocal: { kind: "product", of: [-1] },
  square: { kind: "product", of: [1] },
  doubledProduct: { kind: "product", of: [1, 1] },
};

/** Functions whose result is one of their operands, by its index, or the negative one. */
const transparent: Readonly<Record<string, number>> = { neg: 0, detach: 0, gate: 1 };

/** Functions whose backward only multiplies the gradient: no product of these two can be folded. */
const multiplying = new Set(["mul", "square", "doubledProduct", "exp"]);

/** Functions that treat two operands which are the same as they do any others. */
const blindToEquals = new Set(["add", "mul", "where", "gate", "gated", "strongZero"]);

/** Operands, by number, and the way they count; 0 where that isn't known. */
type Atoms = ReadonlyMap<number, 1 | -1 | 0>;

const literal = -1;

export class Barriers {
  readonly #makers = new Map<Variable, Elementwise>();
  /** Values that are computed alike have one number: a compiler sees that they are the same. */
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<Variable, number>();

  constructor({ nodes }: Program) {
    for (const node of nodes) for (const output of node.outputs) this.#makers.set(output, node);
  }

  /** What the function is given of an operand, forward or backward. @param text the operand's WGSL */
  operand(node: Elementwise, index: number, text: string, direction: "forward" | "backward"): string {
    const { inputs } = node;
    const input = at(inputs, index);
    const equals = inputs.findIndex((other) => this.#numberOf(other) === this.#numberOf(input));
    if (equals < index && !blindToEquals.has(nameOf(node))) return opaque(text);
    if (literalOf(input) !== null) return foldsLiteral(node, index) ? opaque(text) : text;
    return direction === "forward" && this.#folds(node, index) ? opaque(text) : text;
  }

  /** Whether products fold where the gradient that `from` gave is what the backward of `node` multiplies. */
  foldsBackward(node: Elementwise, from: Elementwise): boolean {
    if (isOwn(node) || isOwn(from)) return true;
    if (multiplying.has(nameOf(node)) && multiplying.has(nameOf(from))) return false;
    const before = this.#readBackward(from);
    return this.#readBackward(node).some((number) => before.includes(number));
  }

  /** The values that a function's backward reads, other than gradients. */
  #readBackward({ source, inputs, outputs }: Elementwise): number[] {
    return (source.backward ?? []).flatMap((parameter) => {
      const { to, index } = argumentOf(parameter, source.inputs);
      return to === "gradient" ? [] : [this.#numberOf(at(to === "input" ? inputs : outputs, index))];
    });
  }

  #folds(node: Elementwise, index: number): boolean {
    const [maker, root] = this.#makerOf(at(node.inputs, index));
    if (maker === null) return false;
    const others = node.inputs.filter((_, k) => k !== index);
    // x y + x z is x (y + z): one of the two is enough.
    if (signs[nameOf(node)]?.kind === "sum" && index === 1) {
      const [first] = this.#makerOf(at(others, 0));
      if (first !== null && this.#shares(first, maker)) return true;
    }
    const kinds = kindsOf(maker);
    return kindsOf(node).some((kind) => {
      if (!kinds.includes(kind)) return false;
      const inner = this.#atoms(maker);
      // What the operand is at its place in the outer function, its parts are there.
      const place = signs[nameOf(node)]?.of[index] ?? 0;
      const isNegative = kind === "sum" && this.#isNegated(at(node.inputs, index), root);
      const outer = this.#atoms(node, index);
      return [...outer].some(([number, sign]) => {
        const before = inner.get(number);
        if (before === undefined) return false;
        if (number === literal || before === 0 || sign === 0 || place === 0) return true;
        return before * place * (isNegative ? -1 : 1) !== sign;
      });
    });
  }

  /** Whether both are products that have an operand, or a number, in common. */
  #shares(first: Elementwise, second: Elementwise): boolean {
    if (!kindsOf(first).includes("product") || !kindsOf(second).includes("product")) return false;
    if (isOwn(first) && isOwn(second)) return true;
    const numbers = first.inputs.map((input) => this.#numberOf(input));
    return second.inputs.some((input) => numbers.includes(this.#numberOf(input)));
  }

  #atoms(node: Elementwise, but = -1): Atoms {
    const atoms = new Map<number, 1 | -1 | 0>();
    node.inputs.forEach((input, k) => {
      if (k === but) return;
      const [, root] = this.#makerOf(input);
      const sign = signs[nameOf(node)]?.of[k] ?? 0;
      const isNegative = signs[nameOf(node)]?.kind === "sum" && this.#isNegated(input, root);
      const number = literalOf(root) === null ? this.#numberOf(root) : literal;
      const own = isNegative ? ((0 - sign) as 1 | -1 | 0) : sign;
      atoms.set(number, atoms.has(number) && atoms.get(number) !== own ? 0 : own);
    });
    if (nameOf(node) === "reciprocal" || (isOwn(node) && hasNumber(node))) atoms.set(literal, 0);
    return atoms;
  }

  /** The function that made a value, behind those that leave it as it is, and what that one gave. */
  #makerOf(variable: Variable): [Elementwise | null, Variable] {
    let root = variable;
    for (;;) {
      const maker = this.#makers.get(root);
      if (maker === undefined) return [null, root];
      const next = through(maker);
      if (next === null) return [maker, root];
      root = at(maker.inputs, next);
    }
  }

  #isNegated(variable: Variable, root: Variable): boolean {
    let isNegated = false;
    for (let each = variable; each !== root;) {
      const maker = this.#makers.get(each);
      if (maker === undefined) break;
      const isNegative = nameOf(maker) === "neg" || maker.inputs.some((input) => literalOf(input) === "-1.0f");
      if (isNegative) isNegated = !isNegated;
      each = at(maker.inputs, through(maker) ?? 0);
    }
    return isNegated;
  }

  #numberOf(variable: Variable): number {
    const known = this.#known.get(variable);
    if (known !== undefined) return known;
    const maker = this.#makers.get(variable);
    const number = this.#count(
      maker === undefined
        ? (literalOf(variable) ?? `input ${this.#known.size}`)
        : `${maker.source.wgsl}(${maker.inputs.map((input) => this.#numberOf(input)).join()})[${maker.outputs.indexOf(variable)}]`,
    );
    this.#known.set(variable, number);
    return number;
  }

  #count(key: string): number {
    const number = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, number);
    return number;
  }
}

export function opaque(text: string): string {
  return withMath(`math_opaque(${text})`, opaqueWgsl);
}

function isOwn({ traits }: Elementwise): boolean {
  return traits.origin !== "library";
}

/** A library function's; what somebody calls his own says nothing. */
function nameOf(node: Elementwise): string {
  return isOwn(node) ? "" : node.source.name;
}

function kindsOf(node: Elementwise): readonly Kind[] {
  if (isOwn(node)) return ["sum", "product"];
  const kind = signs[nameOf(node)]?.kind;
  return kind === undefined ? [] : [kind];
}

/** Whether a compiler computes otherwise with a number that it knows: x * 0 is 0 to it, x / 3 is x * (1 / 3). */
function foldsLiteral(node: Elementwise, index: number): boolean {
  if (isOwn(node)) return true;
  const isZero = (input: Variable): boolean => literalOf(input) === "0.0f";
  const literal = at(node.inputs, index);
  const name = nameOf(node);
  if (isZero(literal)) return name in signs || (name === "where" && node.inputs.slice(1).every(isZero));
  return name === "div" && index === 1 && !Number.isInteger(Math.log2(Math.abs(literal.array.constant ?? 1)));
}

/** Whether a number is written in the function. */
function hasNumber({ source }: Elementwise): boolean {
  return /(?<![\w.])\.?\d/.test(source.wgsl);
}

/** Which operand a function gives as it is, or negative: such as x * 1, which a compiler drops. */
function through(node: Elementwise): number | null {
  const name = nameOf(node);
  const index = transparent[name];
  if (index !== undefined) return index;
  if (name !== "mul" && name !== "div") return null;
  const isOne = node.inputs.map((input) => /^-?1\.0f$/.test(literalOf(input) ?? ""));
  if (isOne[1] === true) return 0;
  return name === "mul" && isOne[0] === true ? 1 : null;
}
