/** Types, expressions and attributes, by recursive descent, with the precedence that WGSL has. */
import { bindsAlone, precedenceOf } from "./precedence.js";
import type { Attribute, BinaryOperator, CallExpression, Expression, TypeName, UnaryOperator } from "./syntax.js";
import { TokenReader } from "./token-reader.js";
import { partsOf } from "./walk.js";
import { isKeyword } from "./words.js";

/** Names after which `<` begins a list of template arguments, wherever they stand. */
const templated = /^(vec[234]|mat[234]x[234]|array|ptr|atomic|bitcast|texture_\w+)$/;

/** What a list of operators, members and calls may have in a row. Chrome's compiler takes no more either. */
const mostInRow = 512;

const unaryOperators = new Set<string>(["-", "!", "~", "*", "&"]);

export abstract class ExpressionParser extends TokenReader {
  /** Expressions that stand in brackets, and so may stand beside any operator. */
  readonly #bracketed = new WeakSet<Expression>();
  /** How many expressions stand in one another. */
  readonly #depths = new WeakMap<Expression, number>();

  // Types

  protected type(): TypeName {
    const { at } = this.token;
    const name = this.name("a type");
    return { kind: "type", name, args: this.is("<") ? this.#templateArguments() : [], at };
  }

  #templateArguments(): (TypeName | Expression)[] {
    this.expect("<");
    const args: (TypeName | Expression)[] = [];
    while (!this.is(">") && !this.is(">>") && !this.is(">=") && !this.is(">>=")) {
      args.push(this.nested(() => this.#templateArgument()));
      if (!this.eat(",")) break;
    }
    this.closeTemplate();
    return args;
  }

  /** A type or a number; a name that can be either is taken for a type. */
  #templateArgument(): TypeName | Expression {
    const isAlone = ["<", ",", ">", ">>", ">=", ">>="].some((text) => this.is(text, 1));
    if (this.token.kind === "name" && isAlone) return this.type();
    return this.#binary(1, true);
  }

  /** `>>` and `>=` close one list, and their rest is read next. */
  protected closeTemplate(): void {
    const { kind, text, at } = this.token;
    if (kind !== "symbol" || !text.startsWith(">")) this.expected(">");
    if (text.length === 1) this.next++;
    else this.tokens[this.next] = { kind, text: text.slice(1), at: at + 1 };
  }

  // Expressions

  protected expression(): Expression {
    return this.nested(() => this.#binary(1));
  }

  /** The expression, where it isn't made of too much. */
  #measured<T extends Expression>(expression: T): T {
    const depth = 1 + Math.max(0, ...partsOf(expression).map((part) => this.#depths.get(part) ?? 0));
    if (depth > mostInRow) {
      this.source.fail(
        expression.at,
        `an expression can have ${mostInRow} operators in a row, no more: give parts a name`,
      );
    }
    this.#depths.set(expression, depth);
    return expression;
  }

  /**
   * Operators of at least this precedence; all of WGSL's group from the left.
   *
   * @param inList whether it is a template argument, where every `>` ends the list
   */
  #binary(least: number, inList = false): Expression {
    let left = this.unary();
    for (;;) {
      const { kind, text, at } = this.token;
      const level = kind === "symbol" ? precedenceOf(text) : null;
      if (level === null || level < least || (inList && text.startsWith(">"))) return left;
      const operator = text as BinaryOperator;
      this.next++;
      const right = this.#binary(level + 1, inList);
      this.#checkBrackets(operator, left, at);
      this.#checkBrackets(operator, right, at);
      left = this.#measured({ kind: "binary", operator, left, right, at });
    }
  }

  /** WGSL doesn't guess what `a & b == c` or `a && b || c` means: it asks for brackets. */
  #checkBrackets(operator: BinaryOperator, operand: Expression, at: number): void {
    if (operand.kind !== "binary" || this.#bracketed.has(operand) || bindsAlone(operator, operand.operator)) return;
    this.source.fail(at, `${operand.operator} beside ${operator} needs brackets, to say which comes first`);
  }

  protected unary(): Expression {
    const { kind, text, at } = this.token;
    if (kind === "symbol" && unaryOperators.has(text)) {
      this.next++;
      const operand = this.nested(() => this.unary());
      return this.#measured({ kind: "unary", operator: text as UnaryOperator, operand, at });
    }
    return this.#postfix(this.#primary());
  }

  #postfix(primary: Expression): Expression {
    let object = primary;
    for (;;) {
      const { at } = this.token;
      if (this.eat(".")) {
        if (this.isTemplated()) this.#failTemplated();
        object = this.#measured({ kind: "member", object, name: this.name("a member or components"), at });
      } else if (this.eat("[")) {
        object = this.#measured({ kind: "index", object, index: this.expression(), at });
        this.expect("]");
      } else return object;
    }
  }

  #primary(): Expression {
    const { kind, text, at } = this.token;
    if (kind === "number") {
      this.next++;
      return { kind: "number", text, at };
    }
    if (this.eat("(")) {
      const inner = this.expression();
      this.expect(")");
      this.#bracketed.add(inner);
      return inner;
    }
    const isValue = text === "true" || text === "false";
    if (kind !== "name" || (isKeyword(text) && !isValue)) return this.expected("an expression");
    if (isValue) {
      this.next++;
      return { kind: "bool", value: text === "true", at };
    }
    const callee = this.isTemplated() ? this.#templatedCallee() : this.#callee();
    if (this.is("(")) return this.#call(callee);
    return callee.args.length > 0 ? this.expected("(") : { kind: "name", name: text, at };
  }

  #callee(): TypeName {
    const { at } = this.token;
    return { kind: "type", name: this.name("a name"), args: [], at };
  }

  #templatedCallee(): TypeName {
    return templated.test(this.token.text) ? this.type() : this.#failTemplated();
  }

  #failTemplated(): never {
    const { text, at } = this.token;
    return this.source.fail(
      at,
      `WGSL reads ${text} < … > as a type with arguments: put a comparison with < in brackets where a > follows`,
    );
  }

  #call(callee: TypeName): CallExpression {
    this.expect("(");
    return this.#measured({ kind: "call", callee, args: this.list(")", () => this.expression()), at: callee.at });
  }

  protected attributes(): Attribute[] {
    const attributes: Attribute[] = [];
    while (this.is("@")) {
      const { at } = this.expect("@");
      const name = this.word("an attribute's name");
      attributes.push({ name, args: this.eat("(") ? this.list(")", () => this.expression()) : [], at });
    }
    return attributes;
  }
}
