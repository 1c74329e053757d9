/** The GPU device that operations run on: picked once by `init()`, or the application's own. */
import {
  ArgumentError,
  DeviceLostError,
  isGpugradError,
  NoAdapterError,
  NotInitializedError,
  NoWebGPUError,
  OutOfMemoryError,
  ValidationError,
} from "../base/errors.js";
import { describe } from "../base/describe.js";
import type { MathMode } from "../wgsl/math.js";
import { BindGroups, type GroupLayout } from "./bind-groups.js";
import { Holdings } from "./holdings.js";
import { Pool } from "./pool.js";
import { Recorder } from "./recorder.js";
import { UniformCache } from "./uniforms.js";

export interface InitOptions {
  /** The application's own device. gpugrad works on it and never destroys it. */
  readonly device?: GPUDevice;
  /** The entry point to WebGPU where there is no `navigator.gpu`: in Node, `create([])` of the npm package webgpu. */
  readonly gpu?: GPU;
  /** Passed to `requestAdapter`; counts only when a device is picked. */
  readonly powerPreference?: GPUPowerPreference;
  /** "exact" (the default) for gpugrad's own functions, "native" for the driver's. */
  readonly math?: MathMode;
  /** The most bytes of released buffers that are kept for reuse. Default: 1 GiB. */
  readonly poolBytes?: number;
}

/** Counters of one device. Bytes are those of the GPU buffers, padding included. */
export interface Stats {
  /** Compute dispatches recorded. */
  readonly dispatches: number;
  /** Command buffers given to the queue. */
  readonly submits: number;
  /** Pipelines compiled. */
  readonly pipelines: number;
  /** Bytes of buffers in use. */
  readonly liveBytes: number;
  /** Bytes of released buffers kept for reuse. */
  readonly pooledBytes: number;
  /** The most that liveBytes + pooledBytes has been. */
  readonly peakBytes: number;
  /** Bytes of all buffers made so far. */
  readonly allocatedBytes: number;
}

const defaultPoolBytes = 2 ** 30;

/** One GPUDevice and what gpugrad keeps for it. */
export class Device {
  readonly gpuDevice: GPUDevice;
  /** Vendor, architecture and description, as far as the browser tells them. */
  readonly adapterInfo: GPUAdapterInfo;
  readonly limits: GPUSupportedLimits;
  readonly pool: Pool;
  readonly recorder: Recorder;
  readonly uniforms: UniformCache;
  readonly bindGroups: BindGroups;
  readonly holdings = new Holdings();
  math: MathMode = "exact";
  dispatches = 0;
  submits = 0;
  pipelines = 0;
  #lost: DeviceLostError | null = null;
  readonly #layouts = new Map<string, GroupLayout>();
  readonly #waiting = new Set<(error: DeviceLostError) => void>();

