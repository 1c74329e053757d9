/** From the tree back to WGSL's text: one statement a line, brackets only where WGSL wants them. */
import { bindsAlone, precedenceOf } from "./precedence.js";
import type {
  Attribute,
  Declaration,
  Expression,
  FunctionDeclaration,
  ModuleDeclaration,
  Parameter,
  Statement,
  TypeName,
} from "./syntax.js";

export function printModule(declarations: readonly ModuleDeclaration[]): string {
  return declarations.map((declaration) => `${printModuleDeclaration(declaration)}\n`).join("\n");
}

function printModuleDeclaration(declaration: ModuleDeclaration): string {
  switch (declaration.kind) {
    case "function":
      return printFunction(declaration);
    case "struct":
      return [
        `struct ${declaration.name} {`,
        ...declaration.members.map((member) => `  ${printParameter(member)},`),
        "}",
      ].join("\n");
    case "alias":
      return `alias ${declaration.name} = ${printType(declaration.type)};`;
    case "declaration":
      return `${printDeclaration(declaration)};`;
    case "assert":
      return `const_assert ${printExpression(declaration.condition)};`;
    case "directive":
      return `${declaration.name};`;
  }
}

function printFunction({ name, parameters, result, body, attributes }: FunctionDeclaration): string {
  const head = `fn ${name}(${parameters.map(printParameter).join(", ")})`;
  const arrow = result === null ? "" : ` -> ${printType(result)}`;
  return [`${printAttributes(attributes)}${head}${arrow} {`, ...printBody(body), "}"].join("\n");
}

function printParameter({ name, type, attributes }: Parameter): string {
  return `${printAttributes(attributes)}${name}: ${printType(type)}`;
}

function printAttributes(attributes: readonly Attribute[]): string {
  return attributes
    .map(({ name, args }) => (args.length === 0 ? `@${name} ` : `@${name}(${args.map(printExpression).join(", ")}) `))
    .join("");
}

export function printType({ name, args }: TypeName): string {
  if (args.length === 0) return name;
  return `${name}<${args.map(printTemplateArgument).join(", ")}>`;
}

/** What has a `>` stands in brackets, since that would end the list. */
function printTemplateArgument(arg: TypeName | Expression): string {
  if (arg.kind === "type") return printType(arg);
  return arg.kind === "binary" && /[<>]/.test(arg.operator) ? `(${printExpression(arg)})` : printExpression(arg);
}

/** Lines, indented once. */
function printBody(body: readonly Statement[]): string[] {
  return body.flatMap(printStatement).map((line) => `  ${line}`);
}

function printStatement(statement: Statement): string[] {
  switch (statement.kind) {
    case "declaration":
    case "assignment":
    case "call statement":
      return [`${printSimple(statement)};`];
    case "block":
      return ["{", ...printBody(statement.body), "}"];
    case "if":
      return printIf(statement);
    case "switch":
      return [
        `switch ${printExpression(statement.value)} {`,
        ...statement.cases.flatMap(({ selectors, body }) => [
          `  ${printSelectors(selectors)} {`,
          ...indented(body),
          "  }",
        ]),
        "}",
      ];
    case "for":
      return [`for (${printHead(statement)}) {`, ...printBody(statement.body), "}"];
    case "while":
      return [`while (${printExpression(statement.condition)}) {`, ...printBody(statement.body), "}"];
    case "loop":
      return ["loop {", ...printBody(statement.body), ...printContinuing(statement), "}"];
    case "return":
      return [statement.value === null ? "return;" : `return ${printExpression(statement.value)};`];
    case "assert":
      return [`const_assert ${printExpression(statement.condition)};`];
    case "break":
    case "continue":
    case "discard":
      return [`${statement.kind};`];
  }
}

function indented(body: readonly Statement[]): string[] {
  return printBody(body).map((line) => `  ${line}`);
}

/** What may stand in the head of a `for`, without its semicolon. */
function printSimple(statement: Statement): string {
  switch (statement.kind) {
    case "declaration":
      return printDeclaration(statement);
    case "assignment": {
      const { target, operator, value } = statement;
      return `${target === null ? "_" : printExpression(target)} ${operator ?? ""}= ${printExpression(value)}`;
    }
    case "call statement":
      return printExpression(statement.call);
    default:
      throw new Error(`gpugrad bug: a ${statement.kind} in the head of a for`);
  }
}

