/** A compute shader and its pipelines: compiled once for each device and kind of math, and what the compiler says. */
import { isGpugradError, LimitError, WgslError } from "../base/errors.js";
import type { Binding } from "../wgsl/binding.js";
import { withoutExcerpt } from "../wgsl/compiler-message.js";
import { joinMath, type MathMode } from "../wgsl/math.js";
import type { GroupLayout } from "./bind-groups.js";
import type { Device } from "./device.js";
import { caught } from "./error-scopes.js";
import { isOfLoss } from "./loss.js";
import type { ShaderRole } from "./recorder.js";
import { tell, tellUnlessRead } from "./untold.js";

/**
 * Who wrote a shader, and so what may be wrong with it:
 * - library: gpugrad's own. It compiles, and fits what it is given
 * - scalar: gpugrad's harness around element-wise WGSL of the user. It may not compile
 * - kernel: a user's own Kernel. It may not compile, its bindings may be too small for it, and it may leave a part of
 *   what it writes as it was
 */
export type Origin = "library" | "scalar" | "kernel";

/** What is known of a shader beyond its text and its bindings. */
export interface ShaderTraits {
  readonly origin: Origin;
  /** Arrays are bound with their last vec4 filled up, so that `arrayLength` of an array<vec4f> counts it. */
  readonly padded?: boolean;
  /**
   * The grid has one invocation for each vec4 of the outputs, which may be taken in parts: arrays of the outputs' size
   * are cut alike, others are bound whole.
   */
  readonly windows?: boolean;
  /** What is written is read too. */
  readonly inPlace?: boolean;
  /** The line of `wgsl` on which the user's text begins; it goes on to the end. Default 1. */
  readonly firstLine?: number;
  /** Named in profiles; without it, the shader's own name. */
  readonly role?: ShaderRole;
}

/** Sets of sizes that are remembered for one pipeline. */
const mostWorked = 1000;

