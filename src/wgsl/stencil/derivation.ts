/**
 * The derivatives of a stencil's function of numbers (without-fields.ts), in the two forms that its gradients need: by one
 * read, which is what flows back along it, and along changes of several at once, which makes another stencil.
 */
import { check } from "../check/check.js";
import type { Checked, Outside } from "../check/symbols.js";
import { matrixOf, nothing, sizeOfVector, vectorOf, type Type } from "../check/types.js";
import { Module, neededOf } from "../derive/derive.js";
import * as build from "../derive/build.js";
import type { Dual } from "../derive/expression.js";
import type { FunctionDeriver } from "../derive/function.js";
import { Names } from "../derive/names.js";
import { namesOfBody } from "../derive/unused.js";
import { printExpression, printModule } from "../language/printer.js";
import type { SourceText } from "../language/source-text.js";
import type { Expression, FunctionDeclaration, ModuleDeclaration, Parameter } from "../language/syntax.js";
import { identifier } from "../language/walk.js";

/** A function that was derived, and what it calls beyond the source. */
export interface Partial {
  readonly wgsl: string;
  readonly name: string;
  /** Its parameters: of those of the source's function the ones that it needs, by index. */
  readonly parameters: readonly number[];
  /** Where it is the same everywhere: that number, as WGSL. */
  readonly constant: string | null;
}

/** A source of its own. */
export interface Tangent {
  readonly wgsl: string;
  readonly name: string;
  /** For each parameter, that of the source's function, by index, and whether it is the change of that one. */
  readonly parameters: readonly { readonly of: number; readonly isChange: boolean }[];
}

interface Recipe {
  readonly name: string;
  /** What is changed, by name. */
  readonly directions: readonly string[];
  /** For each parameter, the directions in which it changes, as bits. */
  readonly seeds: readonly number[];
  readonly type: Type;
  readonly give: (value: Dual) => Expression;
  /** The parameters that one of the source's becomes: itself, then its changes. */
  readonly declare: (deriver: FunctionDeriver, parameter: Parameter) => readonly Parameter[];
}

interface Made {
  readonly wgsl: string;
  readonly body: FunctionDeclaration["body"];
  /** Those that it needs. */
  readonly parameters: Tangent["parameters"];
}

export class StencilDerivation {
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #forward: FunctionDeclaration;
  readonly #result: Type;
  /** The name of the function, without `_forward`. */
  readonly #name: string;
  /** The names of the source, and of the functions that were made, so that these can stand in one shader. */
  readonly #identifiers: Set<string>;

  /** @param declarations what has passed the check, with `fn NAME_forward` */
  constructor(source: SourceText, declarations: readonly ModuleDeclaration[], name: string, outside: Outside) {
    this.#source = source;
    this.#checked = check(source, declarations, outside);
    const forward = this.#checked.functions.get(`${name}_forward`);
    if (!forward?.declaration) throw new Error(`gpugrad bug: no ${name}_forward`);
    this.#forward = forward.declaration;
    this.#result = forward.result;
    this.#name = name;
    this.#identifiers = new Set(printModule(declarations).match(identifier));
  }

  /**
   * The derivative by one parameter: a number, a vector for one of two vectors, or a matrix with a column for each
   * component of the parameter.
   *
   * @throws WgslError, with its place, for what can't be differentiated.
   */
  by(parameter: number): Partial {
    const { parameters } = this.#forward;
    const { name: by = "" } = parameters[parameter] ?? {};
    const components = sizeOfVector(this.#typeOf(parameter)) ?? 1;
    const directions = Array.from({ length: components }, (_, k) =>
      components === 1 ? by : `${by}_${"xyzw"[k] ?? ""}`,
    );
    const type = jacobianType(components, this.#result);
    const give = ({ tangents }: Dual): Expression => {
      const zero = build.zeroOf(this.#result);
      const parts = directions.map((_, k) => tangents.get(k) ?? zero);
      const [only] = parts;
      return parts.length === 1 && only !== undefined ? only : build.construct(type, parts);
    };
    const name = new Names(this.#identifiers, []).fresh(`${this.#name}_by_${by}`);
    const seeds = parameters.map((_, k) => (k === parameter ? (1 << components) - 1 : 0));
    const made = this.#make({ name, directions, seeds, type, give, declare: (deriver, own) => [deriver.input(own)] });
    return { wgsl: made.wgsl, name, parameters: made.parameters.map(({ of }) => of), constant: constantOf(made.body) };
  }

  /** @throws WgslError, with its place, for what can't be differentiated by some parameter. */
  checkAll(): void {
    this.#forward.parameters.forEach((_, k) => this.by(k));
  }

  /** What the result changes by as some parameters do: another source, with a parameter for each change behind what changes. */
  along(changing: ReadonlySet<number>, by: string): Tangent {
    const { parameters } = this.#forward;
    const name = this.#unused(`${this.#name}_along_${by}`);
    const give = ({ tangents }: Dual): Expression => tangents.get(0) ?? build.zeroOf(this.#result);
    const { wgsl, parameters: kept } = this.#make({
      name: `${name}_forward`,
      directions: [by],
      seeds: parameters.map((_, k) => (changing.has(k) ? 1 : 0)),
      type: this.#result,
      give,
      declare: (deriver, own) => deriver.parameters(own),
    });
    return { wgsl: [...neededOf(this.#checked, wgsl), wgsl].join("\n"), name, parameters: kept };
  }

  #typeOf(parameter: number): Type {
    const own = this.#forward.parameters[parameter];
    return (own && this.#checked.declared.get(own)?.type) ?? nothing;
  }

  /** A name for a stencil whose forward the source doesn't have. */
  #unused(base: string): string {
    let name = base;
    for (let k = 1; this.#identifiers.has(`${name}_forward`); k++) name = `${base}_${k}`;
    return name;
  }

  #make({ name, directions, seeds, type, give, declare }: Recipe): Made {
    const f = this.#forward;
    const module = new Module(this.#source, this.#checked, new Set(this.#identifiers), directions);
    const deriver = module.deriver(f, seeds, [], give);
    const declared = f.parameters.flatMap((parameter, of) =>
      declare(deriver, parameter).map((own, k) => ({ own, of, isChange: k > 0 })),
    );
    const body = deriver.body(f);
    const used = namesOfBody(body);
    const kept = declared.filter(({ own }) => used.has(own.name));
    const parameters = kept.map(({ own }) => own);
    const derived: FunctionDeclaration = {
      ...f,
      name,
      parameters,
      result: build.typeName(type),
      body,
      attributes: [],
    };
    for (const part of [...module.parts, derived]) if ("name" in part) this.#identifiers.add(part.name);
    return { wgsl: printModule([...module.parts, derived]), body, parameters: kept };
  }
}

/** The type of a derivative by a parameter of so many components. */
function jacobianType(components: number, result: Type): Type {
  const size = sizeOfVector(result) ?? 1;
  if (components === 1) return result;
  return size === 1 ? vectorOf(components, "f32") : matrixOf(components, size, "f32");
}

/** The number that a function gives, where it is nothing else. */
function constantOf([first]: FunctionDeclaration["body"]): string | null {
  if (first?.kind !== "return" || first.value === null) return null;
  const text = printExpression(first.value);
  return /^-?\d+\.\d+$/.test(text) ? text : null;
}
