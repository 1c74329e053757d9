/** Forward mode for expressions: beside each value stands how it changes, in each direction. */
import { isBuiltin } from "../check/builtins.js";
import type { Checked, Variable } from "../check/symbols.js";
import { concrete, elementOf, f32, isAbstract, sizeOfVector, withElement, type Type } from "../check/types.js";
import type { SourceText } from "../language/source-text.js";
import { printExpression } from "../language/printer.js";
import type { CallExpression, Expression, FunctionDeclaration } from "../language/syntax.js";
import { partsOf, withParts } from "../language/walk.js";
import { isParts, type Activity } from "./active.js";
import { listOf, unionOf, type Changes } from "./changes.js";
import * as build from "./build.js";
import { formula, formulasOf } from "./rules.js";

/** How a value changes, by direction. Directions that are missing are those in which it doesn't. */
export type Tangents = ReadonlyMap<number, Expression>;

/** A value and how it changes. */
export interface Dual {
  readonly primal: Expression;
  readonly tangents: Tangents;
}

export const still: Tangents = new Map();

/** What expressions find in the function they stand in. */
export interface Scope {
  readonly source: SourceText;
  readonly checked: Checked;
  readonly activity: Activity;
  nameOf(variable: Variable): string;
  tangentsOf(variable: Variable): Tangents;
  /** A value under a name, so that it is computed once. */
  share(value: Expression): Expression;
  /** The same for a constant, of which the compiler then computes nothing. */
  pin(value: Expression): Expression;
  /** The function that gives the result of a call and how it changes, as a struct of `y` and one member a direction. */
  tangentFunction(
    callee: FunctionDeclaration,
    operands: readonly Changes[],
  ): { readonly name: string; readonly members: ReadonlyMap<number, string> };
}

const letters = ["a", "b", "c"] as const;

export class ExpressionDeriver {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The same expression in the names of what is made. */
  primal(expression: Expression): Expression {
    if (expression.kind === "call")
      return this.#constructed(
        expression,
        expression.args.map((arg) => this.primal(arg)),
      );
    if (expression.kind !== "name") return withParts(expression, (part) => this.primal(part));
    const variable = this.#scope.checked.variables.get(expression);
    return variable === undefined ? expression : build.name(this.#scope.nameOf(variable));
  }

  dual(expression: Expression): Dual {
    const { activity } = this.#scope;
    const directions = listOf(activity.ofExpression(expression));
    if (directions.length === 0) return { primal: this.primal(expression), tangents: still };
    const { primal, tangents } = this.#changing(expression);
    // A part may change in fewer directions than its whole.
    if (directions.length >= tangents.size) return { primal, tangents };
    return { primal, tangents: new Map([...tangents].filter(([j]) => directions.includes(j))) };
  }

  #changing(expression: Expression): Dual {
    const { checked } = this.#scope;
    switch (expression.kind) {
      case "name": {
        const variable = checked.variables.get(expression);
        return { primal: this.primal(expression), tangents: variable ? this.#scope.tangentsOf(variable) : still };
      }
      case "unary": {
        const { primal, tangents } = this.dual(expression.operand);
        return { primal: build.negative(primal), tangents: each(tangents, build.negative) };
      }
      case "binary":
        return this.apply(expression.operator, [expression.left, expression.right], expression, (a, b) =>
          build.binary(expression.operator, a, b),
        );
      case "member": {
        const { primal, tangents } = this.dual(expression.object);
        const isFract = isParts(this.typeOf(expression.object));
        return {
          primal: build.member(primal, expression.name),
          tangents: isFract ? tangents : each(tangents, (d) => build.member(d, expression.name)),
        };
      }
      case "index": {
        const by = this.primal(expression.index);
        const { primal, tangents } = this.dual(expression.object);
        return { primal: build.index(primal, by), tangents: each(tangents, (d) => build.index(d, by)) };
      }
      case "call":
        return this.#call(expression);
      default:
        throw new Error(`gpugrad bug: a ${expression.kind} that changes`);
    }
  }

  typeOf(expression: Expression): Type {
    return concrete(this.#scope.checked.types.get(expression) ?? f32);
  }

  #call(call: CallExpression): Dual {
    const { callee, args } = call;
    const callable = this.#scope.checked.callees.get(call);
    if (callable?.declaration) return this.#ownCall(callable.declaration, args);
    if (callee.name === "select") return this.#select(call);
    if (callable !== undefined || isBuiltin(callee.name)) {
      return this.apply(callee.name, args, call, (...primals) => ({ ...call, args: primals }));
    }
    return this.#construction(call);
  }

