/** The names of a module: functions, structs, aliases and constants, which may be used before they are declared. */
import type { Callable, Outside, Variable } from "./symbols.js";
import type { Constant } from "./constant.js";
import { ExpressionChecker, openTypes } from "./check-expression.js";
import type { Scope } from "./scope.js";
import type { SourceText } from "../language/source-text.js";
import type {
  AliasDeclaration,
  CallExpression,
  Declaration,
  Expression,
  FunctionDeclaration,
  ModuleDeclaration,
  Parameter,
  StructDeclaration,
  TypeName,
} from "../language/syntax.js";
import {
  concrete,
  converts,
  elementOf,
  isFloat,
  isInteger,
  matrixOf,
  nothing,
  scalar,
  showType,
  vectorOf,
  type ScalarName,
  type Type,
  whyTooLarge,
} from "./types.js";

const scalarNames: readonly string[] = ["f32", "f16", "i32", "u32", "bool"];
const letters: Readonly<Partial<Record<string, ScalarName>>> = { f: "f32", h: "f16", i: "i32", u: "u32" };

/** How deep functions may call each other. */
const mostCalls = 128;

export class ModuleScope implements Scope {
  readonly source: SourceText;
  readonly functions = new Map<string, Callable>();
  readonly types = new Map<Expression, Type>();
  readonly variables = new Map<Expression, Variable>();
  readonly declared = new Map<Declaration | Parameter, Variable>();
  readonly callees = new Map<CallExpression, Callable>();
  readonly constants = new Map<Expression, Constant | null>();
  readonly #hasF16: boolean;
  readonly #outside: Outside;
  readonly #declared = new Map<string, FunctionDeclaration | StructDeclaration | AliasDeclaration | Declaration>();
  readonly #resolved = new Map<string, Type | Variable>();
  /** Names whose meaning is being found, to see circles. */
  readonly #open = new Set<string>();
  readonly #calls = new Map<string, Set<string>>();

