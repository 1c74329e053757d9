/** From WGSL's tokens to its tree, the whole language: modules and statements. */
import { ExpressionParser } from "./expression-parser.js";
import type { SourceText } from "./source-text.js";
import type {
  Assignment,
  Attribute,
  BinaryOperator,
  Declaration,
  Expression,
  FunctionDeclaration,
  ModuleDeclaration,
  Parameter,
  Statement,
  StructDeclaration,
  SwitchCase,
  TypeName,
} from "./syntax.js";

/** @throws WgslError where the source isn't WGSL, with what was expected and what is there. */
export function parse(source: SourceText): ModuleDeclaration[] {
  return new Parser(source).module();
}

class Parser extends ExpressionParser {
  // The module

  module(): ModuleDeclaration[] {
    const declarations: ModuleDeclaration[] = [];
    while (this.token.kind !== "end") {
      if (!this.eat(";")) declarations.push(this.#moduleDeclaration());
    }
    return declarations;
  }

  #moduleDeclaration(): ModuleDeclaration {
    const { text, at } = this.token;
    if (text === "enable" || text === "requires" || text === "diagnostic") {
      while (this.token.kind !== "end" && !this.is(";")) this.next++;
      this.expect(";");
      return { kind: "directive", name: text, at };
    }
    const attributes = this.attributes();
    if (this.is("fn")) return this.#function(attributes);
    if (this.is("struct")) return this.#struct();
    if (this.eat("alias")) {
      const name = this.name("the alias's name");
      this.expect("=");
      const type = this.type();
      this.expect(";");
      return { kind: "alias", name, type, at };
    }
    if (this.is("const_assert")) return this.#assert();
    if (this.is("const") || this.is("override") || this.is("var")) {
      const declaration = this.#declaration(attributes);
      this.expect(";");
      return declaration;
    }
    return this.expected("fn, struct, const, var or alias");
  }

  #function(attributes: Attribute[]): FunctionDeclaration {
    const { at } = this.expect("fn");
    const name = this.name("the function's name");
    this.expect("(");
    const parameters = this.list(")", () => this.#parameter());
    let result: TypeName | null = null;
    if (this.eat("->")) {
      this.attributes();
      result = this.type();
    }
    const body = this.#block();
    return { kind: "function", name, parameters, result, body, attributes, at, end: this.ahead(-1).at };
  }

