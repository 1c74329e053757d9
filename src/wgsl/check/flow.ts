/** Where control can go: whether a function's end can be reached, and whether break and continue stand in a loop. */
import type { SourceText } from "../language/source-text.js";
import type { FunctionDeclaration, Statement } from "../language/syntax.js";

/** How running a statement may end: with the next one, by leaving a loop or a switch, by the next turn, or for good. */
type End = "next" | "break" | "continue" | "return";

/**
 * @throws WgslError where a function with a result can end without one, or break, continue stand where there is nothing
 * to leave.
 */
export function checkFlow(source: SourceText, f: FunctionDeclaration): void {
  const ends = new Flow(source).ofBlock(f.body, { inLoop: false, inSwitch: false, inContinuing: false });
  if (f.result !== null && ends.has("next")) source.fail(f.end, `${f.name} can end here without a return`);
}

interface Inside {
  readonly inLoop: boolean;
  readonly inSwitch: boolean;
  readonly inContinuing: boolean;
}

class Flow {
  readonly #source: SourceText;

  constructor(source: SourceText) {
    this.#source = source;
  }

  ofBlock(body: readonly Statement[], inside: Inside): Set<End> {
    const ends = new Set<End>(["next"]);
    for (const statement of body) {
      const own = this.#of(statement, inside);
      // What nothing reaches is looked at too, for its mistakes.
      if (!ends.has("next")) continue;
      ends.delete("next");
      for (const end of own) ends.add(end);
    }
    return ends;
  }

  #of(statement: Statement, inside: Inside): Set<End> {
    switch (statement.kind) {
      case "return":
        if (inside.inContinuing) this.#source.fail(statement.at, "continuing can't be left by a return");
        return new Set(["return"]);
      case "discard":
        return new Set(["return"]);
      case "break":
        if (!inside.inLoop && !inside.inSwitch)
          this.#source.fail(statement.at, "there is no loop or switch to break out of");
        return new Set(["break"]);
      case "continue":
        if (!inside.inLoop) this.#source.fail(statement.at, "there is no loop to continue");
        return new Set(["continue"]);
      case "block":
        return this.ofBlock(statement.body, inside);
      case "if":
        return new Set([...this.ofBlock(statement.then, inside), ...this.ofBlock(statement.otherwise, inside)]);
      case "switch":
        return this.#ofSwitch(statement, inside);
      case "for":
        return this.#ofLoop(statement, [], statement.condition !== null, inside);
      case "while":
        return this.#ofLoop(statement, [], true, inside);
      case "loop":
        return this.#ofLoop(statement, statement.continuing, statement.breakIf !== null, inside);
      default:
        return new Set(["next"]);
    }
  }

  #ofSwitch({ cases }: Statement & { kind: "switch" }, inside: Inside): Set<End> {
    const ends = new Set<End>(cases.flatMap(({ body }) => [...this.ofBlock(body, { ...inside, inSwitch: true })]));
    const hasDefault = cases.some(({ selectors }) => selectors.includes(null));
    if (ends.delete("break") || !hasDefault) ends.add("next");
    return ends;
  }

  #ofLoop(
    { body, at }: Statement & { body: readonly Statement[] },
    continuing: readonly Statement[],
    canEnd: boolean,
    { inContinuing }: Inside,
  ): Set<End> {
    const ends = this.ofBlock(body, { inLoop: true, inSwitch: false, inContinuing });
    this.ofBlock(continuing, { inLoop: false, inSwitch: false, inContinuing: true });
    const isLeft = ends.has("break") || canEnd;
    const after = new Set<End>(isLeft ? ["next"] : []);
    if (ends.has("return")) after.add("return");
    if (after.size === 0) this.#source.fail(at, "this loop never ends: it has no break, no return and no condition");
    return after;
  }
}
