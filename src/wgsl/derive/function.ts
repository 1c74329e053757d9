/** Forward mode for statements. They keep their shape, so that loops, breaks and returns mean what they meant. */
import type { Checked, Variable } from "../check/symbols.js";
import { concrete, sameType, sizeOfVector } from "../check/types.js";
import type { SourceText } from "../language/source-text.js";
import type {
  Assignment,
  Declaration,
  Expression,
  FunctionDeclaration,
  Parameter,
  Statement,
} from "../language/syntax.js";
import { carries, isParts, type Activity } from "./active.js";
import { listOf, type Changes } from "./changes.js";
import * as build from "./build.js";
import { ExpressionDeriver, still, type Dual, type Scope, type Tangents } from "./expression.js";
import type { Names } from "./names.js";
import { Temporaries, withNames } from "./temporaries.js";
import { withoutUnused } from "./unused.js";

/** What a function is derived with. */
export interface FunctionOptions {
  readonly source: SourceText;
  readonly checked: Checked;
  readonly activity: Activity;
  readonly names: Names;
  /** What the inputs are called by which is differentiated. */
  readonly directions: readonly string[];
  readonly tangentFunction: Scope["tangentFunction"];
  readonly give: Give;
}

/**
 * What is returned in the place of a value. `share` gives a name to what is needed more than once; `changes` says of each number
 * of the value in which directions it changes.
 */
export type Give = (value: Dual, share: (value: Expression) => Expression, changes: Changes) => Expression;

export class FunctionDeriver implements Scope {
  readonly source: SourceText;
  readonly checked: Checked;
  readonly activity: Activity;
  readonly tangentFunction: Scope["tangentFunction"];
  readonly #names: Names;
  readonly #directions: readonly string[];
  readonly #give: Give;
  readonly #expressions = new ExpressionDeriver(this);
  readonly #temporaries = new Temporaries();
  readonly #named = new Map<Variable, string>();
  readonly #tangents = new Map<Variable, Map<number, Expression>>();
  /** Names of what never changes, so that another name for it isn't needed. */
  readonly #constant = new Set<string>();

  constructor({ source, checked, activity, names, directions, tangentFunction, give }: FunctionOptions) {
    this.source = source;
    this.checked = checked;
    this.activity = activity;
    this.tangentFunction = tangentFunction;
    this.#names = names;
    this.#directions = directions;
    this.#give = give;
  }

  nameOf(variable: Variable): string {
    return this.#named.get(variable) ?? variable.name;
  }

  tangentsOf(variable: Variable): Tangents {
    return this.#tangents.get(variable) ?? still;
  }

  share(value: Expression): Expression {
    return this.#temporaries.share(value);
  }

  pin(value: Expression): Expression {
    return this.#temporaries.pin(value);
  }

  /** A parameter in the names of what is made, and its tangents as parameters behind it. */
  parameters(parameter: Parameter): Parameter[] {
    const variable = this.#declared(parameter);
    const own = { ...parameter, name: this.#name(variable) };
    const tangents = listOf(this.activity.of(variable)).map((j) => {
      const name = this.#tangentName(variable, j);
      this.#constant.add(name);
      this.#setTangent(variable, j, build.name(name));
      return { ...parameter, name };
    });
    return [own, ...tangents];
  }

  /** The same for an input, which changes by 1 in its own direction; a vector has one for each component. */
  input(parameter: Parameter): Parameter {
    const variable = this.#declared(parameter);
    const size = sizeOfVector(variable.type) ?? 1;
    listOf(this.activity.of(variable)).forEach((j, component) => {
      const parts = Array.from({ length: size }, (_, k) => build.number(k === component ? "1.0" : "0.0"));
      this.#setTangent(variable, j, size === 1 ? build.number("1.0") : build.construct(variable.type, parts));
    });
    return { ...parameter, name: this.#name(variable) };
  }

  body(f: FunctionDeclaration): Statement[] {
    const body = withoutUnused(this.#block(f.body));
    return withNames(body, (base) => this.#names.fresh(base));
  }

  #declared(declaration: Declaration | Parameter): Variable {
    const variable = this.checked.declared.get(declaration);
    if (variable === undefined) throw new Error("gpugrad bug: a declaration that wasn't checked");
    return variable;
  }

  #name(variable: Variable): string {
    const name = this.#names.own(variable.name);
    this.#named.set(variable, name);
    return name;
  }

  /** dx_dm for the derivative of x by m. */
  #tangentName(variable: Variable, j: number): string {
    return this.#names.fresh(`d${variable.name}_d${this.#directions[j] ?? j}`);
  }

  #setTangent(variable: Variable, j: number, tangent: Expression): void {
    const tangents = this.#tangents.get(variable) ?? new Map<number, Expression>();
    this.#tangents.set(variable, tangents.set(j, tangent));
  }

