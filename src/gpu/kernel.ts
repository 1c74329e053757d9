/** A compute shader of one's own: WGSL source, its bindings in order, and the grid it is dispatched over. */
import { checkList, checkObject } from "../base/arguments.js";
import { ArgumentError, LimitError } from "../base/errors.js";
import { describe } from "../base/describe.js";
import { checkShape, type Shape } from "../base/shape.js";
import { withAllMath } from "../wgsl/all-math.js";
import type { Binding } from "../wgsl/binding.js";
import { GpuArray } from "./array.js";
import { currentDevice } from "./current.js";
import { Device } from "./device.js";
import type { Grid } from "./grid.js";
import { launch, launchInto, type Run } from "./launch.js";
import { Shader } from "./shader.js";
import type { UniformBlock } from "./work.js";

/** Of `new Kernel`: the shader, and what stands at its bindings. */
export interface KernelOptions {
  /** Named in errors and in profiles. */
  readonly name: string;
  /** The shader. Its entry point is `main`, its bindings are @group(0) @binding(0), (1), and so on. */
  readonly wgsl: string;
  /** What stands at each binding, in order. */
  readonly bindings: readonly Binding[];
  /** The shader's @workgroup_size, as one number: x times y times z. Default 64. */
  readonly workgroupSize?: number;
}

/** An array, or what has one, as a Variable does. */
export type HasArray =
  | GpuArray
  | {
      /** The array. */
      readonly data: GpuArray;
    };

/** Of `kernel.run`: the arrays, and the grid that it is dispatched over. */
export type RunOptions = Grid & {
  /** Arrays, or Variables, for the "input" bindings, in order. */
  readonly inputs: readonly HasArray[];
  /** Shapes of the arrays to be made for the "output" bindings, in order. */
  readonly outputs: readonly Shape[];
  /** Blocks for the "uniform" bindings, in order; each at most 64 KiB. */
  readonly uniforms?: readonly UniformBlock[];
};

/** As RunOptions, with arrays for the outputs instead of shapes. */
export type RunIntoOptions = Grid & {
  /** Arrays, or Variables, for the "input" bindings, in order. */
  readonly inputs: readonly HasArray[];
  /** Arrays, or Variables, for the "output" bindings, in order: what they had is overwritten. */
  readonly outputs: readonly HasArray[];
  /** Blocks for the "uniform" bindings, in order; each at most 64 KiB. */
  readonly uniforms?: readonly UniformBlock[];
};

/**
 * A compute shader with bindings. It is compiled once per device, at its first run.
 *
 * @throws ArgumentError for options of the wrong kind. Mistakes in the WGSL are found when it is compiled, and reject
 * `prepare` and the next read of what the kernel was to write, with the compiler's message and line; where nobody reads, the
 * console has it.
 * @example
 * const double = new Kernel({
 *   name: "double",
 *   wgsl: `
 *     @group(0) @binding(0) var<storage, read> x: array<f32>;
 *     @group(0) @binding(1) var<storage, read_write> y: array<f32>;
 *     @compute @workgroup_size(64)
 *     fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *       let i = id.x + id.y * groups.x * 64u;
 *       if (i < arrayLength(&y)) { y[i] = 2.0 * x[i]; }
 *     }`,
 *   bindings: ["input", "output"],
 * });
 * const [y] = double.run({ inputs: [x], outputs: [x.shape], invocations: x.size });
 */
export class Kernel {
  /** As it was given: named in errors and in profiles. */
  readonly name: string;
  /** The shader, as it was given. */
  readonly wgsl: string;
  /** What stands at each binding, in order. */
  readonly bindings: readonly Binding[];
  /** Invocations in a workgroup. */
  readonly workgroupSize: number;
  readonly #shader: Shader;
  readonly #counts: Readonly<Record<Binding, number>>;

  constructor(options: KernelOptions) {
    const { name, wgsl, bindings, workgroupSize = 64 } = checkObject(options, "a Kernel's options");
    if (typeof name !== "string") throw new ArgumentError(`a Kernel's name must be a string, not ${describe(name)}`);
    if (typeof wgsl !== "string") throw new ArgumentError(`${name}: wgsl must be a string, not ${describe(wgsl)}`);
    const list = checkList<unknown>(bindings, `${name}: bindings`);
    for (const binding of list) {
      if (binding !== "input" && binding !== "output" && binding !== "uniform") {
        throw new ArgumentError(`${name}: a binding must be "input", "output" or "uniform", not ${describe(binding)}`);
      }
    }
    if (!Number.isInteger(workgroupSize) || workgroupSize < 1) {
      throw new ArgumentError(`${name}: workgroupSize must be a whole number, not ${describe(workgroupSize)}`);
    }
    this.name = name;
    this.wgsl = wgsl;
    this.bindings = Object.freeze(list as Binding[]);
    this.workgroupSize = workgroupSize;
    this.#shader = new Shader(name, withAllMath(wgsl), this.bindings, workgroupSize, { origin: "kernel" });
    const count = (kind: Binding): number => this.bindings.filter((binding) => binding === kind).length;
    this.#counts = { input: count("input"), output: count("output"), uniform: count("uniform") };
  }

