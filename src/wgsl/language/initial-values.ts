/**
 * Writes a value behind each `var` that has none. WGSL zeroes such a variable each time that control comes by, but some
 * drivers do it once only: `for (…) { var a: f32; a += x; s += a; }` adds up across the turns there.
 */
import { edited, type Edit } from "./edits.js";
import { tokensOf } from "./lexer.js";
import { printType } from "./printer.js";
import type { SourceText } from "./source-text.js";
import type { Declaration, ModuleDeclaration, Statement } from "./syntax.js";
import { bodiesOf } from "./walk.js";

/** The text of the source, on the same lines. */
export function withInitialValues(source: SourceText, declarations: readonly ModuleDeclaration[]): string {
  const bare = declarations.flatMap((declaration) => (declaration.kind === "function" ? bareIn(declaration.body) : []));
  if (bare.length === 0) return source.text;
  const ends = tokensOf(source).filter(({ text }) => text === ";");
  const edits = bare.map(({ at, type }): Edit => {
    const end = ends.find((token) => token.at > at)?.at ?? at;
    return { from: end, to: end, by: type === null ? "" : ` = ${printType(type)}()` };
  });
  return edited(source.text, edits);
}

/** The declarations without a value, in the order of the source. */
function bareIn(body: readonly Statement[]): Declaration[] {
  return body.flatMap((statement) => {
    const isBare = statement.kind === "declaration" && statement.keyword === "var" && statement.value === null;
    return isBare ? [statement] : bodiesOf(statement).flatMap(bareIn);
  });
}
