/** Names in what is made: none is another's, neither of the source, nor of WGSL. */
import { isBuiltin } from "../check/builtins.js";
import { whyNoName } from "../language/words.js";

/** Names of WGSL that a source may give another meaning, and that are used in what is made. */
const types = /^(?:bool|[fiu]32|vec[234][fiu]?|mat[234]x[234]f?|array)$/;

export class Names {
  /** All that a source names anything. */
  readonly #source: ReadonlySet<string>;
  readonly #taken: Set<string>;

  /** @param taken the names that stand for something already, and stay what they are */
  constructor(source: ReadonlySet<string>, taken: Iterable<string>) {
    this.#source = source;
    this.#taken = new Set(taken);
  }

  /** The source's own name for something, with a number behind it where something else is called so. */
  own(name: string): string {
    if (this.#taken.has(name) || isOther(name)) return this.fresh(name);
    this.#taken.add(name);
    return name;
  }

  /** A name that the source doesn't have. */
  fresh(base: string): string {
    let name = base;
    for (let k = 1; this.#source.has(name) || this.#taken.has(name) || isOther(name); k++) {
      name = `${base}_${k}`;
    }
    this.#taken.add(name);
    return name;
  }
}

/** Whether a name means something else in WGSL, or can't be one. */
function isOther(name: string): boolean {
  return isBuiltin(name) || types.test(name) || whyNoName(name) !== null;
}
