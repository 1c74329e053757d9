/** The GPU device that operations run on. The one place where what gpugrad keeps for a device is put together. */
import { OutOfMemoryError, ValidationError, type DeviceLostError } from "../base/errors.js";
import type { MathMode } from "../wgsl/math.js";
import { BindGroups } from "./bind-groups.js";
import { Holdings } from "./holdings.js";
import { isOfLoss, Loss } from "./loss.js";
import { Pool } from "./pool.js";
import { MemoryPressure } from "./pressure.js";
import { Recorder } from "./recorder.js";
import { UniformCache } from "./uniforms.js";
import { tellUnlessRead } from "./untold.js";

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

/**
 * One GPUDevice and what gpugrad keeps for it: what `init` gives.
 *
 * @example
 * const { gpuDevice, maxArrayBytes } = await init();
 * gpuDevice.lost.then(({ reason }) => console.log(reason, maxArrayBytes));
 */
export class Device {
  /** WebGPU's own. */
  readonly gpuDevice: GPUDevice;
  /** Vendor, architecture and description, as far as the browser tells them. */
  readonly adapterInfo: GPUAdapterInfo;
  /** What WebGPU allows on it, such as maxStorageBufferBindingSize. */
  readonly limits: GPUSupportedLimits;
  /** @internal */
  readonly loss: Loss;
  /** @internal */
  readonly recorder: Recorder;
  /** @internal */
  readonly pool: Pool;
  /** @internal */
  readonly uniforms: UniformCache;
  /** @internal */
  readonly bindGroups: BindGroups;
  /** @internal */
  readonly pressure: MemoryPressure;
  /** @internal */
  readonly holdings: Holdings;
  /** Whose math shaders have: gpugrad's or the driver's. `init({ math })` says. */
  math: MathMode = "exact";
  /** @internal */
  pipelines = 0;

  /** @internal */
  constructor(gpuDevice: GPUDevice, adapterInfo: GPUAdapterInfo) {
    this.gpuDevice = gpuDevice;
    this.adapterInfo = adapterInfo;
    this.limits = plain(gpuDevice.limits);
    this.loss = new Loss(gpuDevice);
    this.recorder = new Recorder(gpuDevice, {
      failed: (buffers) => {
        this.uniforms.forget();
        for (const buffer of buffers) this.pool.suspect(buffer);
      },
      wrong: (error) => {
        tellUnlessRead(error, "a result is missing", this.loss);
      },
      reserved: (buffers) => {
        this.pool.reserve(buffers);
      },
    });
    const { recorder, loss } = this;
    this.pool = new Pool({ gpuDevice, recorder, loss, maxBufferSize: this.limits.maxBufferSize }, defaultPoolBytes);
    this.uniforms = new UniformCache(gpuDevice, recorder, this.pool);
    this.bindGroups = new BindGroups(gpuDevice, recorder);
    this.pressure = new MemoryPressure(() => this.pool.liveBytes);
    this.holdings = new Holdings(this.pressure);
  }

  /** The error that says why the device is gone, or null while it works. */
  get lost(): DeviceLostError | null {
    return this.loss.error;
  }

  /** True where shaders run on the processor (SwiftShader, llvmpipe, WARP): right, but slow. */
  get isSoftware(): boolean {
    const { architecture, description, isFallbackAdapter } = this.adapterInfo;
    return (
      isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${architecture} ${description}`)
    );
  }

  /** The most bytes one array can have. Beyond `limits.maxStorageBufferBindingSize`, no Kernel takes it. */
  get maxArrayBytes(): number {
    return this.limits.maxBufferSize;
  }

  /** Runs `f` with this math. @internal */
  withMath<T>(math: MathMode, f: () => T): T {
    const before = this.math;
    this.math = math;
    try {
      return f();
    } finally {
      this.math = before;
    }
  }

  /** Submits what is recorded; resolves when the GPU has done it, rejects when the device is lost. */
  async finished(): Promise<void> {
    this.recorder.flush();
    await this.loss.orLost(this.gpuDevice.queue.onSubmittedWorkDone());
    await this.pressure.relief;
  }

  /**
   * Has errors that no scope has caught reject the next read. What arrives so is a small buffer for which there was no
   * room, or a bug of gpugrad's.
   *
   * @internal
   */
  catchUncaptured(): void {
    this.gpuDevice.addEventListener("uncapturederror", ({ error }) => {
      if (isOfLoss(error)) return;
      const isMemory = error.constructor.name === "GPUOutOfMemoryError";
      const failure = isMemory
        ? new OutOfMemoryError(`the GPU has no room for a small buffer: ${error.message}`)
        : new ValidationError(`WebGPU refused a call of gpugrad's: ${error.message}`);
      this.recorder.check(Promise.resolve(failure));
    });
  }

  /** Its counters, as the function `stats` gives those of the current device. */
  stats(): Stats {
    const { liveBytes, pooledBytes, waitingBytes, peakBytes, allocatedBytes } = this.pool;
    const { dispatches, submits } = this.recorder;
    const kept = pooledBytes + waitingBytes;
    return { dispatches, submits, pipelines: this.pipelines, liveBytes, pooledBytes: kept, peakBytes, allocatedBytes };
  }
}

/** The same limits as plain properties: they are asked for at every dispatch, and WebGPU's are getters. */
function plain(limits: GPUSupportedLimits): GPUSupportedLimits {
  const copy: Record<string, unknown> = {};
  for (const name in limits) copy[name] = limits[name as keyof GPUSupportedLimits];
  return copy as unknown as GPUSupportedLimits;
}