/** A pipeline, and how far it can be relied on. */
export class Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GroupLayout;
  /** What the compiler has to say, once it has said it; null for no mistake. */
  readonly mistake: Promise<WgslError | null>;
  readonly #origin: Origin;
  #isVerified: boolean;
  /** Of bindings, with which it has run. */
  readonly #worked = new Set<string>();

  constructor(
    pipeline: GPUComputePipeline,
    layout: GroupLayout,
    mistake: Promise<WgslError | null>,
    origin: Origin,
    isVerified: boolean,
  ) {
    this.pipeline = pipeline;
    this.layout = layout;
    this.mistake = mistake;
    this.#origin = origin;
    this.#isVerified = isVerified;
    void mistake.then((found) => {
      this.#isVerified = found === null;
    });
  }

  /** True once the compiler has said that all is well. */
  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** Whether a dispatch with bindings of these sizes may fail by the shader's fault: it is then submitted alone. */
  mayFail(sizes: string): boolean {
    if (this.#origin === "library") return false;
    return !this.#isVerified || (this.#origin === "kernel" && !this.#worked.has(sizes));
  }

  worked(sizes: string): void {
    if (this.#worked.size >= mostWorked) this.#worked.clear();
    this.#worked.add(sizes);
  }
}

export class Shader {
  readonly name: string;
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** Invocations in a workgroup. */
  readonly workgroupSize: number;
  readonly traits: ShaderTraits;
  readonly role: ShaderRole;
  readonly #compiled = new WeakMap<Device, Map<MathMode, Compiled>>();

  constructor(name: string, wgsl: string, bindings: readonly Binding[], workgroupSize: number, traits: ShaderTraits) {
    this.name = name;
    this.wgsl = wgsl;
    this.bindings = bindings;
    this.workgroupSize = workgroupSize;
    this.traits = traits;
    this.role = traits.role ?? { name, direction: null };
  }

  /** The whole shader, with the math that it names joined to it. */
  source(math: MathMode): string {
    return joinMath(this.wgsl, math);
  }

  /** Compiles without blocking. Rejects with a WgslError where the source has a mistake. */
  async prepare(device: Device): Promise<void> {
    const { math } = device;
    const known = this.#pipelinesOn(device).get(math);
    if (known !== undefined) {
      const mistake = await device.loss.orLost(known.mistake);
      if (mistake === null) return;
      tell(mistake);
      throw mistake;
    }
    const { descriptor, layout, mistake } = this.#describe(device);
    const found = await device.loss.orLost(mistake);
    if (found !== null) throw found;
    const compiling = device.gpuDevice.createComputePipelineAsync(descriptor);
    const pipeline = await device.loss.orLost(compiling).catch((error: unknown) => {
      throw error instanceof Error && !isGpugradError(error) ? this.#refused(error) : error;
    });
    if (this.#pipelinesOn(device).has(math)) return;
    device.pipelines++;
    this.#pipelinesOn(device).set(math, new Compiled(pipeline, layout, mistake, this.traits.origin, true));
  }

  #pipelinesOn(device: Device): Map<MathMode, Compiled> {
    let known = this.#compiled.get(device);
    if (known === undefined) {
      known = new Map<MathMode, Compiled>();
      this.#compiled.set(device, known);
    }
    return known;
  }

  /** The pipeline, compiled now if it never was. What the compiler has to say arrives later, as `mistake`. */
  compile(device: Device): Compiled {
    const known = this.#pipelinesOn(device).get(device.math);
    if (known !== undefined) return known;
    const { descriptor, layout, mistake } = this.#describe(device);
    const { gpuDevice } = device;
    gpuDevice.pushErrorScope("internal");
    gpuDevice.pushErrorScope("validation");
    const pipeline = gpuDevice.createComputePipeline(descriptor);
    const scopes = [caught(gpuDevice), caught(gpuDevice)];
    const refused = Promise.all(scopes).then((errors) => errors.find((error) => error !== null) ?? null);
    const found = Promise.all([mistake, refused]).then(([inSource, inPipeline]) => {
      if (inSource !== null) return inSource;
      return inPipeline === null ? null : this.#refused(inPipeline);
    });
    void found.then((error) => {
      if (error !== null) tellUnlessRead(error, "a shader doesn't compile", device.loss);
    });
    const compiled = new Compiled(pipeline, layout, found, this.traits.origin, false);
    device.pipelines++;
    this.#pipelinesOn(device).set(device.math, compiled);
    return compiled;
  }

  #describe(device: Device): {
    descriptor: GPUComputePipelineDescriptor;
    layout: GroupLayout;
    mistake: Promise<WgslError | null>;
  } {
    this.#checkBindings(device);
    const { gpuDevice } = device;
    const layout = device.bindGroups.layoutOf(this.bindings);
    gpuDevice.pushErrorScope("validation");
    const module = gpuDevice.createShaderModule({ code: this.source(device.math), label: this.name });
    const pipelineLayout = gpuDevice.createPipelineLayout({ bindGroupLayouts: [layout.layout] });
    void caught(gpuDevice);
    return {
      layout,
      descriptor: { label: this.name, layout: pipelineLayout, compute: { module, entryPoint: "main" } },
      mistake: module.getCompilationInfo().then(
        ({ messages }) => {
          const error = messages.find((message) => message.type === "error" && !isOfLoss(message));
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
  #explain({ message: told, lineNum, linePos }: GPUCompilationMessage): WgslError {
    const message = withoutExcerpt(told);
    const lines = this.wgsl.split("\n");
    const line = lineNum - (this.traits.firstLine ?? 1) + 1;
    if (line < 1 || lineNum > lines.length) return new WgslError(`${this.name}: ${message}`);
    const text = lines[lineNum - 1]?.trim() ?? "";
    return new WgslError(`${this.name}, line ${line}, column ${linePos}: ${message}\n  ${text}`, line);
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
}
