/** From a stencil to its shaders, made when they are needed: for each way operands are loaded, and what is written. */
import { at } from "../base/assert.js";
import { LimitError, ShapeError } from "../base/errors.js";
import { sameShape, showShape, sizeOf, type Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { currentDevice } from "../gpu/current.js";
import { launch } from "../gpu/launch.js";
import { Shader } from "../gpu/shader.js";
import { Variable } from "../graph/variable.js";
import type { Input, Read, StencilForm } from "../wgsl/stencil/form.js";
import { forwardShader, workgroupSize, type Load, type StencilShader } from "../wgsl/stencil/harness.js";
import { readsOfGradients, turnedShader } from "../wgsl/stencil/turned.js";
import { sum } from "./broadcast.js";
import { collected, inGroups } from "./groups.js";

/** A shader, and what is bound to it. */
interface Made {
  readonly shader: Shader;
  readonly bound: StencilShader;
}

export class StencilShaders {
  readonly #form: StencilForm;
  readonly #made = new Map<string, Made>();
  /** How far the reads go along each axis, and those that wrap. */
  readonly #reach: readonly number[];
  readonly #wrapped: readonly number[];

  constructor(form: StencilForm) {
    this.#form = form;
    const { reads, inputs } = form.source;
    this.#reach = this.#reachOf(reads);
    this.#wrapped = this.#reachOf(
      reads.filter(({ input }) => {
        const own = inputs[input];
        return own?.kind === "field" && own.boundary === "wrap";
      }),
    );
  }

  #reachOf(reads: readonly Read[]): number[] {
    return Array.from({ length: this.#form.source.dimensions }, (_, axis) =>
      Math.max(0, ...reads.map(({ offset }) => Math.abs(offset[axis] ?? 0))),
    );
  }

  /**
   * The result, which has the fields' extent.
   *
   * @throws ShapeError where the fields have no extent in common, or a number isn't one; LimitError.
   */
  forward(operands: readonly GpuArray[]): GpuArray {
    const extent = this.#extentOf(operands);
    const { components } = this.#form.source;
    const made = this.#forward(operands.map(loadOf), this.#isShort(extent));
    return at(this.#run(made, operands, extent, [components]), 0);
  }

  /** The gradients of the wanted inputs, by index, each in its input's shape. */
  gradients(gradient: GpuArray, inputs: readonly GpuArray[], wanted: readonly number[]): GpuArray[] {
    const extent = this.#extentOf(inputs);
    const operands = [...inputs, gradient];
    const loads = operands.map(loadOf);
    return collected(this.#groupsOf(wanted), (group) => {
      const made = this.#turned(loads, group, this.#isShort(extent));
      const components = group.map((input) => this.#componentsOf(input));
      return this.#run(made, operands, extent, components).map((array, k) => {
        const input = at(group, k);
        return this.#isField(input) ? array : summed(array, at(inputs, input).shape);
      });
    });
  }

  /** The forward's shader where all operands are whole arrays. */
  whole(): Shader {
    return this.#forward(this.#wholeLoads(), false).shader;
  }

  /** Compiles what a graph of whole arrays needs, from ones, from a sum's gradient and from another one. */
  async prepare(): Promise<void> {
    const inputs = this.#form.source.inputs.map((_, k) => k);
    const shaders = [this.whole()];
    const device = currentDevice();
    for (const gy of ["full", "constant", "scalar"] as const) {
      for (const group of this.#groupsOf(inputs)) {
        shaders.push(this.#turned([...this.#wholeLoads(), gy], group, false).shader);
      }
    }
    await Promise.all(shaders.map((shader) => shader.prepare(device)));
  }

  #wholeLoads(): Load[] {
    return this.#form.source.inputs.map(({ kind }) => (kind === "field" ? "full" : "scalar"));
  }

  #isField(input: number): boolean {
    return this.#form.source.inputs[input]?.kind === "field";
  }

  #componentsOf(input: number): number {
    const own = this.#form.source.inputs[input];
    return own?.kind === "field" ? own.components : 1;
  }

  /** The lengths of the axes that the fields have in common. */
  #extentOf(operands: readonly GpuArray[]): Shape {
    const { name, inputs } = this.#form.source;
    const extents = inputs.flatMap((input, k) => {
      const { shape } = at(operands, k);
      return input.kind === "number" ? this.#checkNumber(input.name, shape) : [this.#checkField(input, shape)];
    });
    const first = at(extents, 0);
    const other = extents.find((extent) => !sameShape(extent, first));
    if (other === undefined) return first;
    throw new ShapeError(`${name}: all fields have one extent, not ${showShape(first)} and ${showShape(other)}`);
  }

  #checkNumber(input: string, shape: Shape): [] {
    if (sizeOf(shape) === 1) return [];
    throw new ShapeError(
      `${this.#form.source.name}: ${input} is one number, and was given an array of shape ${showShape(shape)}. ` +
        `Declare it as ${input}: field where each position has its own`,
    );
  }

  /** The extent of a field. */
  #checkField({ name: input, components }: Input & { kind: "field" }, shape: Shape): Shape {
    const { name, dimensions } = this.#form.source;
    const extent = shape.slice(0, dimensions);
    const wanted = components === 1 ? extent : [...extent, components];
    if (extent.length === dimensions && sameShape(shape, wanted)) return extent;
    const axes = dimensions === 1 ? "one axis" : `${dimensions} axes`;
    const behind = components === 1 ? "" : `, then one of ${components} components`;
    const advice = sizeOf(shape) === 1 ? `. One number for all positions is declared as ${input}: f32` : "";
    throw new ShapeError(`${name}: ${input} has ${axes}${behind}, and was given shape ${showShape(shape)}${advice}`);
  }

  /** Whether a read may go round an axis more than once. */
  #isShort(extent: Shape): boolean {
    return this.#wrapped.some((reach, axis) => reach > at(extent, axis));
  }

  /** The wanted gradients in groups, each of which binds no more arrays than a shader of the device may. */
  #groupsOf(wanted: readonly number[]): readonly (readonly number[])[] {
    return inGroups(wanted, (group) => readsOfGradients(this.#form, group).size + 1 + group.length);
  }

  #forward(loads: readonly Load[], isShort: boolean): Made {
    return this.#shader("forward", [...loads, isShort].join(), () => forwardShader(this.#form, loads, isShort));
  }

  #turned(loads: readonly Load[], wanted: readonly number[], isShort: boolean): Made {
    return this.#shader("backward", [...loads, isShort, wanted].join(), () =>
      turnedShader(this.#form, loads, wanted, isShort),
    );
  }

  #shader(direction: "forward" | "backward", key: string, make: () => StencilShader): Made {
    const whole = `${direction};${key}`;
    let made = this.#made.get(whole);
    if (made === undefined) {
      const bound = make();
      const { name } = this.#form.source;
      const shader = new Shader(`${name}_${direction}`, bound.wgsl, bound.bindings, workgroupSize, {
        origin: "scalar",
        // What is run is not what was written: no line of it would say anything.
        firstLine: Number.MAX_SAFE_INTEGER,
        role: { name, direction },
      });
      this.#made.set(whole, (made = { shader, bound }));
    }
    return made;
  }

  /** @param components of each result */
  #run(
    { shader, bound }: Made,
    operands: readonly GpuArray[],
    extent: Shape,
    components: readonly number[],
  ): GpuArray[] {
    const arrays = bound.bound.map((k) => at(operands, k));
    const shapes = components.map((count) => (count === 1 ? extent : [...extent, count]));
    this.#checkBindable([...arrays.map(({ shape }) => shape), ...shapes]);
    for (const operand of operands) operand.check();
    return launch(shader, {
      inputs: arrays.map((array) => array.element ?? array),
      outputs: shapes,
      uniforms: [
        ...bound.constants.map((k) => Float32Array.of(at(operands, k).constant ?? 0)),
        Int32Array.of(...extent, 0, 0, 0),
      ],
      grid: { invocations: sizeOf(extent) },
    });
  }

  #checkBindable(shapes: readonly Shape[]): void {
    const most = currentDevice().limits.maxStorageBufferBindingSize;
    for (const shape of shapes) {
      const bytes = sizeOf(shape) * 4;
      if (bytes <= most) continue;
      throw new LimitError(
        `${this.#form.source.name}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can ` +
          `bind ${most}. Cut it into parts that overlap by ${Math.max(...this.#reach)}, which a stencil is run on one by one`,
        bytes,
        most,
      );
    }
  }
}

function loadOf(array: GpuArray): Load {
  if (array.constant !== null) return "constant";
  return array.element !== null || array.size === 1 ? "scalar" : "full";
}

/** What all positions give to a number, in its shape. */
function summed(array: GpuArray, shape: Shape): GpuArray {
  const total = sum(Variable.of(array)).array;
  const result = total.reshape(shape);
  total.release();
  if (total !== array) array.release();
  return result;
}
