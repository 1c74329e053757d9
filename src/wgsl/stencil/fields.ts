/** The fields of a stencil's source: which parameters they are, and at which offsets each is read. */
import { ExpressionChecker } from "../check/check-expression.js";
import type { Constant } from "../check/constant.js";
import { ModuleScope } from "../check/module-scope.js";
import { printType } from "../language/printer.js";
import type { SourceText } from "../language/source-text.js";
import type {
  CallExpression,
  Expression,
  FunctionDeclaration,
  ModuleDeclaration,
  Parameter,
  Statement,
  TypeName,
} from "../language/syntax.js";
import { bodiesOf, expressionsOf, partsOf, withParts } from "../language/walk.js";

/** So far an offset may go: what is added to an index stays a number that an i32 holds. */
const farthest = 32767;

/** A parameter that is read by offsets. */
interface Field {
  readonly name: string;
  /** Of each value: 1 for f32, else those of a vector. */
  readonly components: number;
  /** Each offset once, in the order of the text. */
  readonly offsets: readonly (readonly number[])[];
}

interface Found extends Field {
  readonly offsets: (readonly number[])[];
}

/** By name. */
export type Fields = ReadonlyMap<string, Field>;

const none: Fields = new Map();

/** The components of a field of this type; null for what is no field. */
function componentsOf(type: TypeName): number | null {
  const found = /^field(?:<(?:f32|vec([234])(?:f|<f32>))>)?$/.exec(printType(type));
  return found === null ? null : Number(found[1] ?? 1);
}

export class FieldReader {
  /** The offset of each read. */
  readonly offsets = new Map<Expression, readonly number[]>();
  readonly #source: SourceText;
  readonly #dimensions: number;
  readonly #functions = new Map<string, FunctionDeclaration>();
  readonly #constants: ModuleScope;
  readonly #known = new Map<string, Fields>();
  readonly #open = new Set<string>();

  constructor(source: SourceText, declarations: readonly ModuleDeclaration[], dimensions: number) {
    this.#source = source;
    this.#dimensions = dimensions;
    for (const declaration of declarations) {
      if (declaration.kind === "function") this.#functions.set(declaration.name, declaration);
    }
    const others = declarations.filter(({ kind }) => kind === "declaration" || kind === "struct" || kind === "alias");
    this.#constants = new ModuleScope(source, others, () => null);
  }

  isConstant(name: string): boolean {
    return this.#constants.variable(name)?.keyword === "const";
  }