  #ownCall(callee: FunctionDeclaration, args: readonly Expression[]): Dual {
    const { activity } = this.#scope;
    const operands = args.map((arg) => activity.changesOf(arg));
    const { name, members } = this.#scope.tangentFunction(callee, operands);
    const values = args.flatMap((arg, k) => {
      const { primal, tangents } = this.dual(arg);
      const zero = build.zeroOf(this.typeOf(arg));
      return [primal, ...listOf(unionOf(operands[k] ?? [])).map((j) => tangents.get(j) ?? zero)];
    });
    const result = this.#scope.share(build.call(name, values));
    const tangents = new Map([...members].map(([j, member]) => [j, build.member(result, member)]));
    return { primal: build.member(result, "y"), tangents };
  }

  /** Chosen, not computed: what isn't chosen has no effect, not even by a NaN. */
  #select(call: CallExpression): Dual {
    const [no, yes, condition] = call.args;
    if (no === undefined || yes === undefined || condition === undefined) throw new Error("gpugrad bug: a select");
    const zero = build.zeroOf(this.typeOf(call));
    const by = this.#scope.share(this.primal(condition));
    const [a, b] = [this.dual(no), this.dual(yes)];
    const tangents = new Map<number, Expression>();
    for (const j of new Set([...a.tangents.keys(), ...b.tangents.keys()])) {
      tangents.set(j, build.call("select", [a.tangents.get(j) ?? zero, b.tangents.get(j) ?? zero, by]));
    }
    return { primal: build.call("select", [a.primal, b.primal, by]), tangents };
  }

  /** What is put together changes as its parts do. */
  #construction(call: CallExpression): Dual {
    const type = this.typeOf(call);
    const duals = call.args.map((arg) => this.dual(arg));
    const zeros = call.args.map((arg, k) => build.zeroOf(partType(type, this.typeOf(arg), k)));
    const directions = new Set(duals.flatMap(({ tangents }) => [...tangents.keys()]));
    const tangents = new Map<number, Expression>();
    for (const j of directions) {
      const parts = duals.map((dual, k) => dual.tangents.get(j) ?? zeros[k] ?? build.zeroOf(f32));
      const [only] = parts;
      tangents.set(j, type.kind === "scalar" && only !== undefined ? only : build.construct(type, parts));
    }
    return {
      primal: this.#constructed(
        call,
        duals.map(({ primal }) => primal),
      ),
      tangents,
    };
  }

  #constructed(call: CallExpression, args: readonly Expression[]): CallExpression {
    return { ...call, callee: build.typeNameAs(call.callee, this.typeOf(call)), args };
  }

  /**
   * By the formulas of an operator or a function.
   *
   * @param whole what is differentiated, for its type and its place
   * @param make the value, from those of the operands
   */
  apply(
    name: string,
    args: readonly Expression[],
    whole: Expression,
    make: (...primals: Expression[]) => Expression,
  ): Dual {
    const types = args.map((arg) => this.#scope.checked.types.get(arg) ?? f32);
    const [first] = types;
    const formulas = formulasOf(name, first);
    if (formulas === null) this.#scope.source.fail(whole.at, `gpugrad has no derivative of ${name}`);
    const duals = args.map((arg) => this.dual(arg));
    const terms = duals.flatMap(({ tangents }, k) => {
      const text = formulas[k];
      return text === null || text === undefined || tangents.size === 0
        ? []
        : [{ tree: formula(isMinusOfMatrix(text, types[k]) ? "zero - d" : text), tangents, type: types[k] ?? f32 }];
    });
    const used = new Set(terms.flatMap(({ tree }) => build.namesIn(tree)));
    const operands = duals.map(({ primal }, k) => {
      const value = name === "ldexp" && k === 1 ? primal : sized(primal, types[k] ?? f32);
      if (!used.has(letters[k] ?? "")) return value;
      return this.#mayFail(name, args[k]) ? this.#scope.pin(value) : this.#scope.share(value);
    });
    const made = make(...operands);
    const y = used.has("y") ? this.#scope.share(made) : made;
    const type = resultType(this.typeOf(whole));
    const values = new Map(operands.map((operand, k) => [letters[k] ?? "", operand]));
    values.set("y", y).set("zero", build.zeroOf(type)).set("one", oneOf(type));
    const sums = new Map<number, Expression>();
    const repeated = repeatedCalls(terms.map(({ tree }) => tree));
    for (const term of terms) {
      const isSpread = /^[+\-%]$/.test(name) && term.type.kind === "scalar" && type.kind !== "scalar";
      for (const [j, tangent] of term.tangents) {
        const d = isSpread ? build.construct(type, [tangent]) : tangent;
        const isMinus = build.isMinusOne(d) && type.kind !== "matrix";
        const change = isMinus ? build.number("1.0") : d;
        const isShared = (part: Expression): boolean =>
          term.tangents.size > 1
            ? part.kind === "binary" || part.kind === "call"
            : part.kind === "call" && repeated.has(printExpression(part));
        const instance = this.#instance(term.tree, values, change, isShared);
        const added = isMinus ? build.negative(instance) : instance;
        const before = sums.get(j);
        sums.set(j, before === undefined ? added : build.plus(before, added));
      }
    }
    return { primal: y, tangents: sums };
  }

  /**
   * Whether a formula with this operand may be a constant that isn't finite, which compilers refuse: `x / 0.0` is none,
   * but its derivative, `1.0 / 0.0`, is.
   */
  #mayFail(name: string, operand: Expression | undefined): boolean {
    if (operand === undefined || !this.#isConstant(operand)) return false;
    const named = operand.kind === "name" ? this.#scope.checked.variables.get(operand)?.value : null;
    const value = build.valueOf(named ?? operand);
    if (value === null) return true;
    if (value === 0 && name === "*") return false;
    return (
      !(Math.abs(value) >= 2 ** -10 && Math.abs(value) <= 2 ** 10) ||
      (value < 0 && name.endsWith("pow")) ||
      name === "ldexp"
    );
  }

  #isConstant(expression: Expression): boolean {
    if (expression.kind === "name") return this.#scope.checked.variables.get(expression)?.keyword === "const";
    if (expression.kind === "call" && this.#scope.checked.callees.has(expression)) return false;
    return partsOf(expression).every((part) => this.#isConstant(part));
  }

  /** A formula for one change. @param isShared whether other formulas have this part, which doesn't depend on the change */
  #instance(
    tree: Expression,
    values: ReadonlyMap<string, Expression>,
    d: Expression,
    isShared: (part: Expression) => boolean,
  ): Expression {
    const uses = build.namesIn(tree).filter((name) => name === "d").length;
    const own = new Map(values).set("d", uses > 1 ? this.#scope.share(d) : d);
    const go = (part: Expression): Expression => {
      if (part.kind === "name") return own.get(part.name) ?? part;
      const made = build.simplified(part, go);
      return isShared(part) && !build.namesIn(part).includes("d") ? this.#scope.share(made) : made;
    };
    return go(tree);
  }
}

/** Calls that stand in these formulas more than once, as they are printed, and don't depend on the change. */
function repeatedCalls(trees: readonly Expression[]): ReadonlySet<string> {
  const once = new Set<string>();
  const repeated = new Set<string>();
  const visit = (part: Expression): void => {
    if (part.kind === "call" && !build.namesIn(part).includes("d")) {
      const text = printExpression(part);
      (once.has(text) ? repeated : once).add(text);
    }
    partsOf(part).forEach(visit);
  };
  trees.forEach(visit);
  return repeated;
}

/** A matrix has no minus of its own, it can only be subtracted. */
function isMinusOfMatrix(text: string, type: Type | undefined): boolean {
  return text === "-d" && type?.kind === "matrix";
}

function each(tangents: Tangents, change: (tangent: Expression) => Expression): Tangents {
  return new Map([...tangents].map(([j, tangent]) => [j, change(tangent)]));
}

/** A number as one that has a size: a name for a whole number without one would make an i32 of it. */
function sized(value: Expression, type: Type): Expression {
  const element = elementOf(type);
  if (!isAbstract(element)) return value;
  if (value.kind === "number" && /^\d+$/.test(value.text)) return build.number(`${value.text}.0`);
  if (build.isLiteral(value) && element === "abstract float") return value;
  return build.construct(withElement(type, "f32"), [value]);
}

/** The type of the tangent, where it isn't that of the value. */
function resultType(type: Type): Type {
  return (isParts(type) ? type.members[0]?.type : undefined) ?? type;
}

function oneOf(type: Type): Expression {
  return sizeOfVector(type) === 1 ? build.number("1.0") : build.construct(type, [build.number("1.0")]);
}

/** The type of the kth part of what is put together. */
function partType(whole: Type, part: Type, k: number): Type {
  if (whole.kind === "array") return whole.element;
  if (whole.kind === "struct") return whole.members[k]?.type ?? part;
  return elementOf(part) === "bool" ? part : withElement(part, "f32");
}
