/** From a function's WGSL to its kernels, and how operands of other shapes are read by them. */
import { at } from "../base/assert.js";
import { LimitError } from "../base/errors.js";
import { GpuArray } from "../gpu/array.js";
import { Kernel } from "../gpu/kernel.js";
import { gather, isLarge } from "./gather.js";
import { sizeOf, stridesOf, type Shape } from "../base/shape.js";
import { harness, layoutWords, workgroupSize, type Access, type Parameter } from "../wgsl/harness.js";
import { referenceOf, type ElementwiseSource, type Reference } from "../wgsl/source.js";

/** An array, and for each axis of the result how many of its elements one step along that axis skips. */
export interface Read {
  readonly array: GpuArray;
  readonly strides: readonly number[];
  /**
   * Whether the number 1 is worth a shader of its own: where it is the gradient that a pass starts from. Read from a uniform
   * it costs a tenth of the time of a fused backward of 2^24 elements.
   */
  readonly foldsOne?: boolean;
}

/** The strides of an array that has the result's shape: every element in turn. */
export const everyElement: readonly number[] = [];

/** What is known of a source beyond its text. */
export interface OwnSource {
  /** The library's own WGSL, which is known to compile. */
  readonly trusted: boolean;
  /** The inputs, by index, whose gradient is the output's as it is: no shader writes it. */
  readonly passes?: readonly number[];
}

/** The kernels of one function, made when they are needed: for each way the operands are read, and what is written. */
export class Shaders {
  readonly #source: ElementwiseSource;
  readonly trusted: boolean;
  readonly passes: readonly number[];
  /** What the backward's parameters stand for; null where there is no backward. */
  readonly references: readonly Reference[] | null;
  readonly #kernels = new Map<string, Kernel>();

  constructor(source: ElementwiseSource, { trusted, passes = [] }: OwnSource) {
    this.#source = source;
    this.trusted = trusted;
    this.passes = passes;
    this.references = source.backward?.map((parameter) => referenceOf(parameter, source.inputs)) ?? null;
  }

  forward(accesses: readonly Access[]): Kernel {
    const { inputs, outputs } = this.#source;
    return this.#kernel(accesses.join(), "forward", inputs, accesses, () => resultsOf(outputs));
  }

