/** WGSL source text as tokens, each with its place. */
import { SourceText } from "./source-text.js";

export interface Token {
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly text: string;
  /** Where it begins, counted from 0 in the source. */
  readonly at: number;
}

/** What stands between tokens. WGSL knows seven characters that end a line. */
const blank = /(?:[\p{Pattern_White_Space}]|\/\/[^\n\v\f\r\u0085\u2028\u2029]*)+/uy;

const hexadecimal = "0[xX](?:[0-9a-fA-F]+\\.[0-9a-fA-F]*|\\.?[0-9a-fA-F]+)(?:[pP][+-]?\\d+[fh]?|[iu])?";
const decimal = "(?:\\d+\\.\\d*|\\.\\d+|\\d+)(?:[eE][+-]?\\d+)?[fhiu]?";
const number = /* @__PURE__ */ new RegExp(`${hexadecimal}|${decimal}`, "y");

const name = /[\p{XID_Start}_]\p{XID_Continue}*/uy;

/** The longest first, so that `<<=` isn't read as `<<` and `=`. */
const symbol = /<<=|>>=|->|&&|\|\||\+\+|--|[=!<>+\-*/%&|^]=|<<|>>|[-+*/%&|^~!<>=(){}[\],;:.@]/y;

/** @throws WgslError for a character that WGSL doesn't know, or a comment without an end. */
export function tokensOf(source: SourceText): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = 0;
  const read = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (at < text.length) {
    if (text.startsWith("/*", at)) {
      at = endOfComment(source, at);
      continue;
    }
    const space = read(blank);
    if (space !== null) {
      at += space.length;
      continue;
    }
    const found =
      tokenOf("number", read(number), at) ?? tokenOf("name", read(name), at) ?? tokenOf("symbol", read(symbol), at);
    if (found === null) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      const hint = character === "?" ? ": choose by select(otherwise, then, condition)" : "";
      return source.fail(at, `WGSL has no character ${JSON.stringify(character)}${hint}`);
    }
    if (found.kind === "number") checkNumber(source, found);
    tokens.push(found);
    at += found.text.length;
  }
  tokens.push({ kind: "end", text: "the end of the source", at: text.length });
  return tokens;
}

function checkNumber(source: SourceText, { text, at }: Token): void {
  if (/^0\d+[iu]?$/.test(text)) source.fail(at, `${text} begins with 0, as no whole number in WGSL may`);
  if (/^(?!0[xX]).*[.eE].*[iu]$/.test(text)) {
    source.fail(at, `${text} has a fraction or an exponent, and so can't be whole: leave out the ${text.slice(-1)}`);
  }
}

function tokenOf(kind: Token["kind"], text: string | null, at: number): Token | null {
  return text === null ? null : { kind, text, at };
}

/** Block comments nest. */
function endOfComment(source: SourceText, begin: number): number {
  const { text } = source;
  let depth = 0;
  for (let at = begin; at < text.length;) {
    if (text.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (text.startsWith("*/", at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else at++;
  }
  return source.fail(begin, "this comment has no end");
}
