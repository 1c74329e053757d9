/**
 * Forward mode: the source of a function's derivatives, from its own. Beside each value that changes with an input stands
 * how it changes, one tangent for each input, so that nothing is stored on the way and loops stay loops.
 */
import { mathFunction } from "../check/outside.js";
import { check } from "../check/check.js";
import type { Checked } from "../check/symbols.js";
import { f32, sizeOfVector, vectorOf, type Type } from "../check/types.js";
import { parse } from "../language/parser.js";
import { printModule } from "../language/printer.js";
import { SourceText } from "../language/source-text.js";
import type { Expression, FunctionDeclaration, ModuleDeclaration, Parameter, TypeName } from "../language/syntax.js";
import { identifier } from "../language/walk.js";
import { Activity } from "./active.js";
import { listOf, unionOf, type Changes, type Directions } from "./changes.js";
import * as build from "./build.js";
import { FunctionDeriver, type Give } from "./function.js";
import { Names } from "./names.js";
import { namesOfBody } from "./unused.js";

/** A function and its parameters, in the order of the text. */
export interface Derived {
  readonly wgsl: string;
  readonly parameters: readonly string[];
}

/** A source that can be differentiated. */
export class Derivation {
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #forward: FunctionDeclaration;
  /** The name of the function, without `_forward`. */
  readonly #name: string;
  readonly #identifiers: ReadonlySet<string>;
  /** What the forward gives: f32, or several of them. */
  readonly #result: Type;

  /** @param wgsl a source that has passed the check, with `fn NAME_forward` */
  constructor(wgsl: string, name: string) {
    this.#source = new SourceText(wgsl, name);
    this.#checked = check(this.#source, parse(this.#source), mathFunction);
    const callable = this.#checked.functions.get(`${name}_forward`);
    if (!callable?.declaration) throw new Error(`gpugrad bug: no ${name}_forward`);
    this.#forward = callable.declaration;
    this.#result = callable.result;
    this.#name = name;
    this.#identifiers = new Set(wgsl.match(identifier));
  }

