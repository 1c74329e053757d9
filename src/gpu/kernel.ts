/** A compute shader of one's own: WGSL source, its bindings in order, and the grid it is dispatched over. */
import { at } from "../base/assert.js";
import { checkList, checkObject } from "../base/arguments.js";
import { ArgumentError, LimitError } from "../base/errors.js";
import { describe } from "../base/describe.js";
import { checkShape, showShape, sizeOf, type Shape } from "../base/shape.js";
import type { Binding } from "../wgsl/binding.js";
import type { MathMode } from "../wgsl/math.js";
import { checkDevice, GpuArray } from "./array.js";
import type { Bound } from "./bind-groups.js";
import { currentDevice, Device } from "./device.js";
import { workgroupsOf, type Grid, type Workgroups } from "./grid.js";
import { Program, type UserLines } from "./program.js";
import type { Storage } from "./storage.js";

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
export type HasArray = GpuArray | { readonly data: GpuArray };

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
  readonly inputs: readonly HasArray[];
  readonly outputs: readonly HasArray[];
  readonly uniforms?: readonly UniformBlock[];
};

/** Settings that only gpugrad's own kernels need. */
interface OwnOptions {
  /** Arrays are bound with their last vec4 filled up, so that `arrayLength` of an array<vec4f> counts it. */
  readonly padded?: boolean;
  /**
   * The grid has one invocation for each vec4 of the outputs, which may be taken in parts: arrays of the outputs' size
   * are cut alike, others are bound whole.
   */
  readonly windows?: boolean;
  /** What is written is read too. */
  readonly inPlace?: boolean;
  /** The library's own WGSL: it compiles. Other kernels are tried in a submit of their own first. */
  readonly trusted?: boolean;
  /** Where in `wgsl` the text of the user stands. */
  readonly userLines?: UserLines;
}

type UniformBlock = Uint32Array | Int32Array | Float32Array;

/** What a run was given, checked and read once. */
interface Given<Output> {
  readonly inputs: readonly GpuArray[];
  readonly outputs: readonly Output[];
  readonly uniforms: readonly UniformBlock[];
  readonly grid: Grid;
}

/** A part of arrays that are larger than one binding may be. */
interface Window {
  readonly offset: number;
  readonly bytes: number;
}

/** Sizes that are remembered for one Kernel. */
const mostAccepted = 1000;

