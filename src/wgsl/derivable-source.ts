/** A source whose gradient is derived from its forward, when it is first asked for. */
import { WgslError } from "../base/errors.js";
import { Derivation, type Derived } from "./derive/derive.js";
import { asWritten } from "./exact-calls.js";
import {
  gradientType,
  oneByOne,
  type DerivedGradient,
  type Direction,
  type ElementwiseSource,
  type Outputs,
} from "./source.js";

export class DerivableSource implements ElementwiseSource {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: number;
  readonly packed: string | null;
  readonly differentiable = true;
  readonly gradientType: string;
  readonly gradientReads = null;
  readonly derived: DerivedGradient;
  readonly #text: string;
  #derivation: Derivation | null = null;
  #gradient: Derived | WgslError | null = null;

  /**
   * @param text that has passed the check
   * @param results what its forward gives
   * @param helpers functions in it that the user's source doesn't have, by name: the gradient brings those that it calls
   */
  constructor(
    text: string,
    name: string,
    inputs: readonly string[],
    { outputs, packed }: Outputs,
    helpers: ReadonlyMap<string, string>,
  ) {
    this.name = name;
    this.outputs = outputs;
    this.packed = packed;
    this.inputs = inputs;
    this.gradientType = gradientType(inputs.length);
    this.#text = text;
    const wgsl = (): string => {
      const own = this.#backward().wgsl;
      const called = [...helpers].flatMap(([helper, body]) => (own.includes(`${helper}(`) ? [body] : []));
      return asWritten([...called, own].join("\n\n"));
    };
    this.derived = {
      get wgsl() {
        return wgsl();
      },
      by: (input, output) => this.#source().by(input, output),
      reaches: (input, output) => this.#source().reaches(input, output),
    };
  }

  /** Where nothing can be derived, any of them may be needed: why it can't be is told when it is to run. */
  get backward(): readonly string[] {
    const gradient = this.#found();
    const parameters = gradient instanceof WgslError ? [...this.inputs, "gy"] : gradient.parameters;
    return oneByOne(parameters, this);
  }

  get wgsl(): string {
    const gradient = this.#found();
    return gradient instanceof WgslError ? this.#text : `${this.#text}\n\n${gradient.wgsl}`;
  }

  textFor(direction: Direction): string {
    return direction === "forward" ? this.#text : `${this.#text}\n\n${this.#backward().wgsl}`;
  }

  #source(): Derivation {
    return (this.#derivation ??= new Derivation(this.#text, this.name));
  }

  #backward(): Derived {
    const gradient = this.#found();
    if (gradient instanceof WgslError) throw gradient;
    return gradient;
  }

  #found(): Derived | WgslError {
    if (this.#gradient !== null) return this.#gradient;
    try {
      this.#gradient = this.#source().backward();
    } catch (error) {
      if (!(error instanceof WgslError)) throw error;
      this.#gradient = error;
    }
    return this.#gradient;
  }
}