  constructor(source: SourceText, declarations: readonly ModuleDeclaration[], outside: Outside) {
    this.source = source;
    this.#outside = outside;
    this.#hasF16 = declarations.some(({ kind }) => kind === "directive");
    for (const declaration of declarations) {
      if (declaration.kind === "directive" || declaration.kind === "assert") continue;
      const { name, at } = declaration;
      if (this.#declared.has(name)) source.fail(at, `${name} is declared twice`);
      this.#declared.set(name, declaration);
    }
    for (const declaration of this.#declared.values()) this.#declare(declaration);
  }

  #declare(declaration: FunctionDeclaration | StructDeclaration | AliasDeclaration | Declaration): void {
    if (declaration.kind === "function") this.functions.set(declaration.name, this.#callable(declaration));
    else if (declaration.kind === "declaration") this.variable(declaration.name);
    else this.typeNamed({ kind: "type", name: declaration.name, args: [], at: declaration.at });
  }

  #callable(declaration: FunctionDeclaration): Callable {
    const parameters = declaration.parameters.map(({ name, type }) => ({ name, type: this.typeNamed(type) }));
    const result = declaration.result === null ? nothing : this.typeNamed(declaration.result);
    const mustUse = declaration.attributes.find((attribute) => attribute.name === "must_use");
    if (mustUse !== undefined && result === nothing) {
      this.source.fail(mustUse.at, `${declaration.name} gives nothing that must be used`);
    }
    return { name: declaration.name, parameters, result, declaration };
  }

  /** The function of this name, in the source or outside of it. */
  callable(name: string): Callable | null {
    const own = this.functions.get(name);
    if (own !== undefined) return own;
    const declaration = this.#declared.get(name);
    if (declaration?.kind === "function") return this.#callable(declaration);
    return declaration === undefined ? this.#outside(name) : null;
  }

  /** A constant of the module. */
  variable(name: string): Variable | null {
    const declaration = this.#declared.get(name);
    if (declaration?.kind !== "declaration") return null;
    const known = this.#resolved.get(name) as Variable | undefined;
    if (known !== undefined) return known;
    const variable = this.#once(name, declaration.at, () => {
      const checker = new ExpressionChecker(this);
      const value = declaration.value === null ? null : checker.typeOf(declaration.value);
      if (declaration.value !== null) this.#checkConstant(declaration, declaration.value);
      const type = declaration.type === null ? (value ?? nothing) : this.typeNamed(declaration.type);
      if (value !== null && !converts(value, type)) {
        this.source.fail(declaration.at, `${name} is ${showType(type)}, and can't hold ${showType(value)}`);
      }
      if (declaration.value !== null) checker.constants.fits(declaration.value, type);
      return { name, keyword: declaration.keyword, type, value: declaration.value, at: declaration.at };
    });
    this.#resolved.set(name, variable);
    return variable;
  }

  #checkConstant({ keyword, name }: Declaration, value: Expression): void {
    if (keyword !== "const" || this.constants.has(value)) return;
    this.source.fail(value.at, `${name} is constant, so its value can't come from a function of the source's own`);
  }

  #once<T>(name: string, at: number, find: () => T): T {
    if (this.#open.has(name)) this.source.fail(at, `${name} is declared by means of itself`);
    this.#open.add(name);
    const found = find();
    this.#open.delete(name);
    return found;
  }

  /**
   * @param scope where the names in it are looked up, those of arrays' lengths
   * @throws WgslError where there is no such type.
   */
  typeNamed(written: TypeName, scope: Scope = this): Type {
    return this.typeOrNull(written, scope) ?? this.source.fail(written.at, `there is no type ${written.name}`);
  }

  typeOrNull(written: TypeName, scope: Scope = this): Type | null {
    const type = this.#typeOrNull(written, scope);
    if (type !== null && elementOf(type) === "f16" && !this.#hasF16) {
      this.source.fail(written.at, "f16 is not in every driver, and has no gradient here: use f32");
    }
    if (type?.kind === "matrix" && !isFloat(type.element)) {
      this.source.fail(written.at, `a matrix has elements of f32, not ${type.element}`);
    }
    const tooLarge = type === null ? null : whyTooLarge(type);
    if (tooLarge !== null) this.source.fail(written.at, tooLarge);
    return type;
  }

  isConstructor(callee: TypeName): boolean {
    return openTypes.test(callee.name) || this.typeOrNull(callee) !== null;
  }

  #typeOrNull(written: TypeName, scope: Scope): Type | null {
    const { name, args, at } = written;
    if (scope !== this && scope.variable(name) !== null) {
      this.source.fail(at, `${name} is a variable here, and hides the type: give it another name`);
    }
    const declaration = this.#declared.get(name);
    if (declaration !== undefined) return this.#declaredType(declaration);
    if (args.length === 0 && scalarNames.includes(name)) return scalar(name as ScalarName);
    const [, size, letter] = /^vec([234])([fhiu])?$/.exec(name) ?? [];
    if (size !== undefined) return this.#vector(Number(size), letter, written, scope);
    const [, columns, rows, of] = /^mat([234])x([234])([fh])?$/.exec(name) ?? [];
    if (columns !== undefined) {
      const element = this.#element(of, written, scope);
      return element === null ? null : matrixOf(Number(columns), Number(rows), element);
    }
    if (name === "array") return this.#array(written, scope);
    if (name === "ptr") {
      const [space, target] = args;
      if (space?.kind !== "type" || target?.kind !== "type")
        this.source.fail(at, "a pointer is written as ptr<function, f32>");
      return { kind: "pointer", target: this.typeNamed(target, scope) };
    }
    return null;
  }

  #declaredType(declaration: FunctionDeclaration | StructDeclaration | AliasDeclaration | Declaration): Type | null {
    if (declaration.kind === "function" || declaration.kind === "declaration") return null;
    const { name, at } = declaration;
    const known = this.#resolved.get(name) as Type | undefined;
    if (known !== undefined) return known;
    const type = this.#once(name, at, (): Type => {
      if (declaration.kind === "alias") return this.typeNamed(declaration.type);
      const members = declaration.members.map((member) => ({ name: member.name, type: this.typeNamed(member.type) }));
      const twice = declaration.members.find(
        (member, k) => declaration.members.findIndex((other) => other.name === member.name) < k,
      );
      if (twice !== undefined) this.source.fail(twice.at, `${name} has two members ${twice.name}`);
      if (members.length === 0) this.source.fail(at, `${name} has no members: a struct has one or more`);
      return { kind: "struct", name, members };
    });
    this.#resolved.set(name, type);
    return type;
  }

  #element(letter: string | undefined, { args, name, at }: TypeName, scope: Scope): ScalarName | null {
    if (letter !== undefined) return args.length === 0 ? (letters[letter] ?? null) : null;
    const [arg] = args;
    if (arg === undefined) return null;
    const type = arg.kind === "type" && args.length === 1 ? this.typeNamed(arg, scope) : null;
    return type?.kind === "scalar"
      ? type.name
      : this.source.fail(at, `${name} takes one scalar type, such as ${name}<f32>`);
  }

  #vector(size: number, letter: string | undefined, written: TypeName, scope: Scope): Type | null {
    const element = this.#element(letter, written, scope);
    return element === null ? null : vectorOf(size, element);
  }

  #array({ args, at }: TypeName, scope: Scope): Type | null {
    const [element, length] = args;
    if (element === undefined) return null;
    if (element.kind !== "type" || length === undefined || args.length !== 2) {
      this.source.fail(at, "an array here has a type and a length, such as array<f32, 4>");
    }
    const expression: Expression = length.kind === "type" ? { kind: "name", name: length.name, at: length.at } : length;
    const type = new ExpressionChecker(scope).typeOf(expression);
    const count = this.constants.get(expression);
    if (!isInteger(elementOf(type)) || typeof count !== "number" || count < 1) {
      this.source.fail(length.at, "an array's length is a whole number that is known, of 1 or more");
    }
    return { kind: "array", element: concrete(this.typeNamed(element, scope)), count };
  }

  /** Notes that one function calls another. */
  noteCall(from: string, to: string): void {
    const calls = this.#calls.get(from) ?? new Set();
    this.#calls.set(from, calls.add(to));
  }

  /**
   * @throws WgslError where a function calls itself, directly or by way of others: WGSL has no recursion; and where functions
   * call each other deeper than anybody would write.
   */
  checkCalls(): void {
    /** By function: how many call each other from there on. */
    const depths = new Map<string, number>();
    const visit = (name: string, path: readonly string[]): number => {
      const known = depths.get(name);
      if (known !== undefined) return known;
      const at = this.functions.get(name)?.declaration?.at ?? 0;
      if (path.includes(name)) {
        this.source.fail(at, `${name} calls itself, by way of ${[...path, name].join(", ")}: WGSL has no recursion`);
      }
      const callees = [...(this.#calls.get(name) ?? [])];
      const depth = 1 + Math.max(0, ...callees.map((callee) => visit(callee, [...path, name])));
      if (depth > mostCalls || path.length > mostCalls) {
        this.source.fail(at, `functions call each other more than ${mostCalls} deep from ${name} on`);
      }
      depths.set(name, depth);
      return depth;
    };
    for (const name of this.functions.keys()) visit(name, []);
  }
}