/**
 * A compute shader with bindings. It is compiled once per device, at its first run.
 *
 * @throws ArgumentError for options of the wrong kind. Mistakes in the WGSL are found when it is compiled, and reject
 * `prepare` and the next read of what the kernel was to write, with the compiler's message and line.
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
  readonly name: string;
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  readonly workgroupSize: number;
  readonly #own: OwnOptions;
  readonly #program: Program;
  readonly #counts: Readonly<Record<Binding, number>>;

  constructor(options: KernelOptions, own: OwnOptions = {}) {
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
    this.#own = own;
    this.#program = new Program(name, wgsl, this.bindings, own.userLines);
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
    this.#checkCount("output", given.outputs.length);
    const shapes = given.outputs.map((shape) => checkShape(shape, `${this.name}: an output's shape`));
    return this.#allocateAndRun(given, shapes);
  }

  /** The same, into arrays that are there already. None of them may be among the inputs: WebGPU forbids it. */
  runInto(options: RunIntoOptions): void {
    const given = this.#checkOptions<HasArray>(options);
    this.#run({ ...given, outputs: given.outputs.map((output) => this.#arrayOf(output)) });
  }

  /** What a run was given, read once: whose getters are the user's code. */
  #checkOptions<Output>(options: Grid & { inputs: unknown; outputs: unknown; uniforms?: unknown }): Given<Output> {
    const given = checkObject(options, `${this.name}: what run is given`);
    const { inputs, outputs, uniforms = [] } = given;
    const blocks = checkList<Given<Output>["uniforms"][number]>(uniforms, `${this.name}: uniforms`);
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
    return {
      inputs: checkList<HasArray>(inputs, `${this.name}: inputs`).map((input) => this.#arrayOf(input)),
      outputs: checkList<Output>(outputs, `${this.name}: outputs`),
      uniforms: blocks,
      grid,
    };
  }

  /**
   * `run` for gpugrad's own callers, which need no checks of types: one dispatch of as many invocations.
   *
   * @internal
   */
  apply(
    inputs: readonly GpuArray[],
    shapes: readonly Shape[],
    uniforms: readonly UniformBlock[],
    invocations: number,
  ): GpuArray[] {
    return this.#allocateAndRun({ inputs, outputs: shapes, uniforms, grid: { invocations } }, shapes);
  }

  #allocateAndRun({ inputs, uniforms, grid }: Given<unknown>, shapes: readonly Shape[]): GpuArray[] {
    const device = inputs[0]?.device ?? currentDevice();
    for (const shape of shapes) this.#checkBindable(device, shape);
    const outputs: GpuArray[] = [];
    try {
      for (const shape of shapes) outputs.push(GpuArray.allocate(device, shape, this.name));
      this.#run({ inputs, outputs, uniforms, grid });
    } catch (error) {
      for (const array of outputs) array.release();
      throw error;
    }
    return outputs;
  }

  #run({ inputs, outputs, uniforms, grid }: Given<GpuArray>): void {
    this.#checkCount("input", inputs.length);
    this.#checkCount("output", outputs.length);
    this.#checkCount("uniform", uniforms.length);
    const device = outputs[0]?.device ?? currentDevice();
    for (const array of inputs) this.#checkArray(device, array);
    for (const array of outputs) this.#checkArray(device, array);
    const workgroups = workgroupsOf(grid, this.workgroupSize, device, this.name);
    if (this.#own.trusted !== true) {
      this.#checkUniforms(device, uniforms);
      this.#checkApart(inputs, outputs);
    }
    if (outputs.every((output) => output.size === 0)) return;
    this.#dispatch(device, inputs, outputs, uniforms, workgroups);
  }

  #checkArray(device: Device, array: GpuArray): void {
    checkDevice(array, device, this.name);
    this.#checkBindable(device, array.shape);
  }

  #checkUniforms(device: Device, uniforms: readonly ArrayBufferView[]): void {
    const most = device.limits.maxUniformBufferBindingSize;
    for (const { byteLength } of uniforms) {
      if (byteLength <= most) continue;
      throw new LimitError(
        `${this.name}: a uniform block of ${byteLength} bytes, this device allows ${most}`,
        byteLength,
        most,
      );
    }
  }

  /** WebGPU forbids to write what the same dispatch reads or writes elsewhere. */
  #checkApart(inputs: readonly GpuArray[], outputs: readonly GpuArray[]): void {
    const seen = new Set(inputs.map(({ storage }) => storage.buffer));
    for (const { storage } of outputs) {
      if (seen.has(storage.buffer)) {
        throw new ArgumentError(`${this.name}: an output has the same memory as an input or another output`);
      }
      seen.add(storage.buffer);
    }
  }

  #arrayOf(given: HasArray): GpuArray {
    const array = given instanceof GpuArray ? given : (given as Partial<typeof given> | null)?.data;
    if (array instanceof GpuArray) return array;
    throw new ArgumentError(
      `${this.name}: an input or output must be a GpuArray or a Variable, not ${describe(given)}`,
    );
  }

  /** The whole shader, with the math that it names joined to it. */
  source(math: MathMode): string {
    return this.#program.source(math);
  }

  /** Compiles without blocking, ahead of the first run. Rejects with a WgslError where the source has a mistake. */
  async prepare(device = currentDevice()): Promise<void> {
    if (!(device instanceof Device)) {
      throw new ArgumentError(`${this.name}: prepare takes gpugrad's device, not ${describe(device)}`);
    }
    await this.#program.prepare(device);
  }

  #checkCount(kind: Binding, given: number): void {
    const wanted = this.#counts[kind];
    if (given !== wanted) {
      throw new ArgumentError(`${this.name}: has ${wanted} ${kind} bindings, was given ${given}`);
    }
  }

  #dispatch(
    device: Device,
    inputs: readonly GpuArray[],
    outputs: readonly GpuArray[],
    uniforms: readonly UniformBlock[],
    workgroups: Workgroups,
  ): void {
    const { recorder } = device;
    const compiled = this.#program.compile(device);
    const inputStorages = inputs.map((array) => array.storage);
    const writes = outputs.map((array) => array.storage);
    // What can fail alone is submitted alone. WGSL of element-wise functions can't find its bindings too small.
    const trusted = this.#own.trusted === true;
    const isFree = !trusted && this.#own.userLines === undefined;
    const sizes = isFree ? sizesOf([...inputs, ...outputs, ...uniforms]) : "";
    const isDoubtful =
      (!trusted && !compiled.verified) ||
      (isFree && !compiled.accepted.has(sizes)) ||
      inputStorages.some(isUncertain) ||
      writes.some(isUncertain);
    const isSure = !isDoubtful && inputStorages.every(isConfirmed) && writes.every(isConfirmed);
    if (isDoubtful) recorder.flush();
    if (!compiled.verified) recorder.check(compiled.mistake);
    // A shader of the user's own may leave a part of what it writes as it was.
    const reads = this.#own.inPlace === true || isFree ? [...inputStorages, ...writes] : inputStorages;
    // Shapes, not arrays: a command is remembered until its batch is settled, and must not hold arrays back.
    const shapes = outputs.map(({ shape }) => shape);
    for (const window of this.#windows(device, outputs)) {
      const bound = this.#bound(device, inputs, outputs, uniforms, window);
      recorder.dispatch({
        name: this.name,
        shapes,
        reads,
        writes,
        pipeline: compiled.pipeline,
        bindGroup: device.bindGroups.get(compiled.layout, bound, isSure ? null : this.name),
        workgroups:
          window === null
            ? workgroups
            : workgroupsOf({ invocations: Math.ceil(window.bytes / 16) }, this.workgroupSize, device, this.name),
        bytes: window === null ? bytesOf(inputs) + bytesOf(outputs) : window.bytes * (inputs.length + outputs.length),
      });
    }
    if (!isDoubtful) return;
    recorder.flush();
    void recorder.settled().then((failed) => {
      if (failed !== null) return;
      if (compiled.accepted.size >= mostAccepted) compiled.accepted.clear();
      compiled.accepted.add(sizes);
    });
  }

  /** What stands at each binding, for the whole arrays or a part of them. */
  #bound(
    device: Device,
    inputs: readonly GpuArray[],
    outputs: readonly GpuArray[],
    uniforms: readonly UniformBlock[],
    window: Window | null,
  ): Bound[] {
    const next = { input: 0, output: 0, uniform: 0 };
    return this.bindings.map((kind) => {
      const index = next[kind]++;
      if (kind === "uniform") return device.uniforms.get(at(uniforms, index));
      const array = at(kind === "input" ? inputs : outputs, index);
      const cut = window !== null && array.size === outputs[0]?.size;
      const bytes = cut ? window.bytes : array.bytes;
      const size = this.#own.padded === true ? Math.max(16, Math.ceil(bytes / 16) * 16) : Math.max(4, bytes);
      const { buffer, number } = array.storage.pooled;
      return { buffer, number, offset: cut ? window.offset : 0, size };
    });
  }

  /** The parts of larger arrays than one binding may have, each bound and dispatched alone; null for the whole. */
  #windows(device: Device, outputs: readonly GpuArray[]): (Window | null)[] {
    const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = device.limits;
    const bytes = outputs[0]?.bytes ?? 0;
    if (this.#own.windows !== true || bytes <= maxStorageBufferBindingSize) return [null];
    const step =
      Math.floor(maxStorageBufferBindingSize / minStorageBufferOffsetAlignment) * minStorageBufferOffsetAlignment;
    return Array.from({ length: Math.ceil(bytes / step) }, (_, k) => ({
      offset: k * step,
      bytes: Math.min(step, bytes - k * step),
    }));
  }

  /** @throws LimitError where an array is larger than one binding may be, and can't be taken in windows. */
  #checkBindable(device: Device, shape: Shape): void {
    if (this.#own.windows === true) return;
    const most = device.limits.maxStorageBufferBindingSize;
    const bytes = sizeOf(shape) * 4;
    if (bytes <= most) return;
    throw new LimitError(
      `${this.name}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can bind ${most}`,
      bytes,
      most,
    );
  }
}

/** Of a large buffer that the GPU may not have made. */
function isUncertain({ pooled }: Storage): boolean {
  return pooled.doubtful;
}

function isConfirmed({ pooled }: Storage): boolean {
  return pooled.confirmed;
}

function bytesOf(arrays: readonly GpuArray[]): number {
  let total = 0;
  for (const { bytes } of arrays) total += bytes;
  return total;
}

function sizesOf(bound: readonly (GpuArray | UniformBlock)[]): string {
  return bound.map((each) => (each instanceof GpuArray ? each.bytes : each.byteLength)).join();
}
