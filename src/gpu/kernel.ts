/** A compute shader of one's own: WGSL source, its bindings in order, and the grid it is dispatched over. */
import { at } from "../assert.js";
import { checkList, checkObject } from "../arguments.js";
import { ArgumentError, isGpugradError, LimitError, WgslError } from "../errors.js";
import { checkShape, describe, showShape, sizeOf, type Shape } from "../shape.js";
import { joinMath, type MathMode } from "../wgsl/math.js";
import { checkDevice, GpuArray } from "./array.js";
import { currentDevice, type Device } from "./device.js";

/** What stands at a binding of group 0: an array that is read, one that is written, or a small block of numbers. */
export type Binding = "input" | "output" | "uniform";

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

/** A number of workgroups along x, y and z; or `invocations`, from which it is computed along x, then y. */
export type Grid = { readonly workgroups: readonly [number, number?, number?] } | { readonly invocations: number };

/** An array, or what has one, as a Variable does. */
export type HasArray = GpuArray | { readonly data: GpuArray };

export type RunOptions = Grid & {
  /** Arrays, or Variables, for the "input" bindings, in order. */
  readonly inputs: readonly HasArray[];
  /** Shapes of the arrays to be made for the "output" bindings, in order. */
  readonly outputs: readonly Shape[];
  /** Blocks for the "uniform" bindings, in order; each at most 64 KiB. */
  readonly uniforms?: readonly (Uint32Array | Int32Array | Float32Array)[];
};

/** As RunOptions, with arrays for the outputs instead of shapes. */
export type RunIntoOptions = Grid & {
  readonly inputs: readonly HasArray[];
  readonly outputs: readonly HasArray[];
  readonly uniforms?: readonly (Uint32Array | Int32Array | Float32Array)[];
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
  /** Where in `wgsl` the text of the user begins, and its number of lines: errors are told in its lines. */
  readonly userLines?: { readonly first: number; readonly count: number };
}

/** Sizes that are remembered for one Kernel. */
const mostAccepted = 1000;

interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** What the compiler has to say, once it has said it; null for no mistake. */
  readonly mistake: Promise<WgslError | null>;
  /** True once the compiler has said that all is well. */
  verified: boolean;
  /** Of a Kernel of the user's own: the sizes of bindings with which it has run. Others may be too small for its WGSL. */
  readonly accepted: Set<string>;
}

/** An array, or a block of numbers. */
interface Sized {
  readonly bytes?: number;
  readonly byteLength?: number;
}

