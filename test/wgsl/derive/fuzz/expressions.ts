/**
 * Random expressions of each type. They stay smooth and of moderate size: a product has one factor below 1, and
 * functions with edges get operands that keep away from them.
 */
import type { Random } from "./random.js";
import { f32, isSame, show, vector, type Helper, type RandomType, type Scope } from "./scope.js";

export class Expressions {
  readonly #random: Random;
  readonly #scope: Scope;
  readonly #helpers: readonly Helper[];

  constructor(random: Random, scope: Scope, helpers: readonly Helper[]) {
    this.#random = random;
    this.#scope = scope;
    this.#helpers = helpers;
  }

  of(type: RandomType, depth: number): string {
    switch (type.kind) {
      case "f32":
        return this.float(depth);
      case "i32":
        return this.whole(depth);
      case "u32":
        return `u32(abs(${this.whole(depth)}))`;
      case "bool":
        return this.bool(depth);
      case "vector":
        return this.vector(type.size, depth);
      case "matrix":
        return this.matrix(type, depth);
      case "array":
        return this.#known(type, depth) ?? this.#list(show(type), type.count, type.element, depth);
      case "struct": {
        const parts = (): string => type.members.map((member) => this.of(member.type, depth - 1)).join(", ");
        return this.#known(type, depth) ?? `${type.name}(${parts()})`;
      }
    }
  }

