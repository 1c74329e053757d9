/** The little that hand-written WebGPU needs: a device, buffers made once, pipelines, and a list of dispatches. */
import { withAllMath } from "../../../src/wgsl/all-math.js";
import { joinMath, type MathMode } from "../../../src/wgsl/math.js";
import fusedWgsl from "./fused.wgsl?raw";
import nodesWgsl from "./nodes.wgsl?raw";
import reduceWgsl from "./reduce.wgsl?raw";

export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** Along x, or x and y. */
  readonly workgroups: number | readonly [number, number];
}

/** Invocations of a workgroup of element-wise shaders. */
const size = 256;

const perWorkgroup = 4 * 64 * 64;

const sources = { nodes: nodesWgsl, fused: fusedWgsl, reduce: reduceWgsl };

/** Each function for four numbers at once: the language's own takes vectors, gpugrad's takes one number. */
const fourNative = ["exp", "sin", "cos"].map((name) => `fn ${name}4(x: vec4f) -> vec4f { return ${name}(x); }`);
const fourExact = [
  ...["exp", "sin", "cos"].map(
    (name) =>
      `fn ${name}4(x: vec4f) -> vec4f { ` +
      `return vec4f(math_${name}(x.x), math_${name}(x.y), math_${name}(x.z), math_${name}(x.w)); }`,
  ),
  // As gpugrad does: a zero that the compiler doesn't know.
  "fn math_zero() -> u32 { return arrayLength(&r) >> 30u; }",
];

export class Gpu {
  readonly #device: GPUDevice;
  readonly #math: MathMode;
  readonly #buffers: GPUBuffer[] = [];
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  private constructor(device: GPUDevice, math: MathMode) {
    this.#device = device;
    this.#math = math;
  }

  static async open(math: MathMode): Promise<Gpu> {
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) throw new Error("Chrome offers no WebGPU adapter");
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
    device.addEventListener("uncapturederror", (event) => {
      throw new Error(`hand-written: ${event.error.message}`);
    });
    return new Gpu(device, math);
  }

  /** An array of n numbers. */
  array(n: number): GPUBuffer {
    return this.#buffer(n * 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
  }

  upload(values: Float32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.array(values.length);
    this.#device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  constant(value: number): GPUBuffer {
    const buffer = this.#buffer(4, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.#device.queue.writeBuffer(buffer, 0, Float32Array.of(value));
    return buffer;
  }

  #buffer(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#device.createBuffer({ size: Math.ceil(bytes / 16) * 16, usage });
    this.#buffers.push(buffer);
    return buffer;
  }

  /** A dispatch of an element-wise shader: r of n numbers from a, b and the number c. */
  node(entry: string, n: number, arrays: Bound, source: "nodes" | "fused" = "nodes"): Dispatch {
    return this.#dispatch(source, entry, arrays, Math.ceil(n / 4 / size));
  }

  /** The sum of n numbers in `a`, times `factor`: the dispatches, and where it is. */
  sum(a: GPUBuffer, n: number, factor = 1): { dispatches: Dispatch[]; result: GPUBuffer } {
    const dispatches: Dispatch[] = [];
    let current = a;
    let left = n;
    do {
      const workgroups = Math.ceil(left / perWorkgroup);
      const r = this.array(workgroups);
      const c = this.constant(workgroups === 1 ? factor : 1);
      dispatches.push(this.#dispatch("reduce", "sum", { a: current, r, c }, workgroups));
      current = r;
      left = workgroups;
    } while (left > 1);
    return { dispatches, result: current };
  }

  /**
   * A dispatch of any shader.
   *
   * @param bound what stands at each binding; undefined where the entry point has none
   */
  dispatch(
    compute: GPUProgrammableStage,
    bound: readonly (GPUBuffer | undefined)[],
    workgroups: Dispatch["workgroups"],
  ): Dispatch {
    const pipeline = this.#device.createComputePipeline({ layout: "auto", compute });
    return this.#bound(pipeline, bound, workgroups);
  }

  module(code: string): GPUShaderModule {
    return this.#device.createShaderModule({ code });
  }

  #dispatch(source: keyof typeof sources, entry: string, { a, b, r, c }: Bound, workgroups: number): Dispatch {
    return this.#bound(this.#pipeline(source, entry), [a, b, r, c], workgroups);
  }

  #bound(
    pipeline: GPUComputePipeline,
    bound: readonly (GPUBuffer | undefined)[],
    workgroups: Dispatch["workgroups"],
  ): Dispatch {
    const entries = bound.flatMap((buffer, binding) =>
      buffer === undefined ? [] : [{ binding, resource: { buffer } }],
    );
    const bindGroup = this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, bindGroup, workgroups };
  }

  #pipeline(source: keyof typeof sources, entryPoint: string): GPUComputePipeline {
    const known = this.#pipelines.get(entryPoint);
    if (known !== undefined) return known;
    let module = this.#modules.get(source);
    if (module === undefined) {
      const four = source === "reduce" ? [] : this.#math === "native" ? fourNative : fourExact;
      const text = [sources[source].replaceAll("SIZE", `${size}`), ...four].join("\n");
      module = this.module(joinMath(withAllMath(text), this.#math));
      this.#modules.set(source, module);
    }
    const pipeline = this.#device.createComputePipeline({ layout: "auto", compute: { module, entryPoint } });
    this.#pipelines.set(entryPoint, pipeline);
    return pipeline;
  }

  /** Submits in one go: copies first, then all dispatches in one pass. */
  submit(copies: readonly Copy[], cleared: readonly GPUBuffer[], dispatches: readonly Dispatch[]): void {
    const encoder = this.#device.createCommandEncoder();
    for (const { from, to } of copies) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    for (const buffer of cleared) encoder.clearBuffer(buffer);
    const pass = encoder.beginComputePass();
    let set: GPUComputePipeline | null = null;
    for (const { pipeline, bindGroup, workgroups } of dispatches) {
      if (pipeline !== set) pass.setPipeline(pipeline);
      set = pipeline;
      pass.setBindGroup(0, bindGroup);
      const [x, y = 1] = typeof workgroups === "number" ? [workgroups] : workgroups;
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  done(): Promise<undefined> {
    return this.#device.queue.onSubmittedWorkDone();
  }

  async read(buffer: GPUBuffer, n: number): Promise<Float32Array> {
    const staging = this.#device.createBuffer({
      size: n * 4,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, n * 4);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return values;
  }

  close(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#device.destroy();
  }
}

/** What stands at the bindings of a shader; those it lacks are left out. */
export interface Bound {
  readonly a?: GPUBuffer;
  readonly b?: GPUBuffer;
  readonly r: GPUBuffer;
  readonly c?: GPUBuffer;
}

export interface Copy {
  readonly from: GPUBuffer;
  readonly to: GPUBuffer;
}