  #parameter(): Parameter {
    const attributes = this.attributes();
    const { at } = this.token;
    const name = this.name("a name");
    this.expect(":");
    return { name, type: this.type(), attributes, at };
  }

  #struct(): StructDeclaration {
    const { at } = this.expect("struct");
    const name = this.name("the struct's name");
    this.expect("{");
    return { kind: "struct", name, members: this.list("}", () => this.#parameter()), at };
  }

  #declaration(attributes: Attribute[]): Declaration {
    const { text, at } = this.token;
    const keyword = text as Declaration["keyword"];
    this.next++;
    const space: string[] = [];
    if (keyword === "var" && this.eat("<")) {
      do space.push(this.name("an address space"));
      while (this.eat(","));
      this.closeTemplate();
    }
    const name = this.name(`the name of a ${keyword}`);
    const type = this.eat(":") ? this.type() : null;
    const value = this.eat("=") ? this.expression() : null;
    if (value === null && (keyword === "let" || keyword === "const")) this.expected(`= and the value of ${name}`);
    if (value === null && type === null) this.expected(`: and a type, or = and a value, for ${name}`);
    return { kind: "declaration", keyword, space, attributes, name, type, value, at };
  }

  #assert(): { kind: "assert"; condition: Expression; at: number } {
    const { at } = this.expect("const_assert");
    const condition = this.expression();
    this.expect(";");
    return { kind: "assert", condition, at };
  }

  // Statements

  #block(): Statement[] {
    this.attributes();
    this.expect("{");
    const body: Statement[] = [];
    while (!this.eat("}")) {
      if (!this.eat(";")) body.push(this.nested(() => this.#statement()));
    }
    return body;
  }

  #statement(): Statement {
    const attributes = this.attributes();
    const { text, at } = this.token;
    switch (text) {
      case "{":
        return { kind: "block", body: this.#block(), at };
      case "if":
        return this.#if();
      case "switch":
        return this.#switch();
      case "for":
        return this.#for();
      case "while": {
        this.next++;
        const condition = this.expression();
        return { kind: "while", condition, body: this.#block(), at };
      }
      case "loop":
        return this.#loop();
      case "const_assert":
        return this.#assert();
    }
    const statement = this.#shortStatement(attributes);
    this.expect(";");
    return statement;
  }

  /** One that ends with a semicolon. */
  #shortStatement(attributes: Attribute[]): Statement {
    const { text, at } = this.token;
    if (text === "return") {
      this.next++;
      return { kind: "return", value: this.is(";") ? null : this.expression(), at };
    }
    if (text === "break" || text === "continue" || text === "discard") {
      this.next++;
      return { kind: text, at };
    }
    return this.#simpleStatement(attributes);
  }

  /** One that may stand in the head of a `for`. */
  #simpleStatement(attributes: Attribute[] = []): Statement {
    const { at } = this.token;
    if (this.is("let") || this.is("var") || this.is("const")) return this.#declaration(attributes);
    if (this.is("_") && this.is("=", 1)) {
      this.next += 2;
      return { kind: "assignment", target: null, operator: null, value: this.expression(), at };
    }
    const target = this.unary();
    if (target.kind === "name" && this.token.kind === "name") {
      const { text } = this.token;
      this.source.fail(at, `a variable is declared by its name: let ${text} = …, or var ${text} = … to change it`);
    }
    if (target.kind === "call") return { kind: "call statement", call: target, at };
    return this.#assignment(target, at);
  }

  #assignment(target: Expression, from: number): Assignment {
    const { text, at } = this.token;
    const isStep = text === "++" || text === "--";
    if (!isStep && text !== "=" && !/^(?:[-+*/%&|^]|<<|>>)=$/.test(text)) this.expected("an assignment or a call");
    this.next++;
    const value: Expression = isStep ? { kind: "number", text: "1", at } : this.expression();
    const operator = text === "=" ? null : (text.slice(0, isStep ? 1 : -1) as BinaryOperator);
    return { kind: "assignment", target, operator, value, at, written: { from, to: this.token.at, isStep } };
  }

  #if(): Statement {
    const { at } = this.expect("if");
    const condition = this.expression();
    const then = this.#block();
    let otherwise: Statement[] = [];
    if (this.eat("else")) otherwise = this.is("if") ? [this.nested(() => this.#if())] : this.#block();
    return { kind: "if", condition, then, otherwise, at };
  }

  #switch(): Statement {
    const { at } = this.expect("switch");
    const value = this.expression();
    this.attributes();
    this.expect("{");
    const cases: SwitchCase[] = [];
    while (!this.eat("}")) cases.push(this.#case());
    return { kind: "switch", value, cases, at };
  }

  #case(): SwitchCase {
    const { at } = this.token;
    const selectors: (Expression | null)[] = [];
    if (this.eat("default")) selectors.push(null);
    else {
      this.expect("case");
      do {
        if (this.is(":") || this.is("{")) break;
        selectors.push(this.eat("default") ? null : this.expression());
      } while (this.eat(","));
      if (selectors.length === 0) this.expected("a value");
    }
    this.eat(":");
    return { selectors, body: this.#block(), at };
  }

  #for(): Statement {
    const { at } = this.expect("for");
    this.expect("(");
    const init = this.is(";") ? null : this.#simpleStatement();
    this.expect(";");
    const condition = this.is(";") ? null : this.expression();
    this.expect(";");
    const update = this.is(")") ? null : this.#simpleStatement();
    this.expect(")");
    return { kind: "for", init, condition, update, body: this.#block(), at };
  }

  #loop(): Statement {
    const { at } = this.expect("loop");
    this.attributes();
    this.expect("{");
    const body: Statement[] = [];
    let continuing: Statement[] = [];
    let breakIf: Expression | null = null;
    while (!this.eat("}")) {
      if (this.eat("continuing")) {
        ({ continuing, breakIf } = this.#continuing());
        this.expect("}");
        break;
      }
      if (!this.eat(";")) body.push(this.nested(() => this.#statement()));
    }
    return { kind: "loop", body, continuing, breakIf, at };
  }

  #continuing(): { continuing: Statement[]; breakIf: Expression | null } {
    this.attributes();
    this.expect("{");
    const continuing: Statement[] = [];
    while (!this.eat("}")) {
      if (this.is("break") && this.is("if", 1)) {
        this.next += 2;
        const breakIf = this.expression();
        this.expect(";");
        this.expect("}");
        return { continuing, breakIf };
      }
      if (!this.eat(";")) continuing.push(this.nested(() => this.#statement()));
    }
    return { continuing, breakIf: null };
  }
}
