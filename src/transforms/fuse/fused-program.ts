/** Runs a traced program: in pieces, each of which is one node of the graph with a shader forward and one backward. */
import { at } from "../../base/assert.js";
import { FuseError } from "../../base/errors.js";
import { Elementwise, type Derivative } from "../../elementwise/elementwise.js";
import { ElementwiseShaders } from "../../elementwise/shaders.js";
import { currentDevice } from "../../gpu/current.js";
import { tracing } from "../../graph/function.js";
import type { Variable } from "../../graph/variable.js";
import type { Shape } from "../../base/shape.js";
import type { MathMode } from "../../wgsl/math.js";
import type { ElementwiseSource } from "../../wgsl/source.js";
import { weightOf } from "../../wgsl/weight.js";
import { cut, type Weigh } from "./cut.js";
import type { Program } from "./program.js";
import { Dependencies } from "./shapes.js";
import { SymbolVariable } from "./symbol.js";
import { sourceOf } from "./text.js";

/**
 * The most symbols of WGSL in one piece, forward and backward, with all that is inlined: two exact sines, or a hundred
 * products. And the most arrays in one piece on a device that could bind more. Measured in software on 20 turns with a sine
 * and four sums and products each, first call forward and backward: 13 s at half of this, 10 s, 19 s at twice this.
 */
const mostWeight = 4200;
const mostArrays = 15;

/** Numbers the pieces, for their names. */
let count = 0;

export class FusedProgram {
  readonly #program: Program;
  readonly #captured: readonly Variable[];
  readonly #dependencies: Dependencies;
  /** By the pattern of the inputs' shapes. */
  readonly #plans = new Map<string, readonly Piece[]>();
  readonly #compiled: Map<string, Compiled>;

  /**
   * @param captured the program's last inputs, which aren't given at a call
   * @param compiled what is compiled already, by its text: loops make pieces that are the same
   */
  constructor(program: Program, captured: readonly Variable[], compiled = new Map<string, Compiled>()) {
    this.#program = program;
    this.#captured = captured;
    for (const variable of captured) variable.keepIfTemporary();
    this.#compiled = compiled;
    this.#dependencies = new Dependencies(program);
  }

