/** Leaves out what no result depends on: declarations, assignments, and the branches and loops that have nothing else. */
import type { Statement } from "../language/syntax.js";
import { bodiesOf, expressionsOf, rootOf, withBodies } from "../language/walk.js";
import { namesIn } from "./build.js";

/** @param body of a function whose names are all different */
export function withoutUnused(body: readonly Statement[]): Statement[] {
  return keepAll(body, namesOfBody(body));
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
      return statement.target !== null && namesIn(rootOf(statement.target)).some((name) => needed.has(name));
    default: {
      const inner = leaves && !isLoop(statement);
      return bodiesOf(statement).some((body) => body.some((part) => isNeeded(part, needed, inner)));
    }
  }
}

function markAll(body: readonly Statement[], needed: Set<string>): void {
  for (const statement of body) {
    if (!isNeeded(statement, needed)) continue;
    for (const name of expressionsOf(statement).flatMap(namesIn)) needed.add(name);
    for (const inner of bodiesOf(statement)) markAll(inner, needed);
  }
}

function keepAll(body: readonly Statement[], needed: ReadonlySet<string>): Statement[] {
  return body
    .filter((statement) => isNeeded(statement, needed))
    .map((statement) => withBodies(statement, (inner) => keepAll(inner, needed)));
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