  /** The forward of whole arrays of one shape. */
  whole(): Kernel {
    return this.forward(this.#source.inputs.map(() => "full"));
  }

  /** @param wanted the inputs that need a gradient, by index */
  backward(accesses: readonly Access[], wanted: readonly number[]): Kernel {
    const { inputs, backward } = this.#source;
    const results = (): string[] => resultsOf(inputs.length).filter((_, index) => wanted.includes(index));
    return this.#kernel(`${accesses.join()};${wanted.join()}`, "backward", backward ?? [], accesses, results);
  }

  /** Compiles what a graph of whole arrays needs, from ones, from a sum's gradient and from another one. */
  async prepare(): Promise<void> {
    const { inputs, backward } = this.#source;
    const kernels = [this.whole()];
    if (backward !== null) {
      const all = inputs.map((_, index) => index);
      for (const gy of ["full", "one", "scalar"] as const) {
        kernels.push(
          this.backward(
            backward.map((parameter) => (parameter.startsWith("gy") ? gy : "full")),
            all,
          ),
        );
      }
    }
    await Promise.all(kernels.map((kernel) => kernel.prepare()));
  }

  #kernel(
    key: string,
    direction: "forward" | "backward",
    names: readonly string[],
    accesses: readonly Access[],
    resultsFor: () => readonly string[],
  ): Kernel {
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      const { name } = this.#source;
      const call = `${name}_${direction}`;
      const parameters = names.map((each, index): Parameter => ({ name: each, access: at(accesses, index) }));
      const { wgsl, bindings, sourceLine } = harness(this.#source.wgsl, call, parameters, resultsFor());
      kernel = new Kernel(
        { name: call, wgsl, bindings, workgroupSize },
        {
          origin: this.trusted ? "library" : "scalar",
          padded: true,
          windows: !accesses.includes("strided"),
          firstLine: sourceLine,
          role: { name, direction },
        },
      );
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }
}

/** The parts of what a function returned, `r`: itself, or its elements. */
function resultsOf(count: number): string[] {
  return count === 1 ? ["r"] : Array.from({ length: count }, (_, k) => `r[${k}]`);
}

/** How each operand is read, which decides what shader is needed. */
export function accessesOf(reads: readonly Read[], shape: Shape): Access[] {
  return reads.map(({ array, strides, foldsOne = false }) => {
    if (array.constant !== null) return array.constant === 1 && foldsOne ? "one" : "constant";
    if (array.element !== null) return "scalar";
    if (strides === everyElement) return "full";
    const whole = stridesOf(shape);
    if (array.size === sizeOf(shape) && shape.every((length, axis) => length === 1 || strides[axis] === whole[axis])) {
      return "full";
    }
    return array.size === 1 ? "scalar" : "strided";
  });
}

/** One dispatch that writes `outputs` arrays of this shape. Where all elements come out the same, it writes one of them. */
export function run(
  kernelFor: (accesses: Access[]) => Kernel,
  reads: readonly Read[],
  shape: Shape,
  outputs: number,
): GpuArray[] {
  if (sizeOf(shape) <= 1 || !reads.every(({ array }) => array.constant !== null || array.element !== null)) {
    return runWhole(kernelFor, reads, shape, outputs);
  }
  return runWhole(kernelFor, reads, [1], outputs).map((element) => {
    const repeated = GpuArray.repeat(element, shape);
    element.release();
    return repeated;
  });
}

function runWhole(
  kernelFor: (accesses: Access[]) => Kernel,
  reads: readonly Read[],
  shape: Shape,
  outputs: number,
): GpuArray[] {
  const accesses = accessesOf(reads, shape);
  if (accesses.includes("strided") && isTooLarge(reads, shape)) return runInOrder(kernelFor, reads, shape, outputs);
  const kernel = kernelFor(accesses);
  const isConstant = reads.some(({ array }) => array.constant !== null);
  const arrays = isConstant ? reads.filter(({ array }) => array.constant === null) : reads;
  const uniforms: (Float32Array | Uint32Array)[] = [];
  for (const [index, { array }] of isConstant ? reads.entries() : []) {
    if (array.constant === null) continue;
    array.check();
    if (accesses[index] === "constant") uniforms.push(Float32Array.of(array.constant));
  }
  if (accesses.includes("strided")) {
    const strided = reads.filter((_, index) => accesses[index] === "strided").map(({ strides }) => strides);
    uniforms.push(layoutOf(shape, strided, kernel.name));
  }
  const inputs = arrays.map(({ array }) => array.element ?? array);
  const shapes = outputs === 1 ? [shape] : Array.from({ length: outputs }, () => shape);
  return kernel.apply(inputs, shapes, uniforms, Math.ceil(sizeOf(shape) / 4));
}

/** Whether an array of these, or of the result, is larger than one binding. */
export function isTooLarge(reads: readonly Read[], shape: Shape): boolean {
  return reads.some(({ array }) => isLarge(array.device, array.bytes) || isLarge(array.device, sizeOf(shape) * 4));
}

/** A new array of the result's shape, with the elements that this operand has there. */
export function inOrder({ array, strides }: Read, shape: Shape, what: string): GpuArray {
  return gather(array, shape, layoutOf(shape, [strides], what));
}

/** Of arrays larger than one binding: what is read by strides is put in order first, so that all can be cut alike. */
function runInOrder(
  kernelFor: (accesses: Access[]) => Kernel,
  reads: readonly Read[],
  shape: Shape,
  outputs: number,
): GpuArray[] {
  const accesses = accessesOf(reads, shape);
  const made: GpuArray[] = [];
  try {
    const ordered = reads.map((read, k) => {
      if (accesses[k] !== "strided") return read;
      const array = inOrder(read, shape, "gather");
      made.push(array);
      return { array, strides: everyElement };
    });
    return runWhole(kernelFor, ordered, shape, outputs);
  } finally {
    for (const array of made) array.release();
  }
}

/** The words that the harness's `element` reads. Neighbouring axes that all strides cross alike become one. */
function layoutOf(shape: Shape, strides: readonly (readonly number[])[], what: string): Uint32Array {
  const dimensions: number[][] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = at(shape, axis);
    if (length === 1) continue;
    const own = strides.map((stride) => at(stride, axis));
    const inner = dimensions[dimensions.length - 1];
    if (inner !== undefined && own.every((stride, k) => stride === at(inner, k + 1) * at(inner, 0))) {
      inner[0] = at(inner, 0) * length;
    } else dimensions.push([length, ...own]);
  }
  const words = [dimensions.length, ...dimensions.flat()];
  if (words.length > layoutWords) {
    throw new LimitError(
      `${what}: ${dimensions.length} dimensions of ${strides.length} broadcast operands are too many at once`,
      words.length,
      layoutWords,
    );
  }
  const layout = new Uint32Array(layoutWords);
  layout.set(words);
  return layout;
}
