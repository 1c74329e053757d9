/**
 * Which `<` begin a list of template arguments, as in `vec2<f32>`, and which compare. WGSL decides that before it knows what
 * any name means: a `<` behind a name belongs to the next `>` that stands in the same brackets, unless a token is between
 * them that no such list can have.
 */
import type { Token } from "./lexer.js";

/** @returns the indices of the tokens that begin such lists */
export function templateListsOf(tokens: readonly Token[]): ReadonlySet<number> {
  const found = new Set<number>();
  let open: { readonly index: number; readonly depth: number }[] = [];
  let depth = 0;
  tokens.forEach(({ kind, text }, index) => {
    if (kind !== "symbol") return;
    if (text === "<" && tokens[index - 1]?.kind === "name") open.push({ index, depth });
    else if (text.startsWith(">")) {
      // `>>` may end two lists.
      for (let k = 0; text[k] === ">" && open[open.length - 1]?.depth === depth; k++) {
        const list = open.pop();
        if (list !== undefined) found.add(list.index);
      }
    } else if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") {
      open = open.filter((list) => list.depth < depth);
      depth = Math.max(0, depth - 1);
    } else if (text === "&&" || text === "||") open = open.filter((list) => list.depth < depth);
    else if (/^(?:[;{:]|(?![!<>=]=).*=)$/.test(text)) {
      depth = 0;
      open = [];
    }
  });
  return found;
}