  /** What a constant expression gives; null where that isn't known. */
  constant(expression: Expression): Constant | null {
    new ExpressionChecker(this.#constants).typeOf(expression);
    return this.#constants.constants.get(expression) ?? null;
  }

  callee(name: string): Callee {
    return { parameters: this.#functions.get(name)?.parameters ?? [], fields: this.fieldsOf(name) };
  }

  /**
   * The fields of a function and what it reads of each, by itself and by what it hands them on to.
   *
   * @throws WgslError, with its place, where a field isn't read by offsets that are known, or never.
   */
  fieldsOf(name: string): Fields {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const f = this.#functions.get(name);
    if (f === undefined) return none;
    if (this.#open.has(name)) return this.#source.fail(f.at, `${name} calls itself: WGSL has no recursion`);
    this.#open.add(name);
    const fields = new Map<string, Found>();
    for (const { name: own, type, at } of f.parameters) {
      if (type.name !== "field") continue;
      const components = componentsOf(type);
      if (components === null) {
        return this.#source.fail(at, `a field is of f32, vec2f, vec3f or vec4f, not written as ${printType(type)}`);
      }
      fields.set(own, { name: own, components, offsets: [] });
    }
    new BodyReader(this.#source, this.#dimensions, fields, this).visit(f);
    for (const { name: own, at } of f.parameters) {
      if (fields.get(own)?.offsets.length === 0) this.#source.fail(at, `${own} is never read: leave it out`);
    }
    this.#open.delete(name);
    this.#known.set(name, fields);
    return fields;
  }
}

/** A function that is called: its parameters, and which of them are fields. */
interface Callee {
  readonly parameters: readonly Parameter[];
  readonly fields: Fields;
}

/** Finds what one function reads. */
class BodyReader {
  readonly #source: SourceText;
  readonly #dimensions: number;
  readonly #fields: ReadonlyMap<string, Found>;
  readonly #all: FieldReader;
  /** The names that the function declares, which hide constants of the source. */
  readonly #own = new Set<string>();
  /** Constants that the function declares, by names that stand for nothing else in it. */
  readonly #constants = new Map<string, Expression>();

  constructor(source: SourceText, dimensions: number, fields: ReadonlyMap<string, Found>, all: FieldReader) {
    this.#source = source;
    this.#dimensions = dimensions;
    this.#fields = fields;
    this.#all = all;
  }

  visit(f: FunctionDeclaration): void {
    for (const { name } of f.parameters) this.#own.add(name);
    this.#declare(f.body);
    for (const statement of f.body) this.#statement(statement);
  }

  #declare(body: readonly Statement[]): void {
    for (const statement of body) {
      if (statement.kind === "declaration") {
        const { name, type, at, keyword, value } = statement;
        if (type?.name === "field") this.#source.fail(at, "only a parameter can be a field");
        if (this.#fields.has(name)) this.#source.fail(at, `${name} is a field of this function: choose another name`);
        if (keyword === "const" && value !== null && !this.#own.has(name))
          this.#constants.set(name, this.#withConstants(value));
        else this.#constants.delete(name);
        this.#own.add(name);
      }
      for (const inner of bodiesOf(statement)) this.#declare(inner);
    }
  }

  #statement(statement: Statement): void {
    if (statement.kind === "call statement" && this.#fields.has(statement.call.callee.name)) {
      this.#source.fail(statement.at, `nothing is done with what is read of ${statement.call.callee.name}`);
    }
    for (const expression of expressionsOf(statement)) this.#expression(expression);
    for (const inner of bodiesOf(statement)) for (const each of inner) this.#statement(each);
  }

  #expression(expression: Expression): void {
    if (expression.kind === "name" && this.#fields.has(expression.name)) {
      const { name, at } = expression;
      this.#source.fail(at, `${name} is a field: read it at an offset, as ${name}(${this.#zeros()})`);
    }
    if (expression.kind !== "call") partsOf(expression).forEach((part) => this.#expression(part));
    else if (!this.#read(expression)) this.#call(expression);
  }

  #zeros(): string {
    return new Array<number>(this.#dimensions).fill(0).join(", ");
  }

  /** Whether a call is the read of a field. */
  #read(call: CallExpression): boolean {
    const { callee, args, at } = call;
    const field = callee.args.length === 0 ? this.#fields.get(callee.name) : undefined;
    if (field === undefined) return false;
    if (args.length !== this.#dimensions) {
      const wanted = `one for each dimension, as ${callee.name}(${this.#zeros()})`;
      this.#source.fail(at, `${callee.name} takes ${this.#dimensions} offsets, ${wanted}, not ${args.length}`);
    }
    const offset = args.map((arg) => this.#offset(arg));
    this.#all.offsets.set(call, offset);
    add(field, offset);
    return true;
  }

  #offset(arg: Expression): number {
    const known = this.#withConstants(arg);
    const value = this.#isKnown(known) ? this.#all.constant(known) : null;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      return this.#source.fail(
        arg.at,
        "an offset is a whole number, such as 1 or -1, or made of constants: write each read of a loop out",
      );
    }
    if (Math.abs(value) > farthest) this.#source.fail(arg.at, `an offset is at most ${farthest}, not ${value}`);
    return value === 0 ? 0 : value;
  }

  /** With the values of the function's own constants. */
  #withConstants(expression: Expression): Expression {
    if (expression.kind === "name") return this.#constants.get(expression.name) ?? expression;
    return withParts(expression, (part) => this.#withConstants(part));
  }

  /** Whether it is made of the source's constants. */
  #isKnown(expression: Expression): boolean {
    if (expression.kind === "name") return !this.#own.has(expression.name) && this.#all.isConstant(expression.name);
    if (expression.kind === "call" && this.#all.callee(expression.callee.name).parameters.length > 0) return false;
    return partsOf(expression).every((part) => this.#isKnown(part));
  }

  /** A field that is handed on is read as it is read there. */
  #call({ callee, args, at }: CallExpression): void {
    const { parameters, fields } = this.#all.callee(callee.name);
    if (fields.size > 0 && args.length !== parameters.length) {
      const wanted = parameters.map(({ name }) => name).join(", ");
      this.#source.fail(at, `${callee.name} takes ${parameters.length} operands (${wanted}), not ${args.length}`);
    }
    args.forEach((arg, k) => {
      const wanted = fields.get(parameters[k]?.name ?? "");
      if (wanted === undefined) {
        this.#expression(arg);
        return;
      }
      const given = arg.kind === "name" ? this.#fields.get(arg.name) : undefined;
      if (given?.components !== wanted.components) {
        const of = wanted.components === 1 ? "f32" : `vec${wanted.components}f`;
        this.#source.fail(
          arg.at,
          `${callee.name}'s ${wanted.name} is a field of ${of}: hand on one of this function's`,
        );
      }
      for (const offset of wanted.offsets) add(given, offset);
    });
  }
}

function add({ offsets }: Found, offset: readonly number[]): void {
  if (!offsets.some((known) => known.join() === offset.join())) offsets.push(offset);
}
