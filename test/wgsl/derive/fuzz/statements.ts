/** Random statements: everything that changes a variable or the way, in loops that end. */
import { Expressions } from "./expressions.js";
import type { Random } from "./random.js";
import { f32, Scope, show, vector, type Helper, type RandomType } from "./scope.js";

/** What a block stands in. */
export interface Place {
  readonly result: RandomType;
  readonly loops: number;
  readonly canBreak: boolean;
  readonly canContinue: boolean;
  /** How many blocks may still stand in one another. */
  readonly depth: number;
}

export class Statements {
  readonly #random: Random;
  readonly #helpers: readonly Helper[];
  readonly #types: readonly RandomType[];

  /** @param types of structs and the like, beside those that WGSL has */
  constructor(random: Random, helpers: readonly Helper[], types: readonly RandomType[]) {
    this.#random = random;
    this.#helpers = helpers;
    this.#types = types;
  }

  type(): RandomType {
    const random = this.#random;
    return random.pick<RandomType>([
      f32,
      f32,
      f32,
      vector(random.whole(2, 4)),
      vector(3),
      { kind: "i32" },
      { kind: "u32" },
      { kind: "bool" },
      { kind: "matrix", columns: random.whole(2, 3), rows: random.whole(2, 3) },
      { kind: "array", element: random.pick([f32, f32, vector(2)]), count: random.whole(2, 4) },
      ...this.#types,
    ]);
  }

  expressions(scope: Scope): Expressions {
    return new Expressions(this.#random, scope, this.#helpers);
  }

  /** Lines of a block whose names `scope` then has. */
  block(scope: Scope, place: Place, least = 1): string[] {
    const lines: string[] = [];
    for (const _ of this.#random.list(least, least + 3, () => 0)) lines.push(...this.#statement(scope, place));
    return lines;
  }

  #inner(scope: Scope, place: Place): string[] {
    return this.block(scope.child(), { ...place, depth: place.depth - 1 }).map((line) => `  ${line}`);
  }

  #statement(scope: Scope, place: Place): string[] {
    const random = this.#random;
    const chance = random.next();
    if (chance < 0.35) return [this.#declaration(scope)];
    if (chance < 0.62 || place.depth <= 0) return [this.#assignment(scope, place.loops > 0)];
    if (chance < 0.74) return this.#if(scope, place);
    if (chance < 0.86 && place.loops < 2) return this.#loop(scope, place);
    if (chance < 0.91) return this.#switch(scope, place);
    if (chance < 0.94) return ["{", ...this.#inner(scope, place), "}"];
    return this.#leave(scope, place);
  }

  #declaration(scope: Scope): string {
    const random = this.#random;
    const type = this.type();
    const value = this.expressions(scope).of(type, 2);
    const name = scope.fresh();
    const keyword = random.pick(["let", "var", "var"]);
    scope.add(name, type, keyword === "var");
    if (keyword === "var" && random.chance(0.15)) return `var ${name}: ${show(type)};`;
    return `${keyword} ${name}${random.chance(0.3) ? `: ${show(type)}` : ""} = ${value};`;
  }

  /** What is assigned in a loop doesn't grow from turn to turn. */
  #assignment(scope: Scope, inLoop: boolean): string {
    const random = this.#random;
    const e = this.expressions(scope);
    const targets = scope.parts((type) => type.kind !== "bool" || random.chance(0.2), true);
    if (targets.length === 0) return random.chance(0.3) ? `_ = ${e.float(2)};` : this.#declaration(scope);
    const { name, type } = random.pick(targets);
    switch (type.kind) {
      case "f32":
        return random.one([
          () => `${name} = ${inLoop ? `2.0 * ${e.small(2)}` : e.float(3)};`,
          () => `${name} += ${e.small(2)};`,
          () => `${name} -= ${e.small(2)};`,
          () => `${name} *= ${e.small(2)};`,
          () => `${name} /= 1.5 + abs(${e.float(1)});`,
          () => `${name} %= 1.75;`,
        ]);
      case "vector":
        return random.one([
          () => `${name} = ${inLoop ? `sin(${e.vector(type.size, 2)})` : e.vector(type.size, 2)};`,
          () => `${name} += tanh(${e.vector(type.size, 1)});`,
          () => `${name} *= ${e.small(2)};`,
          () => `${name} *= 0.5 * ${e.matrix({ columns: type.size, rows: type.size }, 0)};`,
          () => `${name} /= 1.5 + abs(${e.vector(type.size, 1)});`,
          () => this.#componentsWrite(name, type.size, e, inLoop),
          () => this.#componentsWrite(name, type.size, e, inLoop),
        ]);
      case "i32":
        return random.one([
          () => `${name} = ${e.whole(2)} % 7;`,
          () => `${name}++;`,
          () => `${name}--;`,
          () => `${name} += ${e.whole(1)} & 3;`,
        ]);
      case "u32":
        return random.one([() => `${name}++;`, () => `${name} %= 5u;`, () => `${name} >>= 1u;`]);
      case "matrix":
        return random.one([
          () => `${name} *= ${e.small(1)};`,
          () => `${name} = 0.5 * (${name} + ${e.matrix(type, 0)});`,
        ]);
      default:
        return `${name} = ${e.of(type, 1)};`;
    }
  }

  /** Some of a vector's components, in any order, each once. */
  #componentsWrite(name: string, size: number, e: Expressions, inLoop: boolean): string {
    const random = this.#random;
    const letters = Array.from(random.pick(["xyzw", "rgba"]).slice(0, size));
    const chosen = Array.from({ length: random.whole(2, size) }, () => {
      return letters.splice(random.whole(0, letters.length - 1), 1)[0] ?? "";
    });
    const target = `${name}.${chosen.join("")}`;
    const value = e.vector(chosen.length, 1);
    return random.one([
      () => `${target} = ${inLoop ? `sin(${value})` : value};`,
      () => `${target} = ${name}.${[...chosen].reverse().join("")};`,
      () => `${target} += tanh(${value});`,
      () => `${target} *= ${e.small(1)};`,
    ]);
  }