  #list(constructor: string, count: number, element: RandomType, depth: number): string {
    return `${constructor}(${Array.from({ length: count }, () => this.of(element, depth - 1)).join(", ")})`;
  }

  /** A part of a variable, or what a helper gives; null by chance and where there is none. */
  #known(type: RandomType, depth: number): string | null {
    const random = this.#random;
    const helpers = this.#helpers.filter((helper) => isSame(helper.type, type));
    if (depth > 0 && helpers.length > 0 && random.chance(0.3)) {
      const { name, parameters } = random.pick(helpers);
      return `${name}(${parameters.map((parameter) => this.of(parameter.type, depth - 1)).join(", ")})`;
    }
    const parts = this.#scope.parts((other) => isSame(other, type));
    // What the inputs go into is worth more than constants.
    const chosen = random.chance(0.9) ? parts.filter(({ name }) => !name.startsWith("rand_")) : parts;
    return chosen.length > 0 && random.chance(0.8) ? random.pick(chosen).name : null;
  }

  number(): string {
    const random = this.#random;
    const text = (random.next() * 4 - 2).toFixed(2);
    return random.pick([`(${text})`, `(${text})`, `(${text}f)`, "0x1p-1", "1.5e-1", ".75"]);
  }

  float(depth: number): string {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.12)) {
      const known = this.#known(f32, 0);
      return known ?? (random.chance(0.3) ? `f32(${this.whole(0)} % 5)` : this.number());
    }
    const known = random.chance(0.15) ? this.#known(f32, depth) : null;
    if (known !== null) return known;
    return random.chance(0.6) ? this.#plain(depth - 1) : this.#composed(depth - 1);
  }

  /** Of a size below 1 or so. */
  small(depth: number): string {
    const f = (): string => this.float(depth - 1);
    return this.#random.one([
      () => `tanh(${f()})`,
      () => `sin(${f()})`,
      () => `math_cos(${f()})`,
      () => `fract(${f()})`,
      () => `math_sigmoid(${f()})`,
      () => `(tanh(${f()}) / (2.0 + abs(${f()})))`,
      () => `saturate(${f()})`,
      () => `exp(-abs(${f()}))`,
      () => "0.75",
    ]);
  }

  #plain(depth: number): string {
    const f = (): string => this.float(depth);
    const small = (): string => this.small(depth);
    return this.#random.one([
      () => `(${f()} + ${f()})`,
      () => `(${f()} - ${f()})`,
      () => `(${f()} * ${small()})`,
      () => `(${small()} * ${f()})`,
      () => `(${f()} / (2.0 + abs(${f()})))`,
      () => `(-${f()})`,
      () => `(${f()} % 1.5)`,
      () => small(),
      () => `sin(${f()})`,
      () => `cos(${f()})`,
      () => `sqrt(1.0 + abs(${f()}))`,
      () => `inverseSqrt(1.5 + abs(${f()}))`,
      () => `log(1.5 + abs(${f()}))`,
      () => `log2(1.25 + abs(${f()}))`,
      () => `exp(${small()})`,
      () => `exp2(${small()})`,
      () => `pow(1.0 + abs(${f()}), ${small()})`,
      () => `atan2(${f()}, 2.0 + abs(${f()}))`,
      () => `atan(${f()})`,
      () => `asin(0.9 * ${small()})`,
      () => `acos(0.9 * ${small()})`,
      () => `asinh(${f()})`,
      () => `acosh(1.5 + abs(${f()}))`,
      () => `atanh(0.8 * ${small()})`,
      () => `sinh(${small()})`,
      () => `cosh(${small()})`,
      () => `tan(0.75 * ${small()})`,
      () => `math_exp(-abs(${f()}))`,
      () => `math_log(2.0 + abs(${f()}))`,
      () => `math_tanh(${f()})`,
      () => `math_erf(${f()})`,
      () => `math_softplus(${f()})`,
      () => `math_pow(1.25 + abs(${f()}), ${small()})`,
      () => `math_atan2(1.0 + abs(${f()}), ${f()})`,
    ]);
  }

  #composed(depth: number): string {
    const f = (): string => this.float(depth);
    const size = this.#random.whole(2, 4);
    const v = (): string => this.vector(size, depth);
    return this.#random.one([
      () => `max(${f()}, ${f()})`,
      () => `min(${f()}, ${f()})`,
      () => `abs(${f()})`,
      () => `clamp(${f()}, -1.5, 1.25)`,
      () => `clamp(${f()}, -1.0 - abs(${f()}), 1.0)`,
      () => `saturate(${f()})`,
      // naga doesn't compute mix and smoothstep of numbers without a type.
      () => `mix(${f()}, f32(${f()}), ${this.small(depth)})`,
      () => `smoothstep(-1.0f, 1.5, ${f()})`,
      () => `smoothstep(-1.0 - abs(${f()}), 1.25f, ${f()})`,
      () => `fma(${f()}, ${this.small(depth)}, ${f()})`,
      () => `select(${f()}, ${f()}, ${this.bool(depth)})`,
      () => `(${f()} + floor(${f()}) * 0.25)`,
      () => `(${f()} + sign(${f()}) * step(${f()}, ${f()}))`,
      () => `fract(${f()})`,
      () => `ldexp(${f()}, ${this.#random.whole(-2, 1)})`,
      () => `(modf(${f()}).fract + modf(${f()}).whole * 0.25)`,
      () => `frexp(1.0 + abs(${f()})).fract`,
      () => `radians(${f()} * 20.0)`,
      () => `(degrees(${f()}) * 0.02)`,
      () => `dot(${v()}, sin(${v()}))`,
      () => `length(${this.#away(size, depth)})`,
      () => `distance(${this.#away(size, depth)}, -${this.#away(size, depth)})`,
      () => `${v()}.${"xyzw".charAt(this.#random.whole(0, size - 1))}`,
      () => `determinant(${this.matrix({ columns: Math.min(size, 3), rows: Math.min(size, 3) }, depth)})`,
      () => `f32(${this.whole(depth)} % 5)`,
      () => `(f32(${this.bool(depth)}) * ${f()})`,
      () => this.#known(f32, depth + 1) ?? f(),
    ]);
  }

  /** A vector that can't be zero. */
  #away(size: number, depth: number): string {
    const parts = Array.from({ length: size - 1 }, () => this.float(depth - 1));
    return `vec${size}f(${[...parts, `1.25 + abs(${this.float(depth - 1)})`].join(", ")})`;
  }

  vector(size: number, depth: number): string {
    const random = this.#random;
    const known = depth <= 0 || random.chance(0.25) ? this.#known(vector(size), depth) : null;
    if (known !== null) return known;
    if (depth <= 0) return this.#made(size, 0);
    return random.chance(0.3) ? this.#made(size, depth) : this.#computed(size, depth - 1);
  }

  #made(size: number, depth: number): string {
    const f = (): string => this.float(depth - 1);
    const name = this.#random.pick([`vec${size}f`, `vec${size}<f32>`]);
    const scalars = (): string => this.#list(name, size, f32, depth);
    if (depth <= 0) return this.#random.one([scalars, () => `${name}(${f()})`]);
    const from = this.#random.whole(2, 4);
    const swizzle = Array.from({ length: size }, () => "xyzw".charAt(this.#random.whole(0, from - 1))).join("");
    return this.#random.one([
      scalars,
      () => `${this.vector(from, depth - 1)}.${swizzle}`,
      () =>
        size === 2
          ? scalars()
          : `${name}(${this.vector(2, depth - 1)}, ${Array(size - 2)
              .fill("0.5")
              .join(", ")})`,
      () => (size === 4 ? `${name}(${f()}, ${this.vector(3, depth - 1)})` : scalars()),
    ]);
  }

  #computed(size: number, depth: number): string {
    const v = (): string => this.vector(size, depth);
    const f = (): string => this.float(depth);
    const unit = (): string => `normalize(${this.#away(size, depth)})`;
    const columns = this.#random.whole(2, 4);
    return this.#random.one([
      () => `(${v()} + ${v()})`,
      () => `(${v()} - ${f()})`,
      () => `(${v()} * tanh(${v()}))`,
      () => `(${this.small(depth)} * ${v()})`,
      () => `(${v()} / (2.0 + abs(${v()})))`,
      () => `(-${v()})`,
      () => `tanh(${v()})`,
      () => `sin(${v()})`,
      () => `exp(-abs(${v()}))`,
      () => `sqrt(1.0 + abs(${v()}))`,
      () => `max(${v()}, ${v()})`,
      () => `min(${v()}, vec${size}f(0.5))`,
      () => `clamp(${v()}, vec${size}f(-1.0), vec${size}f(1.0))`,
      () => `mix(${v()}, ${v()}, ${this.small(depth)})`,
      () => `mix(${v()}, ${v()}, fract(${v()}))`,
      () => `smoothstep(vec${size}f(-1.0), vec${size}f(1.25), ${v()})`,
      () => `select(${v()}, ${v()}, ${this.bool(depth)})`,
      () => `select(${v()}, ${v()}, ${v()} > ${v()})`,
      () => `fma(${v()}, sin(${v()}), ${v()})`,
      () => `modf(${v()}).fract`,
      () => (size === 3 ? `cross(${v()}, sin(${v()}))` : v()),
      unit,
      () => `reflect(${v()}, ${unit()})`,
      () => `refract(${unit()}, ${unit()}, 0.75)`,
      () => `faceForward(${v()}, ${v()}, ${v()})`,
      () => `(${this.matrix({ columns, rows: size }, depth)} * ${this.vector(columns, depth)})`,
      () => `(${this.vector(columns, depth)} * ${this.matrix({ columns: size, rows: columns }, depth)})`,
      () => this.#known(vector(size), depth + 1) ?? v(),
    ]);
  }

  matrix({ columns, rows }: { columns: number; rows: number }, depth: number): string {
    const type: RandomType = { kind: "matrix", columns, rows };
    const known = this.#known(type, depth);
    if (known !== null) return known;
    const m = (): string => this.matrix(type, depth - 1);
    const name = show(type);
    const numbers = (): string =>
      `${name}(${Array.from({ length: columns * rows }, () => (this.#random.chance(0.5) ? "0.5" : this.small(0))).join(", ")})`;
    const byColumns = (): string =>
      `${name}(${Array.from({ length: columns }, () => `sin(${this.vector(rows, depth - 1)})`).join(", ")})`;
    if (depth <= 0) return this.#random.one([numbers, byColumns]);
    return this.#random.one([
      byColumns,
      () => `(${m()} + ${m()})`,
      () => `(${m()} - ${m()})`,
      () => `(${this.small(depth - 1)} * ${m()})`,
      () => `(${m()} * ${this.small(depth - 1)})`,
      () => `transpose(${this.matrix({ columns: rows, rows: columns }, depth - 1)})`,
      () => `(${this.matrix({ columns: rows, rows }, depth - 1)} * ${m()})`,
    ]);
  }

  /** Of type i32. */
  whole(depth: number): string {
    const random = this.#random;
    const counters = this.#scope.counters();
    const known = this.#known({ kind: "i32" }, depth);
    if (known !== null && random.chance(0.3)) return known;
    if (counters.length > 0 && random.chance(0.5)) {
      const { name, type } = random.pick(counters);
      return type.kind === "u32" ? `i32(${name})` : name;
    }
    if (depth <= 0) return `i32(${random.whole(0, 4)})`;
    const n = (): string => this.whole(depth - 1);
    return random.one([
      () => `i32(${this.float(depth - 1)} * 2.0)`,
      () => `(${n()} + ${n()})`,
      () => `(${n()} % 3 - 1)`,
      () => `(${n()} / 2)`,
      () => `(${n()} & 3)`,
      () => `((${n()} & 7) << 1u)`,
      () => `select(${n()}, ${n()}, ${this.bool(depth - 1)})`,
      () => `min(${n()}, ${n()})`,
    ]);
  }

  bool(depth: number): string {
    const random = this.#random;
    const known = this.#known({ kind: "bool" }, depth);
    if (known !== null && random.chance(0.3)) return known;
    const f = (): string => this.float(depth - 1);
    const compare = (): string => `(${f()} ${random.pick(["<", ">", "<=", ">="])} ${f()})`;
    if (depth <= 0) return compare();
    const b = (): string => this.bool(depth - 1);
    const v = (): string => this.vector(3, depth - 1);
    return random.one([
      compare,
      compare,
      compare,
      () => `(${this.whole(depth - 1)} % 2 == 0)`,
      () => `(${b()} && ${b()})`,
      () => `(${b()} || ${b()})`,
      () => `(${b()} & ${b()})`,
      () => `!${b()}`,
      () => `any(${v()} < ${v()})`,
      () => `all(${v()} > ${v()})`,
    ]);
  }
}
