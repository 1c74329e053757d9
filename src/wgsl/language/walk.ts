/** The parts of a tree, and trees with other parts: what every pass over expressions and statements is made of. */
import type { Expression, Statement } from "./syntax.js";

/** Each name in a text. */
export const identifier = /[\p{XID_Start}_]\p{XID_Continue}*/gu;

/** The expressions that an expression consists of. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "member":
      return [expression.object];
    case "index":
      return [expression.object, expression.index];
    case "call":
      return expression.args;
    default:
      return [];
  }
}

/** The same expression of changed parts, as it is written: nothing is computed. */
export function withParts(expression: Expression, change: (part: Expression) => Expression): Expression {
  switch (expression.kind) {
    case "unary":
      return { ...expression, operand: change(expression.operand) };
    case "binary":
      return { ...expression, left: change(expression.left), right: change(expression.right) };
    case "member":
      return { ...expression, object: change(expression.object) };
    case "index":
      return { ...expression, object: change(expression.object), index: change(expression.index) };
    case "call":
      return { ...expression, args: expression.args.map(change) };
    default:
      return expression;
  }
}

/** What a target, or another part of a value, is a part of. */
export function rootOf(target: Expression): Expression {
  let root = target;
  while (root.kind === "member" || root.kind === "index") root = root.object;
  return root;
}

/** The lists of statements in a statement. */
export function bodiesOf(statement: Statement): readonly (readonly Statement[])[] {
  const bodies: (readonly Statement[])[] = [];
  withBodies(statement, (body) => {
    bodies.push(body);
    return body;
  });
  return bodies;
}

/** The same statement with other lists of statements in it. In the head of a `for`, a list has one statement at most. */
export function withBodies(
  statement: Statement,
  change: (body: readonly Statement[]) => readonly Statement[],
): Statement {
  const one = (part: Statement | null): Statement | null => (part === null ? null : (change([part])[0] ?? null));
  switch (statement.kind) {
    case "block":
    case "while":
      return { ...statement, body: change(statement.body) };
    case "if":
      return { ...statement, then: change(statement.then), otherwise: change(statement.otherwise) };
    case "switch":
      return { ...statement, cases: statement.cases.map((each) => ({ ...each, body: change(each.body) })) };
    case "for":
      return { ...statement, init: one(statement.init), update: one(statement.update), body: change(statement.body) };
    case "loop":
      return { ...statement, body: change(statement.body), continuing: change(statement.continuing) };
    default:
      return statement;
  }
}

/** A statement's own expressions, without those of the statements in it. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  const found: Expression[] = [];
  withExpressions(statement, (expression) => {
    found.push(expression);
    return expression;
  });
  return found;
}

/** The same statement with others in the place of its own expressions. */
export function withExpressions(statement: Statement, change: (expression: Expression) => Expression): Statement {
  const orNull = (expression: Expression | null): Expression | null =>
    expression === null ? null : change(expression);
  switch (statement.kind) {
    case "declaration":
    case "return":
      return { ...statement, value: orNull(statement.value) };
    case "assignment":
      return { ...statement, target: orNull(statement.target), value: change(statement.value) };
    case "if":
    case "while":
    case "assert":
      return { ...statement, condition: change(statement.condition) };
    case "for":
      return { ...statement, condition: orNull(statement.condition) };
    case "loop":
      return { ...statement, breakIf: orNull(statement.breakIf) };
    case "switch":
      return {
        ...statement,
        value: change(statement.value),
        cases: statement.cases.map((each) => ({ ...each, selectors: each.selectors.map(orNull) })),
      };
    case "call statement": {
      const call = change(statement.call);
      return call.kind === "call" ? { ...statement, call } : statement;
    }
    default:
      return statement;
  }
}