  #if(scope: Scope, place: Place): string[] {
    const lines = [`if (${this.expressions(scope).bool(1)}) {`, ...this.#inner(scope, place)];
    while (this.#random.chance(0.3)) {
      lines.push(`} else if ${this.expressions(scope).bool(1)} {`, ...this.#inner(scope, place));
    }
    if (this.#random.chance(0.5)) lines.push("} else {", ...this.#inner(scope, place));
    return [...lines, "}"];
  }

  #switch(scope: Scope, place: Place): string[] {
    const own = { ...place, canBreak: true };
    const bodies = this.#random.list(1, 3, () => this.#inner(scope, own));
    const isDefaultFirst = this.#random.chance(0.3);
    const others = ["default: {", ...this.#inner(scope, own), "}"];
    const cases = bodies.flatMap((body, k) => [
      this.#random.pick([`case ${k}: {`, `case ${k}, ${k + 4}: {`, `case -${k + 1}, ${k} {`]),
      ...body,
      "}",
    ]);
    const all = isDefaultFirst ? [...others, ...cases] : [...cases, ...others];
    return [`switch ${this.expressions(scope).whole(1)} {`, ...all.map((line) => `  ${line}`), "}"];
  }

  #loop(scope: Scope, place: Place): string[] {
    const random = this.#random;
    const own = { ...place, loops: place.loops + 1, canBreak: true, canContinue: true };
    const turns = random.whole(2, 4);
    const kind = random.pick(["for", "for", "while", "loop"]);
    const outer = scope.child();
    const i = outer.fresh();
    const isUnsigned = random.chance(0.2);
    outer.add(i, { kind: isUnsigned ? "u32" : "i32" }, false, true);
    const zero = isUnsigned ? "0u" : "0";
    if (kind === "for") {
      const [start, condition, step] = random.pick([
        [zero, `${i} < ${turns}`, `${i}++`],
        [zero, `${i} <= ${turns}`, `${i} += 2`],
        [isUnsigned ? `${turns}u` : turns, `${i} > 0`, `${i}--`],
      ] as const);
      return [`for (var ${i} = ${start}; ${condition}; ${step}) {`, ...this.#inner(outer, own), "}"];
    }
    const begin = `  var ${i} = ${zero};`;
    const body =
      kind === "while"
        ? [`  while ${i} < ${turns} {`, `    ${i}++;`, ...this.#inner(outer, own).map((line) => `  ${line}`), "  }"]
        : this.#endless(outer, own, i, turns).map((line) => `  ${line}`);
    return ["{", begin, ...body, "}"];
  }

  /** Names of its body can be used in `continuing`, where no `continue` jumps over them. */
  #endless(scope: Scope, place: Place, i: string, turns: number): string[] {
    const random = this.#random;
    const body = scope.child();
    const inner = { ...place, depth: place.depth - 1 };
    const isOpen = random.chance(0.5);
    const lines = isOpen
      ? this.block(body, { ...inner, canContinue: false })
      : ["{", ...this.#inner(scope, inner), "}"];
    const continuing = (isOpen ? body : scope).child();
    const change = this.#assignment(continuing, true);
    const isHidden = !continuing.counters().some(({ name }) => name === i);
    if (isHidden) return this.#endless(scope, place, i, turns);
    const last = random.chance(0.5)
      ? [`  break if ${i} >= ${turns} || ${this.expressions(continuing).float(1)} > 2.5;`]
      : [];
    return [
      "loop {",
      `  if ${i} >= ${turns} { break; }`,
      ...lines.map((line) => `  ${line}`),
      "  continuing {",
      `    ${i}++;`,
      `    ${change}`,
      ...last.map((line) => `  ${line}`),
      "  }",
      "}",
    ];
  }

  /** On a condition that seldom holds. */
  #leave(scope: Scope, { result, canBreak, canContinue }: Place): string[] {
    const e = this.expressions(scope);
    const ways = [
      `return ${e.of(result, 2)};`,
      ...(canBreak ? ["break;", "break;"] : []),
      ...(canContinue ? ["continue;", "continue;"] : []),
    ];
    return [
      `if (${e.float(2)} > ${(0.5 + 2 * this.#random.next()).toFixed(2)}) {`,
      `  ${this.#random.pick(ways)}`,
      "}",
    ];
  }
}
