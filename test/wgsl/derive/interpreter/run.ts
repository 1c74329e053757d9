/** The statements of one call of a function. */
import { componentsOf } from "../../../../src/wgsl/check/swizzle.js";
import type {
  Assignment,
  BinaryOperator,
  Declaration,
  Expression,
  Statement,
} from "../../../../src/wgsl/language/syntax.js";
import type { Evaluator } from "./evaluator.js";
import { binary } from "./operators.js";
import type { Program } from "./program.js";
import { asBool, asList, asNumber, StructValue, withPart, zeroOf, type Value } from "./values.js";

/** How a statement ended: null where the next one follows. */
type End = null | "break" | "continue" | { readonly result: Value };

export class Run {
  readonly #program: Program;
  readonly #evaluator: Evaluator;
  readonly #frame: Map<number, Value>;

  constructor(program: Program, evaluator: Evaluator, frame: Map<number, Value>) {
    this.#program = program;
    this.#evaluator = evaluator;
    this.#frame = frame;
  }

  /** What the function returns; an empty list where it returns nothing. */
  body(statements: readonly Statement[]): Value {
    const end = this.#block(statements);
    return end !== null && typeof end === "object" ? end.result : [];
  }

  #value(expression: Expression): Value {
    return this.#evaluator.value(expression);
  }

  #holds(condition: Expression): boolean {
    return asBool(this.#value(condition));
  }

  #block(statements: readonly Statement[]): End {
    for (const statement of statements) {
      const end = this.#statement(statement);
      if (end !== null) return end;
    }
    return null;
  }

  #statement(statement: Statement): End {
    switch (statement.kind) {
      case "declaration":
        this.#frame.set(statement.at, this.#initial(statement));
        return null;
      case "assignment":
        this.#assign(statement);
        return null;
      case "call statement":
        this.#value(statement.call);
        return null;
      case "block":
        return this.#block(statement.body);
      case "if":
        return this.#block(this.#holds(statement.condition) ? statement.then : statement.otherwise);
      case "switch":
        return this.#switch(statement);
      case "for":
        return this.#for(statement);
      case "while":
        return this.#turns(
          () => this.#holds(statement.condition),
          statement.body,
          () => true,
        );
      case "loop":
        return this.#loop(statement);
      case "return":
        return { result: statement.value === null ? [] : this.#value(statement.value) };
      case "break":
      case "continue":
        return statement.kind;
      case "assert":
        if (!this.#holds(statement.condition)) throw new Error("a const_assert is false");
        return null;
      case "discard":
        throw new Error("discard can't be interpreted");
    }
  }

  #initial(declaration: Declaration): Value {
    if (declaration.value !== null) return this.#value(declaration.value);
    const declared = this.#program.checked.declared.get(declaration);
    if (declared === undefined) throw new Error("a declaration that wasn't checked");
    return zeroOf(declared.type);
  }

  #assign({ target, operator, value }: Assignment): void {
    if (target === null) {
      this.#value(value);
      return;
    }
    this.#store(target, operator === null ? this.#value(value) : this.#changed(target, operator, value));
  }

  #changed(target: Expression, operator: BinaryOperator, value: Expression): Value {
    const compute = binary(operator, this.#program.typeOf(target), this.#program.typeOf(value));
    return compute(this.#value(target), this.#value(value));
  }

  #store(target: Expression, value: Value): void {
    switch (target.kind) {
      case "name": {
        const variable = this.#program.checked.variables.get(target);
        if (variable === undefined || !this.#frame.has(variable.at)) throw new Error(`${target.name} isn't declared`);
        this.#frame.set(variable.at, value);
        return;
      }
      case "index": {
        const whole = asList(this.#value(target.object));
        this.#store(target.object, withPart(whole, asNumber(this.#value(target.index)), value));
        return;
      }
      case "member": {
        const { object, name } = target;
        this.#store(object, withMember(this.#value(object), name, value));
        return;
      }
      default:
        throw new Error(`a ${target.kind} can't be assigned to`);
    }
  }

  #switch({ value, cases }: Statement & { kind: "switch" }): End {
    const wanted = asNumber(this.#value(value));
    const isWanted = (selector: Expression | null): boolean =>
      selector !== null && asNumber(this.#value(selector)) === wanted;
    const chosen =
      cases.find(({ selectors }) => selectors.some(isWanted)) ??
      cases.find(({ selectors }) => selectors.includes(null));
    const end = chosen === undefined ? null : this.#block(chosen.body);
    return end === "break" ? null : end;
  }

  #for({ init, condition, update, body }: Statement & { kind: "for" }): End {
    if (init !== null) this.#statement(init);
    return this.#turns(
      () => condition === null || this.#holds(condition),
      body,
      () => {
        if (update !== null) this.#statement(update);
        return true;
      },
    );
  }

  #loop({ body, continuing, breakIf }: Statement & { kind: "loop" }): End {
    return this.#turns(
      () => true,
      body,
      () => {
        this.#block(continuing);
        return breakIf === null || !this.#holds(breakIf);
      },
    );
  }

  /** Turns of a loop: asked before each, and after each, whether it goes on. */
  #turns(before: () => boolean, body: readonly Statement[], after: () => boolean): End {
    while (before()) {
      this.#program.countTurn();
      const end = this.#block(body);
      if (end === "break") return null;
      if (end !== null && end !== "continue") return end;
      if (!after()) return null;
    }
    return null;
  }
}

/** The whole with another member, or other components. */
function withMember(whole: Value, name: string, value: Value): Value {
  if (whole instanceof StructValue) {
    return new StructValue([...whole.members].map(([key, old]) => [key, key === name ? value : old] as const));
  }
  const components = componentsOf(name);
  if (components.length === 1) return withPart(asList(whole), components[0]!, value);
  return components.reduce((list, at, k) => withPart(list, at, asList(value)[k]!), asList(whole));
}
