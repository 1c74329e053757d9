/**
 * A stencil's source without fields: each read is a parameter of its own. What is left is a function of numbers, which is
 * checked and differentiated like any other. Every part stands where it stood, for the places of what is wrong.
 */
import { vectorOf } from "../check/types.js";
import { typeName } from "../derive/build.js";
import { Names } from "../derive/names.js";
import type { Expression, FunctionDeclaration, ModuleDeclaration, Parameter, Statement } from "../language/syntax.js";
import { withBodies, withExpressions, withParts } from "../language/walk.js";
import type { FieldReader } from "./fields.js";

/** @param identifiers all names of the source */
export function withoutFields(
  declarations: readonly ModuleDeclaration[],
  reader: FieldReader,
  identifiers: ReadonlySet<string>,
): ModuleDeclaration[] {
  return declarations.map((declaration) =>
    declaration.kind === "function" ? new Writer(declaration, reader, new Names(identifiers, [])).write() : declaration,
  );
}

class Writer {
  readonly #function: FunctionDeclaration;
  readonly #reader: FieldReader;
  readonly #names: Names;
  /** The parameters that are made, by field and offset. */
  readonly #reads = new Map<string, string>();

  constructor(f: FunctionDeclaration, reader: FieldReader, names: Names) {
    this.#function = f;
    this.#reader = reader;
    this.#names = names;
  }

  write(): FunctionDeclaration {
    const f = this.#function;
    const parameters = f.parameters.flatMap((parameter) => this.#parameters(parameter));
    return { ...f, parameters, body: this.#block(f.body) };
  }

  #parameters(parameter: Parameter): Parameter[] {
    const field = this.#reader.fieldsOf(this.#function.name).get(parameter.name);
    if (field === undefined) return [parameter];
    const type = typeName(vectorOf(field.components, "f32"));
    return field.offsets.map((offset) => {
      const words = offset.map((steps) => `${steps}`.replace("-", "m"));
      const name = this.#names.fresh([field.name, ...words].join("_"));
      this.#reads.set(keyOf(field.name, offset), name);
      return { name, type, attributes: [], at: parameter.at };
    });
  }

  #block(body: readonly Statement[]): Statement[] {
    return body.map((statement) => {
      const inner = withBodies(statement, (each) => this.#block(each));
      return withExpressions(inner, (expression) => this.#expression(expression));
    });
  }

  #expression(expression: Expression): Expression {
    if (expression.kind !== "call") return withParts(expression, (part) => this.#expression(part));
    const { callee, args, at } = expression;
    const offset = this.#reader.offsets.get(expression);
    if (offset !== undefined) return this.#read(callee.name, offset, at);
    const { parameters, fields } = this.#reader.callee(callee.name);
    const given = args.flatMap((arg, k): Expression[] => {
      const handedOn = fields.get(parameters[k]?.name ?? "");
      if (handedOn === undefined || arg.kind !== "name") return [this.#expression(arg)];
      return handedOn.offsets.map((each) => this.#read(arg.name, each, arg.at));
    });
    return { ...expression, args: given };
  }

  #read(field: string, offset: readonly number[], at: number): Expression {
    const name = this.#reads.get(keyOf(field, offset));
    if (name === undefined) throw new Error("gpugrad bug: a read that wasn't found");
    return { kind: "name", name, at };
  }
}

function keyOf(field: string, offset: readonly number[]): string {
  return [field, ...offset].join();
}
