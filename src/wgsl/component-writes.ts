/**
 * Assignments to several components of a vector at once, `v.xy = e`, component by component: not every driver has WGSL's
 * `swizzle_assignment`, and what is derived needs nothing that it doesn't know.
 */
import type { Checked } from "./check/symbols.js";
import { componentsOf, writtenComponents, type WrittenComponents } from "./check/swizzle.js";
import { elementOf, f32, showType, vectorOf, type Type } from "./check/types.js";
import { Names } from "./derive/names.js";
import { edited, type Edit } from "./language/edits.js";
import { printExpression } from "./language/printer.js";
import type { SourceText } from "./language/source-text.js";
import type { Assignment, Expression, Statement } from "./language/syntax.js";
import { bodiesOf, identifier, partsOf } from "./language/walk.js";

const letters = "xyzw";

/** The text of the source, on the same lines. @throws WgslError where a part of an assignment would have to be computed twice. */
export function withComponentWrites(source: SourceText, checked: Checked): string {
  const writes = new Writes(source, checked);
  const edits = checked.declarations.flatMap((declaration) =>
    declaration.kind === "function" ? writes.ofBody(declaration.body) : [],
  );
  return edited(source.text, edits);
}

class Writes {
  readonly #source: SourceText;
  readonly #checked: Checked;
  readonly #names: Names;

  constructor(source: SourceText, checked: Checked) {
    this.#source = source;
    this.#checked = checked;
    this.#names = new Names(new Set(source.text.match(identifier)), []);
  }

  ofBody(body: readonly Statement[]): Edit[] {
    return body.flatMap((statement) => {
      if (statement.kind === "assignment") return this.#edit(statement, false);
      if (statement.kind !== "for") return bodiesOf(statement).flatMap((inner) => this.ofBody(inner));
      const [init, update] = [statement.init, statement.update].map((head) =>
        head?.kind === "assignment" ? this.#edit(head, true) : [],
      );
      return [...(init ?? []), ...(update ?? []), ...this.ofBody(statement.body)];
    });
  }

  /** @param inHead whether it stands in the head of a `for`, which has room for one statement only */
  #edit(assignment: Assignment, inHead: boolean): Edit[] {
    const { target, written } = assignment;
    const parts = target === null ? null : writtenComponents(this.#source, target, this.#checked.types);
    if (parts === null || written === undefined) return [];
    this.#checkOnce(parts.object);
    const { from, to } = written;
    if (parts.letters.length === 1) {
      const by = `${printExpression(memberOf(parts))} ${assignment.operator ?? ""}= ${printExpression(assignment.value)}`;
      return [{ from, to, by }];
    }
    if (inHead) this.#checkOnce(assignment.value);
    return inHead
      ? [{ from, to, by: this.#whole(assignment, parts) }]
      : [{ from, to: to + 1, by: this.#block(assignment, parts) }];
  }

  /** `{ let t: vec2f = e; v.x = t.x; v.y = t.y; }` */
  #block(assignment: Assignment, parts: WrittenComponents): string {
    const t = this.#names.fresh("t");
    const type = vectorOf(parts.letters.length, elementOf(this.#typeOf(parts.object)) ?? "f32");
    const object = { ...parts, object: parts.object };
    const writes = Array.from(parts.letters, (letter, k) => {
      return `${printExpression(memberOf({ ...object, letters: letter }))} = ${t}.${letters.charAt(k)};`;
    });
    return `{ let ${t}: ${showType(type)} = ${printExpression(valueOf(assignment, parts))}; ${writes.join(" ")} }`;
  }

  /** `v = vec3f(e.x, e.y, v.z)` */
  #whole(assignment: Assignment, parts: WrittenComponents): string {
    const type = this.#typeOf(parts.object);
    const isPointer = this.#checked.types.get(parts.object)?.kind === "pointer";
    const object: Expression = isPointer
      ? { kind: "unary", operator: "*", operand: parts.object, at: -1 }
      : parts.object;
    const value = valueOf(assignment, parts);
    const written = componentsOf(parts.letters);
    const all = Array.from({ length: type.kind === "vector" ? type.size : 1 }, (_, k) => {
      const from = written.indexOf(k);
      return from < 0
        ? memberOf({ object, letters: letters.charAt(k) })
        : memberOf({ object: value, letters: letters.charAt(from) });
    });
    return `${printExpression(object)} = ${showType(type)}(${all.map(printExpression).join(", ")})`;
  }

  #typeOf(object: Expression): Type {
    const type = this.#checked.types.get(object) ?? f32;
    return type.kind === "pointer" ? type.target : type;
  }

  /** What is written more often than before mustn't do anything. */
  #checkOnce(expression: Expression): void {
    const callee = expression.kind === "call" ? this.#checked.callees.get(expression) : undefined;
    if (callee?.parameters.some(({ type }) => type.kind === "pointer") === true) {
      this.#source.fail(
        expression.at,
        `${callee.name} may change what it is given: call it before, and give the result a name`,
      );
    }
    for (const part of partsOf(expression)) this.#checkOnce(part);
  }
}

function memberOf({ object, letters: name }: WrittenComponents): Expression {
  return { kind: "member", object, name, at: -1 };
}

/** What is written, where an operator changes what is there. */
function valueOf({ operator, value, at }: Assignment, parts: WrittenComponents): Expression {
  return operator === null ? value : { kind: "binary", operator, left: memberOf(parts), right: value, at };
}
