/** A stencil as its kernels and its gradients see it: a function of numbers, and what each of its parameters reads. */
import { WgslError } from "../../base/errors.js";
import type { Outside } from "../check/symbols.js";
import { parse } from "../language/parser.js";
import { SourceText } from "../language/source-text.js";
import { StencilDerivation, type Partial } from "./derivation.js";

/** What is read outside of an array: the nearest element, the one that comes next as on a ring, 0, or another number. */
export type Boundary = "clamp" | "wrap" | "zero" | number;

/** A field, which has a value at each position, or a number, which is the same everywhere. */
export type Input =
  | {
      readonly kind: "field";
      readonly name: string;
      /** Of each value: 1 for a number, 2 to 4 for a vector, which is the array's last axis. */
      readonly components: number;
      readonly boundary: Boundary;
    }
  | { readonly kind: "number"; readonly name: string };

/** What a parameter of the function of numbers is: an input, at an offset from the position where there is one. */
export interface Read {
  readonly input: number;
  readonly offset: readonly number[];
}

/** A text with `fn NAME_forward`, a function of numbers. */
export interface Source {
  readonly wgsl: string;
  readonly name: string;
  readonly dimensions: number;
  /** Components of the result. */
  readonly components: number;
  readonly inputs: readonly Input[];
  readonly reads: readonly Read[];
  /**
   * The inputs, by index, that changes stand in, where the stencil was derived: where all that is read of one of them is
   * exactly 0, so is the result.
   */
  readonly changes: readonly number[];
  /** What it may call that it doesn't declare. */
  readonly outside: Outside;
  /** Says what can't be differentiated in the words that it was written in. */
  readonly refuse: (error: WgslError) => never;
}

export class StencilForm {
  readonly source: Source;
  readonly #partials = new Map<number, Partial>();
  #derivation: StencilDerivation | null = null;

  constructor(source: Source) {
    this.source = source;
  }

  /** The derivative of the function of numbers by one of its parameters. @throws WgslError where there is none. */
  by(parameter: number): Partial {
    let partial = this.#partials.get(parameter);
    if (partial === undefined) {
      this.#partials.set(parameter, (partial = this.#derived((derivation) => derivation.by(parameter))));
    }
    return partial;
  }

  /** The derivatives along all reads of an input, with what they are by. */
  partialsOf(input: number): { readonly read: Read; readonly partial: Partial }[] {
    return this.source.reads.flatMap((read, k) => (read.input === input ? [{ read, partial: this.by(k) }] : []));
  }

  /**
   * What the result changes by as one input does: the stencil of the same inputs, and behind them the change. It is what
   * the gradient by that input is the transpose of, and so the derivative of that gradient.
   */
  along(input: number): StencilForm {
    const { source } = this;
    const { reads, inputs, changes } = source;
    const changing = new Set(reads.flatMap((read, k) => (read.input === input ? [k] : [])));
    const field = inputs[input];
    if (field === undefined) throw new Error("gpugrad bug: an input that isn't there");
    const { wgsl, name, parameters } = this.#derived((derivation) => derivation.along(changing, field.name));
    // Outside of an array, a number is what it is, and doesn't change.
    const isFixed = field.kind === "field" && typeof field.boundary === "number";
    return new StencilForm({
      ...source,
      wgsl,
      name,
      inputs: [...inputs, isFixed ? { ...field, boundary: "zero" } : field],
      reads: parameters.map(({ of, isChange }) => {
        const read = reads[of];
        if (read === undefined) throw new Error("gpugrad bug: a parameter that reads nothing");
        return isChange ? { ...read, input: inputs.length } : read;
      }),
      changes: [...changes.filter((each) => each !== input), inputs.length],
    });
  }

  #derived<T>(derive: (derivation: StencilDerivation) => T): T {
    const { wgsl, name, outside, refuse } = this.source;
    try {
      if (this.#derivation === null) {
        const text = new SourceText(wgsl, name);
        this.#derivation = new StencilDerivation(text, parse(text), name, outside);
      }
      return derive(this.#derivation);
    } catch (error) {
      if (error instanceof WgslError) refuse(error);
      throw error;
    }
  }
}
