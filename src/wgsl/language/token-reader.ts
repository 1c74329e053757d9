/** WGSL's tokens, one after the other, with what is to be said where another one was expected. */
import { tokensOf, type Token } from "./lexer.js";
import type { SourceText } from "./source-text.js";
import { templateListsOf } from "./template-lists.js";
import { whyNoName } from "./words.js";

/** Chrome's compiler takes no more either; and a source can't overflow our stack. */
const mostDepth = 128;

export abstract class TokenReader {
  protected readonly source: SourceText;
  protected readonly tokens: Token[];
  protected next = 0;
  #depth = 0;
  readonly #templateLists: ReadonlySet<number>;

  constructor(source: SourceText) {
    this.source = source;
    this.tokens = tokensOf(source);
    this.#templateLists = templateListsOf(this.tokens);
  }

  protected get token(): Token {
    return this.ahead(0);
  }

  protected ahead(by: number): Token {
    return this.tokens[Math.min(this.next + by, this.tokens.length - 1)] ?? { kind: "end", text: "", at: 0 };
  }

  protected is(text: string, by = 0): boolean {
    const { kind, text: found } = this.ahead(by);
    return found === text && (kind === "symbol" || kind === "name");
  }

  protected eat(text: string): boolean {
    if (!this.is(text)) return false;
    this.next++;
    return true;
  }

  protected expect(text: string): Token {
    const token = this.token;
    return this.eat(text) ? token : this.expected(text);
  }

  protected expected(what: string): never {
    const { kind, text, at } = this.token;
    return this.source.fail(at, `expected ${what}, found ${kind === "end" ? "the end of the source" : text}`);
  }

  /** Whether the token behind this one begins a list of template arguments. */
  protected isTemplated(): boolean {
    return this.#templateLists.has(this.next + 1);
  }

  /** @param what is expected, and may not be one of WGSL's words */
  protected name(what: string): string {
    const { text, at } = this.token;
    const name = this.word(what);
    const why = whyNoName(text);
    return why === null ? name : this.source.fail(at, `${why}: choose another name`);
  }

  /** A name, or a word that WGSL keeps for itself. */
  protected word(what: string): string {
    const { kind, text } = this.token;
    if (kind !== "name") return this.expected(what);
    this.next++;
    return text;
  }

  /** What `parse` gives, with its nesting counted. */
  protected nested<T>(parse: () => T): T {
    if (++this.#depth > mostDepth) this.source.fail(this.token.at, `this is nested more than ${mostDepth} deep`);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Parts separated by commas, up to `end`; one comma may stand before it. */
  protected list<T>(end: string, part: () => T): T[] {
    const parts: T[] = [];
    while (!this.is(end)) {
      parts.push(part());
      if (!this.eat(",")) break;
    }
    this.expect(end);
    return parts;
  }
}
