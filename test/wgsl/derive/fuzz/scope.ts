/** Types of random programs, and the names that can be seen from a place. */
import type { Random } from "./random.js";

export type RandomType =
  | { readonly kind: "f32" | "i32" | "u32" | "bool" }
  | { readonly kind: "vector"; readonly size: number }
  | { readonly kind: "matrix"; readonly columns: number; readonly rows: number }
  | { readonly kind: "array"; readonly element: RandomType; readonly count: number }
  | { readonly kind: "struct"; readonly name: string; readonly members: readonly Named[] };

export interface Named {
  readonly name: string;
  readonly type: RandomType;
}

export interface Visible extends Named {
  readonly canChange: boolean;
  /** A counter of turns: never negative, and small. */
  readonly isCounter: boolean;
}

export interface Helper extends Named {
  readonly parameters: readonly Named[];
}

export const f32: RandomType = { kind: "f32" };
export const vector = (size: number): RandomType => ({ kind: "vector", size });

export function show(type: RandomType): string {
  switch (type.kind) {
    case "vector":
      return `vec${type.size}f`;
    case "matrix":
      return `mat${type.columns}x${type.rows}f`;
    case "array":
      return `array<${show(type.element)}, ${type.count}>`;
    case "struct":
      return type.name;
    default:
      return type.kind;
  }
}

/** Names as people give them, among them those that a differentiator would like to have for itself. */
const names = (
  "d_x t y0 gy tangent x dx d_a d_t s value result y da g a b r q z w acc v d_y d_v dual gx partial one zero x_1 t0 t_1 " +
  "y_0 d tmp grad derivative input output p u k"
).split(" ");

export class Scope {
  readonly #random: Random;
  readonly #visible: Visible[];
  /** What this block itself declares. */
  readonly #own = new Set<string>();

  constructor(random: Random, visible: readonly Visible[] = []) {
    this.#random = random;
    this.#visible = [...visible];
  }

  child(): Scope {
    return new Scope(this.#random, this.#visible);
  }

  get visible(): readonly Visible[] {
    return this.#visible;
  }

  /** A name that this block can declare; by chance it hides one from outside. */
  fresh(): string {
    for (let tries = 0; tries < 20; tries++) {
      const name = this.#random.pick(names);
      if (!this.#own.has(name) && (tries > 5 || !this.#visible.some((other) => other.name === name))) return name;
      if (!this.#own.has(name) && this.#random.chance(0.2)) return name;
    }
    return `n${this.#visible.length}_${this.#random.whole(0, 1e6)}`;
  }

  add(name: string, type: RandomType, canChange = false, isCounter = false): void {
    const hidden = this.#visible.findIndex((other) => other.name === name);
    if (hidden >= 0) this.#visible.splice(hidden, 1);
    this.#own.add(name);
    this.#visible.push({ name, type, canChange, isCounter });
  }

  counters(): Visible[] {
    return this.#visible.filter((variable) => variable.isCounter);
  }

  /** An index below `count`, known beforehand or not. */
  index(count: number): string {
    const counters = this.counters();
    if (counters.length === 0 || this.#random.chance(0.4)) return String(this.#random.whole(0, count - 1));
    const { name, type } = this.#random.pick(counters);
    const by = type.kind === "u32" ? `${count}u` : String(count);
    return this.#random.chance(0.3) ? `(${name} + 1) % ${by}` : `${name} % ${by}`;
  }

  /** All parts of visible variables that have a type which `wants` accepts, as they are written. */
  parts(wants: (type: RandomType) => boolean, canChange = false): Named[] {
    return this.#visible
      .filter((variable) => !variable.isCounter && (variable.canChange || !canChange))
      .flatMap(({ name, type }) => this.#within(name, type))
      .filter(({ type }) => wants(type));
  }

  #within(name: string, type: RandomType): Named[] {
    const inner = (text: string, of: RandomType): Named[] => this.#within(`${name}${text}`, of);
    switch (type.kind) {
      case "vector": {
        const component = this.#random.pick(["xyzw", "rgba"]).charAt(this.#random.whole(0, type.size - 1));
        return [{ name, type }, ...inner(`.${component}`, f32), ...inner(`[${this.index(type.size)}]`, f32)];
      }
      case "matrix":
        return [{ name, type }, ...inner(`[${this.index(type.columns)}]`, vector(type.rows))];
      case "array":
        return [{ name, type }, ...inner(`[${this.index(type.count)}]`, type.element)];
      case "struct":
        return [{ name, type }, ...type.members.flatMap((member) => inner(`.${member.name}`, member.type))];
      default:
        return [{ name, type }];
    }
  }
}

export function isSame(a: RandomType, b: RandomType): boolean {
  return show(a) === show(b);
}