/**
 * A `var` without a value is printed with one: some drivers don't zero it again at each turn of a loop, as WGSL wants
 * it (in SwiftShader `for (…) { var a: f32; a += x; s += a; }` adds up across the turns).
 */
function printDeclaration({ keyword, space, attributes, name, type, value }: Declaration): string {
  const places = space.length === 0 ? "" : `<${space.join(", ")}>`;
  const typed = type === null ? "" : `: ${printType(type)}`;
  const zero = keyword === "var" && space.length === 0 && type !== null ? ` = ${printType(type)}()` : "";
  const given = value === null ? zero : ` = ${printExpression(value)}`;
  return `${printAttributes(attributes)}${keyword}${places} ${name}${typed}${given}`;
}

function printIf({ condition, then, otherwise }: Statement & { kind: "if" }): string[] {
  const head = [`if (${printExpression(condition)}) {`, ...printBody(then)];
  const [only] = otherwise;
  if (only === undefined) return [...head, "}"];
  if (otherwise.length === 1 && only.kind === "if") {
    const [first = "", ...rest] = printIf(only);
    return [...head, `} else ${first}`, ...rest];
  }
  return [...head, "} else {", ...printBody(otherwise), "}"];
}

function printSelectors(selectors: readonly (Expression | null)[]): string {
  if (selectors.length === 1 && selectors[0] === null) return "default:";
  return `case ${selectors.map((selector) => (selector === null ? "default" : printExpression(selector))).join(", ")}:`;
}

function printHead({ init, condition, update }: Statement & { kind: "for" }): string {
  return [
    init === null ? "" : printSimple(init),
    condition === null ? "" : printExpression(condition),
    update === null ? "" : printSimple(update),
  ].join("; ");
}

function printContinuing({ continuing, breakIf }: Statement & { kind: "loop" }): string[] {
  if (continuing.length === 0 && breakIf === null) return [];
  const last = breakIf === null ? [] : [`    break if ${printExpression(breakIf)};`];
  return ["  continuing {", ...indented(continuing), ...last, "  }"];
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "number":
      return expression.text;
    case "bool":
      return String(expression.value);
    case "name":
      return expression.name;
    case "unary": {
      const { operator, operand } = expression;
      const text = printExpression(operand);
      // `--x` would be read as another operator, and so would `&&x`.
      const isBare = operand.kind !== "binary" && !text.startsWith(operator);
      return isBare ? `${operator}${text}` : `${operator}(${text})`;
    }
    case "binary": {
      const { operator, left, right } = expression;
      const level = precedenceOf(operator) ?? 0;
      return `${printOperand(left, expression, level)} ${operator} ${printOperand(right, expression, level + 1)}`;
    }
    case "member":
      return `${printObject(expression.object)}.${expression.name}`;
    case "index":
      return `${printObject(expression.object)}[${printExpression(expression.index)}]`;
    case "call":
      return `${printType(expression.callee)}(${printArguments(expression.args)})`;
  }
}

/** Comparisons side by side stand in brackets: `a < b, c > d` would be read as a list of types. */
function printArguments(args: readonly Expression[]): string {
  const compare = (arg: Expression): boolean =>
    arg.kind === "binary" && /^(?:[<>]=?|<<|>>|&&|\|\|)$/.test(arg.operator);
  const isAmbiguous = args.filter(compare).length > 1;
  return args
    .map((arg) => (isAmbiguous && compare(arg) ? `(${printExpression(arg)})` : printExpression(arg)))
    .join(", ");
}

function printOperand(operand: Expression, { operator }: Expression & { kind: "binary" }, least: number): string {
  const text = printExpression(operand);
  if (operand.kind !== "binary") return text;
  // `a < b >> c` would be read as a list of types.
  const isList = operator === "<" && operand.operator === ">>";
  const isBare = (precedenceOf(operand.operator) ?? 0) >= least && bindsAlone(operator, operand.operator) && !isList;
  return isBare ? text : `(${text})`;
}

/** What stands before a dot or an index. */
function printObject(object: Expression): string {
  const text = printExpression(object);
  return object.kind === "binary" || object.kind === "unary" ? `(${text})` : text;
}