/** What a run was given, checked and read once. */
interface Given<Output> {
  readonly inputs: readonly GpuArray[];
  readonly outputs: readonly Output[];
  readonly uniforms: readonly (Uint32Array | Int32Array | Float32Array)[];
  readonly grid: Grid;
}

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
  readonly #compiled = new WeakMap<Device, Map<MathMode, Compiled>>();

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
    const device = given.inputs[0]?.device ?? currentDevice();
    this.#checkBindable(device, shapes);
    const outputs: GpuArray[] = [];
    try {
      for (const shape of shapes) outputs.push(GpuArray.allocate(device, shape, this.name));
      this.#run({ ...given, outputs });
    } catch (error) {
      for (const array of outputs) array.release();
      throw error;
    }
    return outputs;
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

  #run({ inputs, outputs, uniforms, grid }: Given<GpuArray>): void {
    this.#checkCount("input", inputs.length);
    this.#checkCount("output", outputs.length);
    this.#checkCount("uniform", uniforms.length);
    const device = outputs[0]?.device ?? currentDevice();
    for (const array of [...inputs, ...outputs]) checkDevice(array, device, this.name);
    this.#checkBindable(
      device,
      [...inputs, ...outputs].map(({ shape }) => shape),
    );
    this.#workgroups(grid, device);
    this.#checkUniforms(device, uniforms);
    if (outputs.every((output) => output.size === 0)) return;
    if (this.#own.trusted !== true) this.#checkApart(inputs, outputs);
    this.#dispatch(device, this.#compile(device), inputs, outputs, uniforms, grid);
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
    return joinMath(this.wgsl, math);
  }

  /** Compiles without blocking, ahead of the first run. Rejects with a WgslError where the source has a mistake. */
  async prepare(device = currentDevice()): Promise<void> {
    const { math } = checkObject(device, `${this.name}: a device`);
    const known = this.#pipelinesOn(device).get(math);
    if (known !== undefined) {
      const mistake = await device.orLost(known.mistake);
      if (mistake !== null) throw mistake;
      return;
    }
    const { descriptor, layout, mistake } = this.#describe(device);
    const found = await device.orLost(mistake);
    if (found !== null) throw found;
    const compiling = device.gpuDevice.createComputePipelineAsync(descriptor);
    const pipeline = await device.orLost(compiling).catch((error: unknown) => {
      throw error instanceof Error && !isGpugradError(error) ? this.#refused(error) : error;
    });
    if (this.#pipelinesOn(device).has(math)) return;
    device.pipelines++;
    this.#pipelinesOn(device).set(math, { pipeline, layout, mistake, verified: true, accepted: new Set() });
  }

  #pipelinesOn(device: Device): Map<MathMode, Compiled> {
    let known = this.#compiled.get(device);
    if (known === undefined) {
      known = new Map<MathMode, Compiled>();
      this.#compiled.set(device, known);
    }
    return known;
  }

  #compile(device: Device): Compiled {
    const known = this.#pipelinesOn(device).get(device.math);
    if (known !== undefined) return known;
    const { descriptor, layout, mistake } = this.#describe(device);
    const { gpuDevice } = device;
    gpuDevice.pushErrorScope("internal");
    gpuDevice.pushErrorScope("validation");
    const pipeline = gpuDevice.createComputePipeline(descriptor);
    const scopes = [gpuDevice.popErrorScope(), gpuDevice.popErrorScope()];
    const refused = Promise.all(scopes).then(
      (errors) => errors.find((error) => error !== null) ?? null,
      () => null,
    );
    const compiled: Compiled = {
      pipeline,
      layout,
      verified: false,
      accepted: new Set(),
      mistake: Promise.all([mistake, refused]).then(([inSource, inPipeline]) => {
        if (inSource !== null) return inSource;
        return inPipeline === null ? null : this.#refused(inPipeline);
      }),
    };
    void compiled.mistake.then((found) => {
      compiled.verified = found === null;
    });
    device.pipelines++;
    this.#pipelinesOn(device).set(device.math, compiled);
    return compiled;
  }

  #describe(device: Device): {
    descriptor: GPUComputePipelineDescriptor;
    layout: GPUBindGroupLayout;
    mistake: Promise<WgslError | null>;
  } {
    this.#checkBindings(device);
    const { gpuDevice } = device;
    const layout = device.bindGroupLayout(this.bindings);
    gpuDevice.pushErrorScope("validation");
    const module = gpuDevice.createShaderModule({ code: this.source(device.math), label: this.name });
    const pipelineLayout = gpuDevice.createPipelineLayout({ bindGroupLayouts: [layout] });
    gpuDevice.popErrorScope().catch(() => undefined);
    return {
      layout,
      descriptor: { label: this.name, layout: pipelineLayout, compute: { module, entryPoint: "main" } },
      mistake: module.getCompilationInfo().then(
        ({ messages }) => {
          const error = messages.find((message) => message.type === "error");
          return error === undefined ? null : this.#explain(error);
        },
        () => null,
      ),
    };
  }

  /** What the compiler has nothing against, but WebGPU has: the entry point, its workgroup size or its bindings. */
  #refused({ message }: { readonly message: string }): WgslError {
    return new WgslError(`${this.name}: ${message}`);
  }

  /** The compiler's message, in the lines of the source that the user wrote. */
  #explain({ message, lineNum, linePos }: GPUCompilationMessage): WgslError {
    const { first, count } = this.#own.userLines ?? { first: 1, count: this.wgsl.split("\n").length };
    const line = lineNum - first + 1;
    if (lineNum === 0 || line < 1 || line > count) return new WgslError(`${this.name}: ${message}`);
    const text = this.wgsl.split("\n")[lineNum - 1]?.trim() ?? "";
    return new WgslError(`${this.name}, line ${line}, column ${linePos}: ${message}\n  ${text}`, line);
  }

  #checkCount(kind: Binding, given: number): void {
    const wanted = this.bindings.filter((binding) => binding === kind).length;
    if (given !== wanted) {
      throw new ArgumentError(`${this.name}: has ${wanted} ${kind} bindings, was given ${given}`);
    }
  }

  /** @throws LimitError where the device has fewer bindings. */
  #checkBindings({ limits }: Device): void {
    const uniforms = this.bindings.filter((binding) => binding === "uniform").length;
    for (const [count, most, what] of [
      [this.bindings.length - uniforms, limits.maxStorageBuffersPerShaderStage, "arrays"],
      [uniforms, limits.maxUniformBuffersPerShaderStage, "uniforms"],
    ] as const) {
      if (count > most) {
        throw new LimitError(`${this.name}: ${count} ${what} in one shader, this device allows ${most}`, count, most);
      }
    }
  }

  #workgroups(grid: Grid, device: Device): readonly [number, number, number] {
    const most = device.limits.maxComputeWorkgroupsPerDimension;
    let counts: readonly [number, number, number];
    if ("invocations" in grid) {
      if (!Number.isSafeInteger(grid.invocations) || grid.invocations < 0) {
        throw new ArgumentError(`${this.name}: invocations must be a whole number, not ${describe(grid.invocations)}`);
      }
      counts = spread(Math.ceil(grid.invocations / this.workgroupSize), most);
    } else {
      const [x, y = 1, z = 1] = grid.workgroups;
      counts = [x, y, z];
    }
    for (const count of counts) {
      if (!Number.isSafeInteger(count) || count < 0) {
        throw new ArgumentError(`${this.name}: workgroups must be whole numbers, not ${describe(count)}`);
      }
      if (count > most) {
        throw new LimitError(
          `${this.name}: ${count} workgroups in one dimension, this device allows ${most}`,
          count,
          most,
        );
      }
    }
    return counts;
  }

  #dispatch(
    device: Device,
    compiled: Compiled,
    inputs: readonly GpuArray[],
    outputs: readonly GpuArray[],
    uniforms: readonly ArrayBufferView[],
    grid: Grid,
  ): void {
    const { recorder } = device;
    const arrays = [...inputs, ...outputs];
    // What can fail alone is submitted alone. WGSL of element-wise functions can't find its bindings too small.
    const isFree = this.#own.trusted !== true && this.#own.userLines === undefined;
    const sizes = isFree
      ? [...arrays, ...uniforms].map(({ bytes, byteLength }: Sized) => bytes ?? byteLength).join()
      : "";
    const isolated =
      (!compiled.verified && this.#own.trusted !== true) ||
      (isFree && !compiled.accepted.has(sizes)) ||
      arrays.some(({ storage }) => storage.pooled.doubtful);
    if (isolated) recorder.flush();
    if (!compiled.verified) recorder.check(compiled.mistake);
    const written = outputs.map((output) => `${showShape(output.shape)} (${output.bytes} bytes)`);
    const command = {
      label: `${this.name} ${written.join(", ")}`,
      pipeline: compiled.pipeline,
      // A shader of the user's own may leave a part of what it writes as it was.
      reads: (this.#own.inPlace === true || isFree ? arrays : inputs).map((array) => array.storage),
      writes: outputs.map((output) => output.storage),
    };
    for (const window of this.#windows(device, outputs)) {
      const next = { input: 0, output: 0, uniform: 0 };
      let bytes = 0;
      const bound = this.bindings.map((kind) => {
        const index = next[kind]++;
        if (kind === "uniform") {
          const buffer = device.uniforms.get(at(uniforms, index));
          return { buffer, offset: 0, size: buffer.size };
        }
        const array = at(kind === "input" ? inputs : outputs, index);
        const range = window !== null && array.size === outputs[0]?.size ? window : { offset: 0, bytes: array.bytes };
        bytes += range.bytes;
        const size =
          this.#own.padded === true ? Math.max(16, Math.ceil(range.bytes / 16) * 16) : Math.max(4, range.bytes);
        return { buffer: array.storage.buffer, offset: range.offset, size };
      });
      recorder.dispatch({
        ...command,
        bytes,
        bindGroup: device.bindGroups.get(compiled.layout, bound, this.name),
        workgroups: this.#workgroups(window === null ? grid : { invocations: Math.ceil(window.bytes / 16) }, device),
      });
    }
    if (!isolated) return;
    recorder.flush();
    void recorder.settled().then((failed) => {
      if (failed !== null) return;
      if (compiled.accepted.size >= mostAccepted) compiled.accepted.clear();
      compiled.accepted.add(sizes);
    });
  }

  /** The parts of larger arrays than one binding may have, each bound and dispatched alone; null for the whole. */
  #windows(device: Device, outputs: readonly GpuArray[]): ({ offset: number; bytes: number } | null)[] {
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
  #checkBindable(device: Device, shapes: readonly Shape[]): void {
    if (this.#own.windows === true) return;
    const most = device.limits.maxStorageBufferBindingSize;
    for (const shape of shapes) {
      const bytes = sizeOf(shape) * 4;
      if (bytes > most) {
        throw new LimitError(
          `${this.name}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can bind ${most}`,
          bytes,
          most,
        );
      }
    }
  }
}

/** A number of workgroups as a grid: along x as far as a dimension goes, then along y. */
function spread(count: number, most: number): readonly [number, number, number] {
  const y = Math.max(1, Math.ceil(count / most));
  return [Math.ceil(count / y), y, 1];
}
