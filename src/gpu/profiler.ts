/** Measures dispatches one by one, with timestamp queries where the device has them. */
import type { Device } from "./device.js";
import type { Dispatch, ShaderRole } from "./recorder.js";

/** The most queries that WebGPU allows in one set; a dispatch takes two. */
const setSize = 4096;

/** One dispatch, as it was recorded. */
export interface MeasuredDispatch {
  readonly role: ShaderRole;
  /** Bytes of the arrays that are read and written. */
  readonly bytes: number;
  /** Nanoseconds on the GPU; null where there are no timestamps. */
  nanoseconds: number | null;
}

/** Those that record now. */
const profilers = new WeakMap<Device, Profiler>();

/** Shared by all `profile` calls that are under way at once: each has the dispatches from its beginning to its end. */
export class Profiler {
  readonly #device: Device;
  readonly #timed: boolean;
  readonly #dispatches: MeasuredDispatch[] = [];
  readonly #sets: GPUQuerySet[] = [];
  /** The dispatches, by index, without a time. */
  readonly #unmeasured = new Set<number>();
  /** Calls that still record, and calls that still read times. */
  #recording = 0;
  #reading = 0;

  private constructor(device: Device) {
    this.#device = device;
    this.#timed = device.gpuDevice.features.has("timestamp-query");
  }

  /**
   * Has what is dispatched measured, until the function that it gives is called; that gives the dispatches, and rejects
   * when the device is lost.
   */
  static start(device: Device): () => Promise<readonly MeasuredDispatch[]> {
    const { recorder } = device;
    recorder.flush();
    let profiler = profilers.get(device);
    if (profiler === undefined) profilers.set(device, (profiler = new Profiler(device)));
    const running = profiler;
    recorder.measure = (dispatch, isOurs) => running.#measure(dispatch, isOurs);
    const first = running.#dispatches.length;
    running.#recording++;
    return () => {
      recorder.flush();
      const end = running.#dispatches.length;
      running.#recording--;
      if (running.#recording === 0) {
        recorder.measure = null;
        profilers.delete(device);
      }
      return running.#read(first, end);
    };
  }

  /**
   * What the pass of the next dispatch is begun with. In an application's encoder, which runs when it likes, nothing is measured:
   * WebGPU would refuse all of it, once the times have been read.
   */
  #measure({ role, bytes }: Dispatch, isOurs: boolean): GPUComputePassDescriptor {
    const index = (this.#dispatches.length * 2) % setSize;
    this.#dispatches.push({ role, bytes, nanoseconds: null });
    if (!isOurs) this.#unmeasured.add(this.#dispatches.length - 1);
    if (!this.#timed) return {};
    if (index === 0) this.#sets.push(this.#device.gpuDevice.createQuerySet({ type: "timestamp", count: setSize }));
    const querySet = this.#sets[this.#sets.length - 1];
    if (querySet === undefined || !isOurs) return {};
    return { timestampWrites: { querySet, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 } };
  }

  /** The dispatches from `first` to before `end`, with their times, when everything was submitted. */
  async #read(first: number, end: number): Promise<readonly MeasuredDispatch[]> {
    this.#reading++;
    try {
      for (const [k, querySet] of this.#sets.entries()) {
        const from = (k * setSize) / 2;
        if (from < end && from + setSize / 2 > first) await this.#readSet(querySet, from);
      }
    } finally {
      this.#reading--;
      if (this.#recording + this.#reading === 0) for (const querySet of this.#sets) querySet.destroy();
    }
    return this.#dispatches.slice(first, end);
  }

  async #readSet(querySet: GPUQuerySet, from: number): Promise<void> {
    const { gpuDevice } = this.#device;
    const bytes = setSize * 8;
    const measured = this.#dispatches.slice(from, from + setSize / 2);
    const resolved = gpuDevice.createBuffer({ size: bytes, usage: 0x200 /* QUERY_RESOLVE */ | 0x4 /* COPY_SRC */ });
    const staging = gpuDevice.createBuffer({ size: bytes, usage: 0x1 /* MAP_READ */ | 0x8 /* COPY_DST */ });
    try {
      // Dispatches of another call may be recorded, and not submitted yet.
      this.#device.recorder.flush();
      const encoder = gpuDevice.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, measured.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, measured.length * 16);
      gpuDevice.queue.submit([encoder.finish()]);
      const mapping = staging.mapAsync(1 /* READ */).then(() => staging.getMappedRange());
      const times = new BigInt64Array(await this.#device.loss.orLost(mapping));
      measured.forEach((dispatch, index) => {
        if (this.#unmeasured.has(from + index)) return;
        dispatch.nanoseconds = Number((times[2 * index + 1] ?? 0n) - (times[2 * index] ?? 0n));
      });
    } finally {
      for (const buffer of [staging, resolved]) buffer.destroy();
    }
  }
}