  #block(body: readonly Statement[]): Statement[] {
    return body.flatMap((statement) => this.#statement(statement));
  }

  #statement(statement: Statement): Statement[] {
    switch (statement.kind) {
      case "declaration":
        return this.#temporaries.flush(this.#declaration(statement));
      case "assignment":
        return this.#temporaries.flush(this.#assignment(statement));
      case "return": {
        if (statement.value === null) return [statement];
        const dual = this.#expressions.dual(statement.value);
        const changes = this.activity.changesOf(statement.value);
        const value = this.#give(dual, (whole) => this.share(whole), changes);
        return this.#temporaries.flush([{ ...statement, value }]);
      }
      case "block":
        return [{ ...statement, body: this.#block(statement.body) }];
      case "if":
        return [
          {
            ...statement,
            condition: this.#expressions.primal(statement.condition),
            then: this.#block(statement.then),
            otherwise: this.#block(statement.otherwise),
          },
        ];
      case "switch":
        return [
          {
            ...statement,
            value: this.#expressions.primal(statement.value),
            cases: statement.cases.map((one) => ({
              ...one,
              selectors: one.selectors.map((by) => (by === null ? null : this.#expressions.primal(by))),
              body: this.#block(one.body),
            })),
          },
        ];
      case "for":
        return this.#for(statement);
      case "while":
        return [
          {
            ...statement,
            condition: this.#expressions.primal(statement.condition),
            body: this.#block(statement.body),
          },
        ];
      case "loop":
        return [this.#loop(statement)];
      case "break":
      case "continue":
        return [statement];
      // They compute nothing: what they call gives its results by value only.
      case "call statement":
      case "assert":
        return [];
      case "discard":
        throw new Error("gpugrad bug: a discard that wasn't refused");
    }
  }

  /** What `continuing` declares or uses is known once the body has been seen. */
  #loop(statement: Statement & { kind: "loop" }): Statement {
    const body = this.#block(statement.body);
    const continuing = this.#block(statement.continuing);
    const breakIf = statement.breakIf === null ? null : this.#expressions.primal(statement.breakIf);
    return { ...statement, body, continuing, breakIf };
  }

  /** A head has room for one statement each. Where what is derived from it needs more, it becomes a loop. */
  #for(statement: Statement & { kind: "for" }): Statement[] {
    const before = statement.init === null ? [] : this.#statement(statement.init);
    const condition = statement.condition === null ? null : this.#expressions.primal(statement.condition);
    const body = this.#block(statement.body);
    const after = statement.update === null ? [] : this.#statement(statement.update);
    if (before.length <= 1 && after.length <= 1) {
      return [{ ...statement, init: before[0] ?? null, condition, body, update: after[0] ?? null }];
    }
    const { at } = statement;
    const leave: Statement[] =
      condition === null
        ? []
        : [{ kind: "if", condition: build.not(condition), then: [{ kind: "break", at }], otherwise: [], at }];
    return [
      {
        kind: "block",
        body: [
          ...before,
          { kind: "loop", body: [...leave, { kind: "block", body, at }], continuing: after, breakIf: null, at },
        ],
        at,
      },
    ];
  }

  #declaration(declaration: Declaration): Statement[] {
    const { keyword, value, at } = declaration;
    // What is on the right of the name doesn't see it yet.
    const { primal, tangents }: { primal: Expression | null; tangents: Tangents } =
      value === null ? { primal: null, tangents: still } : this.#expressions.dual(value);
    const variable = this.#declared(declaration);
    const type = declaration.type === null ? null : build.typeNameAs(declaration.type, variable.type);
    const own: Statement = { ...declaration, name: this.#name(variable), type, value: primal };
    if (keyword !== "var") {
      this.#constant.add(own.name);
      const lines = [...tangents].flatMap(([j, tangent]) => this.#letTangent(variable, j, tangent));
      return [own, ...lines];
    }
    const whole = concrete(variable.type);
    const zero = build.zeroOf((isParts(whole) ? whole.members[0]?.type : undefined) ?? whole);
    const lines = listOf(this.activity.of(variable)).map((j): Statement => {
      const name = this.#tangentName(variable, j);
      this.#setTangent(variable, j, build.name(name));
      return declare("var", name, tangents.get(j) ?? zero, at);
    });
    return [own, ...lines];
  }

  #letTangent(variable: Variable, j: number, tangent: Expression): Statement[] {
    const isKnown = build.isLiteral(tangent) || (tangent.kind === "name" && this.#constant.has(tangent.name));
    if (isKnown) {
      this.#setTangent(variable, j, tangent);
      return [];
    }
    const name = this.#tangentName(variable, j);
    this.#constant.add(name);
    this.#setTangent(variable, j, build.name(name));
    return [declare("let", name, tangent, variable.at)];
  }

  /** The tangents first: they are those of the value that is there before. */
  #assignment(statement: Assignment): Statement[] {
    const { target, operator, value, at } = statement;
    if (target === null) return [];
    const variable = this.activity.rootOf(target);
    const directions = carries(this.#expressions.typeOf(target)) ? listOf(this.activity.of(variable)) : [];
    const place = this.#expressions.primal(target);
    if (directions.length === 0) return [{ ...statement, target: place, value: this.#expressions.primal(value) }];
    const isSum = operator === "+" || operator === "-";
    const isAlike = sameType(this.#expressions.typeOf(target), this.#expressions.typeOf(value));
    if (isSum && (isAlike || this.activity.ofExpression(value) === 0)) {
      const { primal, tangents } = this.#expressions.dual(value);
      const lines = directions.flatMap((j): Assignment[] => {
        const tangent = tangents.get(j);
        const own = this.#targetOf(target, variable, j);
        return tangent === undefined || own === null ? [] : [{ ...statement, target: own, value: tangent }];
      });
      return [...lines, { ...statement, target: place, value: primal }];
    }
    const whole = operator === null ? this.#expressions.dual(value) : this.#compound(target, operator, value);
    const zero = build.zeroOf(this.#expressions.typeOf(target));
    const lines = directions.flatMap((j): Assignment[] => {
      const own = this.#targetOf(target, variable, j);
      if (own === null) return [];
      return [{ kind: "assignment", target: own, operator: null, value: whole.tangents.get(j) ?? zero, at }];
    });
    return [...lines, { kind: "assignment", target: place, operator: null, value: whole.primal, at }];
  }

  #compound(target: Expression, operator: NonNullable<Assignment["operator"]>, value: Expression): Dual {
    return this.#expressions.apply(operator, [target, value], target, (a, b) => build.binary(operator, a, b));
  }

  /** Where the tangent of a target is; null where the target is a part that has none. */
  #targetOf(target: Expression, variable: Variable, j: number): Expression | null {
    if (target.kind === "member" || target.kind === "index") {
      const object = this.#targetOf(target.object, variable, j);
      if (object === null) return null;
      if (target.kind === "index") return build.index(object, this.#expressions.primal(target.index));
      if (!isParts(this.#expressions.typeOf(target.object))) return build.member(object, target.name);
      return target.name === "fract" ? object : null;
    }
    return this.tangentsOf(variable).get(j) ?? null;
  }
}

function declare(keyword: "let" | "var", name: string, value: Expression, at: number): Statement {
  return { kind: "declaration", keyword, space: [], attributes: [], name, type: null, value, at };
}
