/** A shader and its pipelines: compiled once for each device and kind of math, and what the compiler says about it. */
import { isGpugradError, LimitError, WgslError } from "../base/errors.js";
import type { Binding } from "../wgsl/binding.js";
import { joinMath, type MathMode } from "../wgsl/math.js";
import type { GroupLayout } from "./bind-groups.js";
import type { Device } from "./device.js";

export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GroupLayout;
  /** What the compiler has to say, once it has said it; null for no mistake. */
  readonly mistake: Promise<WgslError | null>;
  /** True once the compiler has said that all is well. */
  verified: boolean;
  /** Of a Kernel of the user's own: the sizes of bindings with which it has run. Others may be too small for its WGSL. */
  readonly accepted: Set<string>;
}

/** Where in a shader the text of the user begins, and its number of lines: errors are told in its lines. */
export interface UserLines {
  readonly first: number;
  readonly count: number;
}

export class Program {
  readonly name: string;
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  readonly #userLines: UserLines;
  readonly #compiled = new WeakMap<Device, Map<MathMode, Compiled>>();

  constructor(name: string, wgsl: string, bindings: readonly Binding[], userLines?: UserLines) {
    this.name = name;
    this.wgsl = wgsl;
    this.bindings = bindings;
    this.#userLines = userLines ?? { first: 1, count: wgsl.split("\n").length };
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

  /** The pipeline, compiled now if it never was. What the compiler has to say arrives later, as `mistake`. */
  compile(device: Device): Compiled {
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
    layout: GroupLayout;
    mistake: Promise<WgslError | null>;
  } {
    this.#checkBindings(device);
    const { gpuDevice } = device;
    const layout = device.bindGroupLayout(this.bindings);
    gpuDevice.pushErrorScope("validation");
    const module = gpuDevice.createShaderModule({ code: this.source(device.math), label: this.name });
    const pipelineLayout = gpuDevice.createPipelineLayout({ bindGroupLayouts: [layout.layout] });
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
    const { first, count } = this.#userLines;
    const line = lineNum - first + 1;
    if (lineNum === 0 || line < 1 || line > count) return new WgslError(`${this.name}: ${message}`);
    const text = this.wgsl.split("\n")[lineNum - 1]?.trim() ?? "";
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
