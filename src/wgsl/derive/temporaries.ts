/** Values that one statement needs more than once, computed before it, each once. */
import { printExpression } from "../language/printer.js";
import type { Expression, Statement } from "../language/syntax.js";
import { bodiesOf, expressionsOf, withBodies, withExpressions } from "../language/walk.js";
import * as build from "./build.js";

/** What no name in WGSL begins with: temporaries are named when it is known which of them stay. */
const mark = "$";

export class Temporaries {
  readonly #values = new Map<string, Expression>();
  readonly #names = new Map<string, string>();
  /** Those that stay, though they are needed once. */
  readonly #pinned = new Set<string>();
  #count = 0;

  /** A name for a value, which is the same for the same value. What is short enough stands for itself. */
  share(value: Expression): Expression {
    return build.isAtom(value) ? value : this.#named(value);
  }

  /** A name for a constant, so that the compiler computes nothing of it: it refuses what isn't finite. */
  pin(value: Expression): Expression {
    const named = this.#named(value);
    this.#pinned.add(named.name);
    return named;
  }

  #named(value: Expression): Expression & { kind: "name" } {
    const text = printExpression(value);
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `${mark}${this.#count++}`;
      this.#names.set(text, name);
      this.#values.set(name, value);
    }
    return build.name(name);
  }

  /** The statements behind what they need. What only one of them needs stands where it is needed. */
  flush(statements: readonly Statement[]): Statement[] {
    const uses = new Map<string, number>();
    const count = (expression: Expression): void => {
      for (const name of build.namesIn(expression)) uses.set(name, (uses.get(name) ?? 0) + 1);
    };
    for (const value of this.#values.values()) count(value);
    for (const statement of statements) expressionsOf(statement).forEach(count);
    const isOnce = (name: string): boolean => uses.get(name) === 1 && !this.#pinned.has(name);
    const places = new Map<string, Expression>();
    const kept = statements.filter((statement) => {
      const name = declaredAs(statement);
      if (name === null || places.has(name) || !this.#values.has(name) || isOnce(name)) return true;
      places.set(name, build.name(statement.kind === "declaration" ? statement.name : name));
      return false;
    });
    const lines: Statement[] = [];
    for (const [name, value] of this.#values) {
      const whole = build.substitute(value, places);
      const place = places.get(name);
      if (place === undefined && isOnce(name)) places.set(name, whole);
      else if (uses.has(name)) lines.push(declaration(place?.kind === "name" ? place.name : name, whole));
    }
    this.#values.clear();
    this.#names.clear();
    this.#pinned.clear();
    return [...lines, ...kept.map((statement) => withExpressions(statement, (e) => build.substitute(e, places)))];
  }
}

/** The temporary that a `let` only gives another name. */
function declaredAs(statement: Statement): string | null {
  if (statement.kind !== "declaration" || statement.keyword !== "let" || statement.value?.kind !== "name") return null;
  return statement.value.name;
}

function declaration(name: string, value: Expression): Statement {
  return { kind: "declaration", keyword: "let", space: [], attributes: [], name, type: null, value, at: -1 };
}

/** The statements with names for the temporaries that have stayed. */
export function withNames(body: readonly Statement[], fresh: (base: string) => string): Statement[] {
  const names = new Map<string, Expression>();
  const find = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "declaration" && statement.name.startsWith(mark)) {
        names.set(statement.name, build.name(fresh("t")));
      }
      bodiesOf(statement).forEach(find);
    }
  };
  find(body);
  return renamed(body, names);
}

function renamed(body: readonly Statement[], names: ReadonlyMap<string, Expression>): Statement[] {
  return body.map((statement) => {
    const inner = withBodies(statement, (each) => renamed(each, names));
    const own = withExpressions(inner, (expression) => build.substitute(expression, names));
    const name = own.kind === "declaration" ? names.get(own.name) : undefined;
    return own.kind === "declaration" && name?.kind === "name" ? { ...own, name: name.name } : own;
  });
}
