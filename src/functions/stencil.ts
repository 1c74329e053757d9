/** `stencil`: a user's own function of a position and its neighbours, from its WGSL. */
import { checkNumber, checkObject, checkOperands } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { describe } from "../base/describe.js";
import { ArgumentError } from "../base/errors.js";
import { StencilShaders } from "../elementwise/stencil-shaders.js";
import type { GpuArray } from "../gpu/array.js";
import { Function, type NodeClass } from "../graph/function.js";
import { gradEnabled } from "../graph/grad-mode.js";
import type { Operand, Variable } from "../graph/variable.js";
import { asWritten } from "../wgsl/exact-calls.js";
import type { Boundary, StencilForm } from "../wgsl/stencil/form.js";
import { parseStencil } from "../wgsl/stencil/parse-stencil.js";
import { readsOfGradients } from "../wgsl/stencil/turned.js";

export type { Boundary } from "../wgsl/stencil/form.js";

/** Of `stencil`. */
export interface StencilOptions {
  /** How many axes a field has, and so how many offsets each read: 1 to 3. */
  readonly dimensions: number;
  /**
   * What is read beyond the border: the nearest cell ("clamp"), the next one round a ring ("wrap"), 0 ("zero"), or another
   * number. One for all fields, or one for each by name.
   */
  readonly boundary: Boundary | Readonly<Record<string, Boundary>>;
}

/** A function of fields and numbers. */
export interface StencilFunction<Inputs extends readonly Operand[] = Operand[]> {
  (...inputs: Inputs): Variable;
  /** The class whose instances are nodes of the graph: `new heat.Node().call(u)` is `heat(u)`. */
  readonly Node: NodeClass<Function>;
  /** The WGSL it was made from. */
  readonly wgsl: string;
  /**
   * The derivatives by each read, as they were derived: to read.
   *
   * @throws WgslError, with the line, where the source can't be differentiated.
   */
  readonly gradient: string;
  /** Compiles the usual shaders ahead, so that a first call doesn't wait. */
  prepare(): Promise<void>;
}

/**
 * A differentiable function of a position, from WGSL that reads neighbours: `fn NAME_forward(u: field, …) -> f32`. A field is
 * an array with as many axes as there are dimensions; `u(1, 0)` is its value one step on along the first axis (the next
 * row), `u(0, -1)` one step back along the second. Offsets are constants. A `field<vec2f>` (or vec3f, vec4f) has its
 * components in one more axis, the last, and so has a result that is a vector. A parameter `dt: f32` is the same at every
 * position: a number, or an array of one element. `position()` and `extent()` give where a position is and how long
 * the axes are: i32 in one dimension, else vec2i or vec3i.
 *
 * The gradients are derived from the source, to any order, by turning the reads round: each cell gathers what it gave. They
 * are the same numbers every time. Else it is as `elementwise`: what else is declared in the source begins with `NAME_`, a loop
 * is differentiated as it ran, where the gradient that arrives is exactly 0 nothing flows back.
 *
 * @throws ArgumentError; WgslError (with line and column) where the source isn't of this form. A call throws ShapeError where
 * fields have other axes or not the same extent, LimitError where an array is larger than one binding may be. It can't be
 * part of what `fuse` makes one shader of.
 * @example
 * const heat = stencil(`
 *   fn heat_forward(u: field, k: field) -> f32 {
 *     return u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) + u(0, 1) + u(0, -1) - 4.0 * u(0, 0));
 *   }`, { dimensions: 2, boundary: "wrap" });
 * const u = new Variable([[0, 0, 0], [0, 1, 0], [0, 0, 0]]);
 * const k = new Variable(new Float32Array(9).fill(0.125), { shape: [3, 3] });
 * const y = heat(u, k);
 * await y.read(); // [0, 0.125, 0, 0.125, 0.5, 0.125, 0, 0.125, 0]
 * y.backward();
 * await k.grad.read(); // [0, 1, 0, 1, -4, 1, 0, 1, 0]
 */
export function stencil<Inputs extends readonly Operand[] = Operand[]>(
  wgsl: string,
  options: StencilOptions,
): StencilFunction<Inputs> {
  const { dimensions, boundary } = checkObject(options, "stencil's options");
  checkNumber(dimensions, 1, 3, true, "stencil: dimensions");
  const form = parseStencil(wgsl, dimensions, boundaries(boundary));
  checkNames(boundary, form);
  const program = new Program(form);
  const { name } = form.source;
  // Named by computed key, so that graphs and errors show "Heat" whatever a minifier does to classes.
  const className = name.charAt(0).toUpperCase() + name.slice(1);
  const { [className]: Node } = {
    [className]: class extends Stencil {
      constructor() {
        super(program);
      }
    },
  };
  if (Node === undefined) throw new Error("gpugrad bug: no class");
  const apply = (...inputs: Inputs): Variable => new Node().call(...inputs);
  const own = { Node, wgsl, gradient: "", prepare: () => program.shaders.prepare() };
  return Object.defineProperty(Object.assign(apply, own), "gradient", { get: () => program.gradient });
}

/** What is read outside of each field. @throws ArgumentError. */
function boundaries(given: unknown): (field: string) => Boundary {
  if (typeof given !== "object" || given === null) {
    const one = checkBoundary(given, "stencil: boundary");
    return () => one;
  }
  const all = new Map(Object.entries(given));
  return (field) => {
    if (all.has(field)) return checkBoundary(all.get(field), `stencil: the boundary of ${field}`);
    throw new ArgumentError(`stencil: ${field} has no boundary: give one for each field, or one for all`);
  };
}