  /**
   * Records one dispatch and gives the arrays it writes. Where all of them are empty, nothing is recorded.
   *
   * @throws ArgumentError where inputs, outputs or uniforms don't match the bindings; OtherDeviceError, ReleasedError,
   * LimitError, OutOfMemoryError.
   */
  run(options: RunOptions): GpuArray[] {
    const given = this.#checkOptions<Shape>(options);
    const outputs = given.outputs.map((shape) => checkShape(shape, `${this.name}: an output's shape`));
    this.#checkUniforms(given.inputs[0], given.uniforms);
    return launch(this.#shader, { ...given, outputs });
  }

  /** The same, into arrays that are there already. None of them may be among the inputs: WebGPU forbids it. */
  runInto(options: RunIntoOptions): void {
    const given = this.#checkOptions<HasArray>(options);
    const outputs = given.outputs.map((output) => this.#arrayOf(output));
    this.#checkUniforms(outputs[0], given.uniforms);
    launchInto(this.#shader, { ...given, outputs });
  }

  /** What a run was given, read once: whose getters are the user's code. */
  #checkOptions<Output>(options: Grid & { inputs: unknown; outputs: unknown; uniforms?: unknown }): Run<Output> {
    const given = checkObject(options, `${this.name}: what run is given`);
    const { inputs, outputs, uniforms = [] } = given;
    const blocks = checkList<Run<Output>["uniforms"][number]>(uniforms, `${this.name}: uniforms`);
    for (const block of blocks) {
      if (block instanceof Uint32Array || block instanceof Int32Array || block instanceof Float32Array) continue;
      throw new ArgumentError(
        `${this.name}: a uniform must be a Uint32Array, Int32Array or Float32Array, not ${describe(block)}`,
      );
    }
    let grid: Grid;
    if ("invocations" in given) grid = { invocations: given.invocations };
    else {
      const [x, y = 1, z = 1, ...more] = checkList<number>(given.workgroups, `${this.name}: workgroups`);
      if (x === undefined || more.length > 0)
        throw new ArgumentError(`${this.name}: workgroups are one to three numbers`);
      grid = { workgroups: [x, y, z] };
    }
    const arrays = checkList<HasArray>(inputs, `${this.name}: inputs`).map((input) => this.#arrayOf(input));
    const written = checkList<Output>(outputs, `${this.name}: outputs`);
    this.#checkCount("input", arrays.length);
    this.#checkCount("output", written.length);
    this.#checkCount("uniform", blocks.length);
    return { inputs: arrays, outputs: written, uniforms: blocks, grid };
  }

  #checkUniforms(array: GpuArray | undefined, uniforms: readonly ArrayBufferView[]): void {
    const most = (array?.device ?? currentDevice()).limits.maxUniformBufferBindingSize;
    for (const { byteLength } of uniforms) {
      if (byteLength <= most) continue;
      throw new LimitError(
        `${this.name}: a uniform block of ${byteLength} bytes, this device allows ${most}`,
        byteLength,
        most,
      );
    }
  }

  #arrayOf(given: HasArray): GpuArray {
    const array = given instanceof GpuArray ? given : (given as Partial<typeof given> | null)?.data;
    if (array instanceof GpuArray) return array;
    throw new ArgumentError(
      `${this.name}: an input or output must be a GpuArray or a Variable, not ${describe(given)}`,
    );
  }

  /** Compiles without blocking, ahead of the first run. Rejects with a WgslError where the source has a mistake. */
  async prepare(device = currentDevice()): Promise<void> {
    if (!(device instanceof Device)) {
      throw new ArgumentError(`${this.name}: prepare takes gpugrad's device, not ${describe(device)}`);
    }
    await this.#shader.prepare(device);
  }

  #checkCount(kind: Binding, given: number): void {
    const wanted = this.#counts[kind];
    if (given !== wanted) {
      throw new ArgumentError(`${this.name}: has ${wanted} ${kind} bindings, was given ${given}`);
    }
  }
}