  constructor(gpuDevice: GPUDevice, adapterInfo: GPUAdapterInfo) {
    this.gpuDevice = gpuDevice;
    this.adapterInfo = adapterInfo;
    this.limits = plain(gpuDevice.limits);
    this.pool = new Pool(this, defaultPoolBytes);
    this.recorder = new Recorder(this);
    this.uniforms = new UniformCache(this);
    this.bindGroups = new BindGroups(this);
    void gpuDevice.lost.then((info) => {
      const detail = info.message === "" ? "" : `: ${info.message}`;
      const error = new DeviceLostError(
        `the GPU device is lost (${info.reason}${detail}); what was on it is gone. ` +
          "Call await init() for a new device and upload again what you saved with read()",
        info.reason,
      );
      this.#lost = error;
      for (const reject of this.#waiting) reject(error);
      this.#waiting.clear();
    });
  }

  /** The error that says why the device is gone, or null while it works. */
  get lost(): DeviceLostError | null {
    return this.#lost;
  }

  /** True where shaders run on the processor (SwiftShader, llvmpipe, WARP): right, but slow. */
  get isSoftware(): boolean {
    const { architecture, description, isFallbackAdapter } = this.adapterInfo;
    return (
      isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${architecture} ${description}`)
    );
  }

  /** The most bytes one array can have. Beyond `limits.maxStorageBufferBindingSize`, only element-wise functions take it. */
  get maxArrayBytes(): number {
    return this.limits.maxBufferSize;
  }

  /** The promise's own outcome, or a rejection as soon as the device is lost: nothing waits for ever. */
  orLost<T>(work: Promise<T>): Promise<T> {
    if (this.#lost !== null) {
      work.catch(() => undefined);
      return Promise.reject(this.#lost);
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const refuse = async (error: unknown): Promise<void> => {
        // What WebGPU refuses because the device is lost, it may refuse before it tells of the loss.
        const isOther = isGpugradError(error) || (error as Partial<GPUPipelineError>).reason === "validation";
        const lost = isOther ? null : await this.isLostNow();
        reject(lost ?? (error instanceof Error ? error : new Error(String(error))));
      };
      void work.then(resolve, refuse).finally(() => this.#waiting.delete(reject));
    });
  }

  /** Whether the device is lost, when WebGPU may be about to say so. */
  async isLostNow(): Promise<DeviceLostError | null> {
    await Promise.race([this.gpuDevice.lost, new Promise((resolve) => setTimeout(resolve, 1000))]);
    return this.#lost;
  }

  /** Submits what is recorded; resolves when the GPU has done it, rejects when the device is lost. */
  finished(): Promise<void> {
    this.recorder.flush();
    return this.orLost(this.gpuDevice.queue.onSubmittedWorkDone());
  }

  /** The layout of group 0 for these bindings, shared by all kernels that have the same ones. */
  bindGroupLayout(bindings: readonly ("input" | "output" | "uniform")[]): GroupLayout {
    const key = bindings.join();
    let known = this.#layouts.get(key);
    if (known === undefined) {
      const types = { input: "read-only-storage", output: "storage", uniform: "uniform" } as const;
      const layout = this.gpuDevice.createBindGroupLayout({
        entries: bindings.map((kind, binding) => ({
          binding,
          visibility: 0x4 /* COMPUTE */,
          buffer: { type: types[kind] },
        })),
      });
      known = { layout, number: this.bindGroups.numberOf(layout) };
      this.#layouts.set(key, known);
    }
    return known;
  }

  stats(): Stats {
    const { liveBytes, pooledBytes, peakBytes, allocatedBytes } = this.pool;
    const { dispatches, submits, pipelines } = this;
    return { dispatches, submits, pipelines, liveBytes, pooledBytes, peakBytes, allocatedBytes };
  }
}

/** The same limits as plain properties: they are asked for at every dispatch, and WebGPU's are getters. */
function plain(limits: GPUSupportedLimits): GPUSupportedLimits {
  const copy: Record<string, unknown> = {};
  for (const name in limits) copy[name] = limits[name as keyof GPUSupportedLimits];
  return copy as unknown as GPUSupportedLimits;
}

let current: Device | null = null;
let lastInit: Promise<unknown> = Promise.resolve();

/**
 * Picks an adapter and a device, or takes the application's. Call it once and await it before anything else. Calling
 * it again, even at the same time, gives the same device; after a device was lost, a new one. A second call's `math`
 * and `poolBytes` apply from then on; its `device`, where it is another one, becomes the device of new Variables.
 *
 * @throws NoWebGPUError, NoAdapterError, DeviceLostError (the application's own device is lost already), each saying
 * what can be done; ArgumentError for an option of the wrong kind.
 * @example
 * const device = await init();
 * console.log(device.adapterInfo.vendor, device.isSoftware);
 */
export function init(options: InitOptions = {}): Promise<Device> {
  const mine = lastInit.then(() => initNow(options));
  lastInit = mine.catch(() => undefined);
  return mine;
}

async function initNow(options: InitOptions): Promise<Device> {
  checkOptions(options);
  const wanted = options.device;
  if (current?.lost !== null || (wanted !== undefined && wanted !== current.gpuDevice)) {
    const fresh = wanted === undefined ? await pickDevice(options) : new Device(wanted, wanted.adapterInfo);
    // A device that is lost from the start says so before it says that it has nothing to do.
    await Promise.race([fresh.gpuDevice.lost, fresh.gpuDevice.queue.onSubmittedWorkDone().catch(() => undefined)]);
    if (fresh.lost !== null) throw fresh.lost;
    current = fresh;
  }
  if (options.math !== undefined) current.math = options.math;
  if (options.poolBytes !== undefined) current.pool.setCap(options.poolBytes);
  return current;
}

function checkOptions(options: InitOptions): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new ArgumentError(`init takes an object of options, not ${describe(given)}`);
  }
  const { device, gpu, math, poolBytes } = options as Record<keyof InitOptions, unknown>;
  if (device !== undefined && !hasMethod(device, "createComputePipeline")) {
    throw new ArgumentError(`init: device must be a GPUDevice, not ${describe(device)}`);
  }
  if (gpu !== undefined && !hasMethod(gpu, "requestAdapter")) {
    throw new ArgumentError(`init: gpu must be a GPU object such as navigator.gpu, not ${describe(gpu)}`);
  }
  if (math !== undefined && math !== "exact" && math !== "native") {
    throw new ArgumentError(`init: math must be "exact" or "native", not ${describe(math)}`);
  }
  if (poolBytes !== undefined && !(typeof poolBytes === "number" && poolBytes >= 0)) {
    throw new ArgumentError(`init: poolBytes must be a number of bytes, not ${describe(poolBytes)}`);
  }
}

function hasMethod(value: unknown, method: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}

async function pickDevice({ gpu, powerPreference }: InitOptions): Promise<Device> {
  const entry = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (entry === undefined) throw new NoWebGPUError(whyNoWebGPU());
  const adapter = await entry.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null) {
    throw new NoAdapterError(
      "WebGPU is here but offers no adapter. The GPU or its driver may be blocked: look at chrome://gpu, update the " +
        "driver, or start Chrome with --enable-unsafe-webgpu to run on the processor",
    );
  }
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const wanted: GPUDeviceDescriptor = {
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
  };
  const gpuDevice = await adapter.requestDevice(wanted).catch((error: unknown) => {
    throw new NoAdapterError(`WebGPU's adapter gives no device: ${String(error)}`);
  });
  gpuDevice.addEventListener("uncapturederror", (event) => {
    // Errors of recorded work are caught by scopes. What arrives here is a small buffer for which there was no room, or a
    // bug of ours: it must not pass unseen.
    const { error } = event;
    const isMemory = error.constructor.name === "GPUOutOfMemoryError";
    device.recorder.fail(
      isMemory
        ? new OutOfMemoryError(`the GPU has no room for a small buffer: ${error.message}`)
        : new ValidationError(`WebGPU refused a call of gpugrad's: ${error.message}`),
    );
  });
  const device = new Device(gpuDevice, adapter.info);
  return device;
}

function whyNoWebGPU(): string {
  if ((globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
    return "no WebGPU: a page gets it only over https or from localhost";
  }
  if ((globalThis as { document?: unknown }).document === undefined) {
    return (
      "no WebGPU: there is no navigator.gpu in this runtime. In Node, pass init({ gpu }) with the GPU object of the " +
      "npm package webgpu"
    );
  }
  return "no WebGPU: this browser has no navigator.gpu. Use a current Chrome, Edge, Safari or Firefox";
}

/**
 * The device of new Variables.
 *
 * @throws NotInitializedError before `await init()`, DeviceLostError after a loss.
 */
export function currentDevice(): Device {
  if (current === null) throw new NotInitializedError("gpugrad has no device yet: call await init() first");
  if (current.lost !== null) throw current.lost;
  return current;
}

/**
 * Counters of the current device.
 *
 * @example
 * const before = stats().dispatches;
 * square(x);
 * console.log(stats().dispatches - before); // 1
 */
export function stats(): Stats {
  return currentDevice().stats();
}

/** Submits what is recorded, without waiting. Reads do it themselves, and so does the end of the current task. */
export function flush(): void {
  currentDevice().recorder.flush();
}