/** @throws ArgumentError where a boundary is given for what is no field. */
function checkNames(boundary: StencilOptions["boundary"], { source }: StencilForm): void {
  const fields = source.inputs.flatMap(({ kind, name }) => (kind === "field" ? [name] : []));
  const other = typeof boundary === "object" ? Object.keys(boundary).find((name) => !fields.includes(name)) : undefined;
  if (other === undefined) return;
  throw new ArgumentError(`stencil: a boundary is given for ${other}, and the fields are ${fields.join(", ")}`);
}

function checkBoundary(value: unknown, what: string): Boundary {
  if (value === "clamp" || value === "wrap" || value === "zero") return value;
  if (typeof value === "number" && Number.isFinite(Math.fround(value))) return value;
  throw new ArgumentError(`${what} must be "clamp", "wrap", "zero" or a number that is finite, not ${describe(value)}`);
}

/** A stencil, its shaders, and the stencils that it changes by. */
class Program {
  readonly form: StencilForm;
  readonly shaders: StencilShaders;
  readonly #along = new Map<number, Program>();

  constructor(form: StencilForm) {
    this.form = form;
    this.shaders = new StencilShaders(form);
  }

  get gradient(): string {
    const { reads } = this.form.source;
    return asWritten(reads.map((_, k) => this.form.by(k).wgsl).join("\n"));
  }

  /** What the result changes by as an input does: a stencil of the inputs, and the change behind them. */
  along(input: number): Program {
    let along = this.#along.get(input);
    if (along === undefined) this.#along.set(input, (along = new Program(this.form.along(input))));
    return along;
  }

  apply(inputs: readonly Variable[]): GpuArray | Variable {
    return gradEnabled() ? new Stencil(this).call(...inputs) : this.shaders.forward(inputs.map(({ array }) => array));
  }

  /**
   * The gradients of those of the first inputs that need one: made of Functions under createGraph, else of one shader.
   */
  gradients(gy: Variable, inputs: readonly Variable[], count = inputs.length): (GpuArray | Variable | null)[] {
    const own = inputs.slice(0, count);
    const wanted = wantedOf(own);
    if (gradEnabled()) {
      return own.map((_, k) => (wanted.includes(k) ? new Turned(this, k).call(gy, ...inputs) : null));
    }
    const arrays = inputs.map(({ array }) => array);
    const written = wanted.length === 0 ? [] : this.shaders.gradients(gy.array, arrays, wanted);
    return own.map((_, k) => (wanted.includes(k) ? at(written, wanted.indexOf(k)) : null));
  }
}

/** The inputs, by index, that need a gradient. */
function wantedOf(inputs: readonly Variable[]): number[] {
  return inputs.flatMap(({ requiresGrad }, k) => (requiresGrad ? [k] : []));
}

/** One call of a stencil. */
class Stencil extends Function {
  readonly #program: Program;
  override readonly givesFreshGradients = true;

  constructor(program: Program) {
    super();
    this.#program = program;
  }

  override get name(): string {
    return this.constructor === Stencil ? this.#program.form.source.name : super.name;
  }

  override get wgsl(): string {
    return this.#program.shaders.whole().source(this.math);
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(...inputs: GpuArray[]): GpuArray {
    const { source } = this.#program.form;
    const names = source.inputs.map(({ name }) => name);
    checkOperands(source.name, names, inputs.length);
    return this.#program.shaders.forward(inputs);
  }

  override backward(gy: Variable): (GpuArray | Variable | null)[] {
    return this.#program.gradients(gy, this.inputs);
  }

  override backwardReads(k: number): boolean {
    if (k >= this.inputs.length) return false;
    return readsOfGradients(this.#program.form, wantedOf(this.inputs)).has(k);
  }
}

/**
 * The gradient of one input: linear in that of the output, and its transpose. So, as <h, gradient(g)> is <along(h), g> for
 * every h, its own derivatives are those of the stencil along that input: by g that stencil itself, by an input the gradient
 * of that.
 */
class Turned extends Function {
  readonly #program: Program;
  readonly #input: number;
  override readonly givesFreshGradients = true;

  constructor(program: Program, input: number) {
    super();
    this.#program = program;
    this.#input = input;
  }

  override get name(): string {
    const { name, inputs } = this.#program.form.source;
    return `${name}.gradient.${inputs[this.#input]?.name ?? ""}`;
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(gy: GpuArray, ...inputs: GpuArray[]): GpuArray {
    return at(this.#program.shaders.gradients(gy, inputs, [this.#input]), 0);
  }

  override backward(change: Variable): (GpuArray | Variable | null)[] {
    const [gy, ...inputs] = this.inputs;
    if (gy === undefined) throw new Error("gpugrad bug: a gradient of nothing");
    const along = this.#program.along(this.#input);
    const operands = [...inputs, change];
    const byGradient = gy.requiresGrad ? along.apply(operands) : null;
    const byInputs = along.gradients(gy, operands, inputs.length);
    return [byGradient, ...byInputs];
  }

  override backwardReads(k: number): boolean {
    return k < this.inputs.length;
  }
}