  /**
   * `fn NAME_backward`, with the inputs that it reads and `gy` as parameters, and the functions that it calls beyond those of
   * the source. Where there are several outputs, `gy` has the type of what the forward gives, and where one of them is exactly 0,
   * what it is multiplied by has no effect.
   *
   * @throws WgslError, with the line, for what can't be differentiated.
   */
  backward(): Derived {
    const inputs = this.#forward.parameters;
    const gy = build.name("gy");
    const type = vectorOf(inputs.length, "f32");
    return this.#derive(
      `${this.#name}_backward`,
      inputs.map((_, k) => 1 << k),
      build.typeName(type),
      [{ name: "gy", type: build.typeName(this.#result), attributes: [], at: -1 }],
      ({ tangents }, share, changes) => {
        const parts = inputs.map((_, k) => {
          const tangent = tangents.get(k);
          if (tangent === undefined) return build.number("0.0");
          return this.#result === f32
            ? build.scaled(gy, tangent)
            : sumOfParts(this.#result, gy, { shared: () => share(tangent), tangent, reached: reachedBy(k, changes) });
        });
        const [only] = parts;
        return parts.length === 1 && only !== undefined ? only : build.construct(type, parts);
      },
    );
  }

  /**
   * The derivative of an output by one input as a source of its own, that can be differentiated again:
   * `fn NAME_by_INPUT_forward`, or of several outputs `fn NAME_OUTPUT_by_INPUT_forward`, with all inputs as parameters.
   */
  by(input: number, output = 0): string {
    return this.#ofPartial("by", input, output, (change) => change ?? build.number("0.0"));
  }

  /**
   * Whether the backward multiplies an output's gradient for an input at all. Where one `return` does and another doesn't, the
   * source of a function that gives 1 or 0: `fn NAME_reached_by_INPUT_forward`.
   */
  reaches(input: number, output = 0): boolean | string {
    const found = new Set<boolean>();
    const wgsl = this.#ofPartial("reached_by", input, output, (change) => {
      found.add(change !== null);
      return build.number(change === null ? "0.0" : "1.0");
    });
    return found.size > 1 ? wgsl : found.has(true);
  }

  /**
   * A source with all inputs as parameters.
   *
   * @param relation between the names of the function and the input
   * @param give what is returned for how the output changes; that is null where it has nothing to do with the input
   */
  #ofPartial(relation: string, input: number, output: number, give: (change: Expression | null) => Expression): string {
    const { name: by = "" } = this.#forward.parameters[input] ?? {};
    const prefix = `${this.#name}${this.#result === f32 ? "" : `_${output}`}_${relation}_${by}`;
    const seeds = this.#forward.parameters.map((_, k) => (k === input ? 1 << k : 0));
    const result = build.typeName(f32);
    const made = new Names(this.#identifiers, []).fresh(`${this.#name}_derivative`);
    const { wgsl } = this.#derive(made, seeds, result, null, ({ tangents }, _share, changes) => {
      const tangent = tangents.get(input);
      if (tangent === undefined || !reachedBy(input, changes)(output)) return give(null);
      if (this.#result === f32) return give(tangent);
      const change = build.part(this.#result, () => tangent, tangent, output);
      return give(build.isLiteral(change) && build.isZero(change) ? null : change);
    });
    const whole = [...neededOf(this.#checked, wgsl), wgsl].join("\n");
    return whole.replace(identifier, (word) => {
      if (word === made) return `${prefix}_forward`;
      return word.startsWith(`${this.#name}_`)
        ? `${prefix}_${withoutForward(word.slice(this.#name.length + 1))}`
        : word;
    });
  }

  #derive(
    name: string,
    seeds: readonly Directions[],
    result: TypeName,
    extra: readonly Parameter[] | null,
    give: Give,
  ): Derived {
    const f = this.#forward;
    const directions = f.parameters.map((parameter) => parameter.name);
    const module = new Module(this.#source, this.#checked, this.#identifiers, directions);
    const added = extra ?? [];
    const deriver = module.deriver(
      f,
      seeds,
      added.map((parameter) => parameter.name),
      give,
    );
    const inputs = f.parameters.map((parameter) => deriver.input(parameter));
    const body = deriver.body(f);
    const used = namesOfBody(body);
    const reads = (parameter: Parameter): boolean => extra === null || used.has(parameter.name);
    const kept = inputs.map((parameter) => reads(parameter));
    const parameters = [...inputs.filter((_, k) => kept[k]), ...added.filter(reads)];
    const derived: FunctionDeclaration = { ...f, name, parameters, result, body, attributes: [] };
    return {
      wgsl: printModule([...module.parts, derived]),
      parameters: [
        ...f.parameters.filter((_, k) => kept[k]).map((parameter) => parameter.name),
        ...added.filter(reads).map((parameter) => parameter.name),
      ],
    };
  }
}

/** The source's declarations that a text needs. */
export function neededOf({ declarations }: Checked, text: string): string[] {
  const all = declarations.flatMap((declaration) =>
    "name" in declaration ? [{ name: declaration.name, text: printModule([declaration]) }] : [],
  );
  const needed = new Set<string>();
  const find = (part: string): void => {
    for (const [word] of part.matchAll(identifier)) {
      const found = all.find(({ name }) => name === word);
      if (found === undefined || needed.has(word)) continue;
      needed.add(word);
      find(found.text);
    }
  };
  find(text);
  return all.filter(({ name }) => needed.has(name)).map((each) => each.text);
}

/** Which outputs change with an input. */
function reachedBy(input: number, changes: Changes): (output: number) => boolean {
  return (output) => (((changes[output] ?? 0) >> input) & 1) === 1;
}

/** How several outputs change with one input. */
interface ChangeOfParts {
  readonly tangent: Expression;
  /** The same under a name. */
  readonly shared: () => Expression;
  readonly reached: (output: number) => boolean;
}

/** The gradients of several outputs by how each changes, added; one that is exactly 0 counts as such. */
function sumOfParts(type: Type, gy: Expression, { tangent, shared, reached }: ChangeOfParts): Expression {
  const zero = build.number("0.0");
  let sum: Expression = zero;
  for (let k = 0; k < build.countOf(type); k++) {
    if (!reached(k)) continue;
    const change = build.part(type, shared, tangent, k);
    const own = build.part(type, () => gy, gy, k);
    const product = build.scaled(own, change);
    const isFinite = build.isLiteral(change);
    if (isFinite && build.isZero(change)) continue;
    sum = build.plus(
      sum,
      isFinite ? product : build.call("select", [product, zero, build.call("math_is_zero", [own])]),
    );
  }
  return sum;
}

/** A function of the source may call the forward, which is no forward any more. No two names become one. */
function withoutForward(name: string): string {
  if (name === "forward") return "value";
  return /^value_*$/.test(name) ? `${name}_` : name;
}

/** The functions that a derivative calls, made as they are asked for. */
export class Module {
  readonly parts: ModuleDeclaration[] = [];
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #identifiers: ReadonlySet<string>;
  readonly #directions: readonly string[];
  readonly #names: Names;
  readonly #activities = new Map<string, Activity>();
  readonly #made = new Map<string, { readonly name: string; readonly members: ReadonlyMap<number, string> }>();

  /** @param directions what is changed, by name */
  constructor(source: SourceText, checked: Checked, identifiers: ReadonlySet<string>, directions: readonly string[]) {
    this.#source = source;
    this.#checked = checked;
    this.#identifiers = identifiers;
    this.#directions = directions;
    this.#names = new Names(identifiers, []);
  }

  /** @param parameters the directions in which each changes; a vector by one for each of its components, or by one for all */
  deriver(
    f: FunctionDeclaration,
    parameters: readonly Directions[],
    taken: readonly string[],
    give: Give,
  ): FunctionDeriver {
    const seeds = f.parameters.map((parameter, k): Changes => {
      const own = parameters[k] ?? 0;
      const size = sizeOfVector(this.#checked.declared.get(parameter)?.type ?? f32);
      const each = listOf(own);
      return each.length === size ? each.map((j) => 1 << j) : [own];
    });
    return this.#deriver(f, seeds, taken, give);
  }

  #deriver(
    f: FunctionDeclaration,
    parameters: readonly Changes[],
    taken: readonly string[],
    give: Give,
  ): FunctionDeriver {
    const declared = this.#checked.declarations.flatMap((declaration) =>
      "name" in declaration ? [declaration.name] : [],
    );
    return new FunctionDeriver({
      source: this.#source,
      checked: this.#checked,
      activity: this.#activity(f, parameters),
      names: new Names(this.#identifiers, [...declared, ...taken]),
      directions: this.#directions,
      tangentFunction: (callee, operands) => this.#tangentFunction(callee, operands),
      give,
    });
  }

  #activity(f: FunctionDeclaration, parameters: readonly Changes[]): Activity {
    const key = `${f.name}(${parameters.join(";")})`;
    let activity = this.#activities.get(key);
    if (activity === undefined) {
      activity = new Activity(
        this.#source,
        this.#checked,
        f,
        parameters,
        (callee, operands) => this.#activity(callee, operands).result,
      );
      this.#activities.set(key, activity);
    }
    return activity;
  }

  #tangentFunction(
    callee: FunctionDeclaration,
    operands: readonly Changes[],
  ): { readonly name: string; readonly members: ReadonlyMap<number, string> } {
    const key = `${callee.name}(${operands.join(";")})`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const type = callee.result;
    const returned = this.#checked.functions.get(callee.name)?.result;
    if (type === null || returned === undefined) throw new Error("gpugrad bug: a result of nothing");
    const name = this.#names.fresh(`${callee.name}_tangent`);
    const struct = this.#names.fresh(`${callee.name}_Tangent`);
    const directions = listOf(unionOf(this.#activity(callee, operands).result));
    const members = new Map(directions.map((j) => [j, `dy_d${this.#directions[j] ?? j}`]));
    const made = { name, members };
    this.#made.set(key, made);
    const deriver = this.#deriver(callee, operands, [], ({ primal, tangents }) =>
      build.call(struct, [primal, ...directions.map((j) => tangents.get(j) ?? build.zeroOf(returned))]),
    );
    const parameters = callee.parameters.flatMap((parameter) => deriver.parameters(parameter));
    const body = deriver.body(callee);
    const member = (text: string): Parameter => ({ name: text, type, attributes: [], at: -1 });
    this.parts.push(
      { kind: "struct", name: struct, members: ["y", ...members.values()].map(member), at: -1 },
      { ...callee, name, parameters, result: build.call(struct, []).callee, body, attributes: [] },
    );
    return made;
  }
}
