/** Leaves out what no result depends on: declarations, assignments, and the branches and loops that have nothing else. */
import type { Expression, Statement } from "../language/syntax.js";
import { bodiesOf, conditionsOf } from "./active.js";
import { namesIn } from "./build.js";

/** @param body of a function whose names are all different */
export function withoutUnused(body: readonly Statement[]): Statement[] {
  return keepAll(body, namesOfBody(body));
}

function need(needed: Set<string>, expressions: readonly Expression[]): void {
  for (const expression of expressions) for (const name of namesIn(expression)) needed.add(name);
}

function rootOf(target: Expression): string {
  let root = target;
  while (root.kind === "member" || root.kind === "index") root = root.object;
  return root.kind === "name" ? root.name : "";
}

function isLoop({ kind }: Statement): boolean {
  return kind === "for" || kind === "while" || kind === "loop";
}

/** Whether it does something that a result depends on. What leaves a loop is nothing where the loop does nothing. */
function isNeeded(statement: Statement, needed: ReadonlySet<string>, leaves = true): boolean {
  switch (statement.kind) {
    case "return":
      return true;
    case "break":
    case "continue":
      return leaves;
    case "declaration":
      return needed.has(statement.name);
    case "assignment":
      return statement.target !== null && needed.has(rootOf(statement.target));
    default: {
      const inner = leaves && !isLoop(statement);
      return bodiesOf(statement).some((body) => body.some((part) => isNeeded(part, needed, inner)));
    }
  }
}

function markAll(body: readonly Statement[], needed: Set<string>): void {
  for (const statement of body) {
    if (!isNeeded(statement, needed)) continue;
    switch (statement.kind) {
      case "return":
      case "declaration":
        if (statement.value !== null) need(needed, [statement.value]);
        break;
      case "assignment":
        need(needed, [statement.value, ...(statement.target === null ? [] : [statement.target])]);
        break;
      default:
        need(needed, conditionsOf(statement));
        for (const inner of bodiesOf(statement)) markAll(inner, needed);
    }
  }
}

function keepAll(body: readonly Statement[], needed: ReadonlySet<string>): Statement[] {
  return body.flatMap((statement) => (isNeeded(statement, needed) ? [keep(statement, needed)] : []));
}

function keep(statement: Statement, needed: ReadonlySet<string>): Statement {
  const all = (body: readonly Statement[]): Statement[] => keepAll(body, needed);
  const one = (part: Statement | null): Statement | null => (part !== null && isNeeded(part, needed) ? part : null);
  switch (statement.kind) {
    case "block":
    case "while":
      return { ...statement, body: all(statement.body) };
    case "if":
      return { ...statement, then: all(statement.then), otherwise: all(statement.otherwise) };
    case "switch":
      return { ...statement, cases: statement.cases.map((each) => ({ ...each, body: all(each.body) })) };
    case "for":
      return { ...statement, init: one(statement.init), update: one(statement.update), body: all(statement.body) };
    case "loop":
      return { ...statement, body: all(statement.body), continuing: all(statement.continuing) };
    default:
      return statement;
  }
}

/** The names that what a body returns depends on. */
export function namesOfBody(body: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (let before = -1; names.size !== before;) {
    before = names.size;
    markAll(body, names);
  }
  return names;
}