  call(args: readonly Variable[]): readonly Variable[] {
    const inputs = [...args, ...this.#captured];
    if (tracing.current !== null) return this.#program.unfold(inputs);
    if (this.#captured.some((variable) => variable instanceof SymbolVariable)) {
      throw new FuseError(
        "fuse: an operand of another fused function is used, kept from when that was traced: give it as an operand",
      );
    }
    const values = new Map<Variable, Variable>(this.#program.inputs.map((input, k) => [input, at(inputs, k)]));
    const valueOf = (variable: Variable): Variable => values.get(variable) ?? variable;
    /** Written by one piece for another. */
    const crossing: Variable[] = [];
    const results = new Set(this.#program.outputs);
    try {
      for (const piece of this.#piecesFor(inputs.map(({ shape }) => shape))) {
        const node = new FusedNode(piece);
        node.call(...piece.program.inputs.map(valueOf));
        piece.program.outputs.forEach((output, k) => {
          const value = at(node.outputs, k);
          values.set(output, value);
          if (!results.has(output)) crossing.push(value);
        });
      }
    } finally {
      // What the graph needs, it holds, and computes again where it was given back in between.
      for (const variable of crossing) {
        if (variable.creator === null) variable.dispose();
        else variable.letGo();
      }
    }
    return this.#program.outputs.map(valueOf);
  }

  /** The WGSL of a call with inputs of one shape. */
  get wgsl(): string {
    return this.#usualPieces()
      .map(({ source }) => source.wgsl)
      .join("\n\n");
  }

  async prepare(): Promise<void> {
    await Promise.all(this.#usualPieces().map(({ shaders }) => shaders.prepare()));
  }

  #usualPieces(): readonly Piece[] {
    return this.#piecesFor(this.#program.inputs.map(() => [2]));
  }

  #piecesFor(shapes: readonly Shape[]): readonly Piece[] {
    const classes = this.#dependencies.classesFor(shapes);
    const { limits, math } = currentDevice();
    const arrays = Math.min(limits.maxStorageBuffersPerShaderStage - 1, mostArrays);
    const key = `${classes.key};${arrays};${math}`;
    let pieces = this.#plans.get(key);
    if (pieces === undefined) {
      pieces = cut(this.#program, classes, weigherFor(math), { weight: mostWeight, arrays }).map(
        (program) => new Piece(program, this.#compiled),
      );
      this.#plans.set(key, pieces);
    }
    return pieces;
  }
}

/** What it takes to compile a function, forward and backward: the symbols of its WGSL with all that it calls. */
function weigherFor(math: MathMode): Weigh {
  const weights = new Map<ElementwiseSource, Record<"forward" | "backward", number>>();
  return ({ source, output }) => {
    let weight = weights.get(source);
    if (weight === undefined) {
      const { name, wgsl } = source;
      weight = {
        forward: weightOf(wgsl, `${name}_forward`, math),
        backward: weightOf(wgsl, `${name}_backward`, math),
      };
      weights.set(source, weight);
    }
    return weight.forward + (output.requiresGrad ? weight.backward : 0);
  };
}

interface Compiled {
  readonly source: ElementwiseSource;
  readonly shaders: ElementwiseShaders;
}

/** A part of a traced program that is one shader forward and one backward. */
class Piece {
  readonly program: Program;
  readonly source: ElementwiseSource;
  readonly shaders: ElementwiseShaders;
  readonly #compiled: Map<string, Compiled>;
  #differentiated: DerivedPiece | Elementwise | null = null;

  constructor(program: Program, compiled: Map<string, Compiled>) {
    this.program = program;
    this.#compiled = compiled;
    const text = sourceOf(program, "fused").wgsl;
    let known = compiled.get(text);
    if (known === undefined) {
      const source = sourceOf(program, `fused${++count}`);
      const isOurs = program.nodes.every(({ traits }) => traits.origin === "library");
      known = {
        source,
        shaders: new ElementwiseShaders(source, { origin: isOurs ? "library" : "scalar", keepsZero: true }),
      };
      compiled.set(text, known);
    }
    ({ source: this.source, shaders: this.shaders } = known);
  }

  /**
   * The gradients of the inputs from those of the outputs, fused again; null where one of the functions has no derivative,
   * so that they come from the backward shader and can't be differentiated.
   */
  get derivative(): Derivative | null {
    const derived = this.#derived();
    if (derived instanceof Elementwise) return null;
    return (...operands) => {
      const { inputs, outputs } = this.program;
      const results = derived.run.call(operands.slice(0, outputs.length + inputs.length));
      const gradients = new Map(derived.indices.map((index, k) => [index, at(results, k)]));
      return inputs.map((_, index) => gradients.get(index) ?? null);
    };
  }

  /** The function for which there is no derivative; null where there is one. */
  get lacking(): Elementwise | null {
    const derived = this.#derived();
    return derived instanceof Elementwise ? derived : null;
  }

  #derived(): DerivedPiece | Elementwise {
    if (this.#differentiated === null) {
      const found = this.program.differentiated();
      this.#differentiated =
        found instanceof Elementwise
          ? found
          : { run: new FusedProgram(found.program, found.captured, this.#compiled), indices: found.indices };
    }
    return this.#differentiated;
  }
}

interface DerivedPiece {
  readonly run: FusedProgram;
  /** Of the inputs that have a gradient. */
  readonly indices: readonly number[];
}

/** A piece of a fused function in the graph. */
export class FusedNode extends Elementwise {
  readonly #piece: Piece;

  constructor(piece: Piece) {
    super(piece.source, piece.shaders, null);
    this.#piece = piece;
  }

  override get name(): string {
    return "Fused";
  }

  /** Made when it is asked for first: most functions are never differentiated twice. */
  override get derivative(): Derivative | null {
    return this.#piece.derivative;
  }

  override get backwardName(): string {
    return this.#piece.lacking?.name ?? this.name;
  }

  override again(): FusedNode {
    return new FusedNode(this.#piece);
  }

  /**
   * Runs the functions that were fused one by one, on these inputs (as many as `inputs`): the same results, with a graph
   * of their own where the inputs need gradients. For those who look inside, as for the first NaN.
   *
   * @param isWhole as for `Program.unfold`
   * @internal
   */
  unfold(inputs: readonly Variable[], isWhole: boolean): readonly Variable[] {
    return this.#piece.program.unfold(inputs, isWhole);
  }
}
