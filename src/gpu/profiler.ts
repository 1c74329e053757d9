/** Measures dispatches one by one, with timestamp queries where the device has them. */
import type { Device } from "./device.js";

/** The most queries that WebGPU allows in one set; a dispatch takes two. */
const setSize = 4096;

/** One dispatch, as it was recorded. */
export interface MeasuredDispatch {
  readonly label: string;
  /** Bytes of the arrays that are read and written. */
  readonly bytes: number;
  /** Nanoseconds on the GPU; null where there are no timestamps. */
  nanoseconds: number | null;
}

export class Profiler {
  readonly dispatches: MeasuredDispatch[] = [];
  readonly #device: Device;
  readonly #timed: boolean;
  readonly #sets: GPUQuerySet[] = [];

  constructor(device: Device) {
    this.#device = device;
    this.#timed = device.gpuDevice.features.has("timestamp-query");
  }

  /** What the pass of the next dispatch is begun with. */
  measure(label: string, bytes: number): GPUComputePassDescriptor {
    const index = (this.dispatches.length * 2) % setSize;
    this.dispatches.push({ label, bytes, nanoseconds: null });
    if (!this.#timed) return {};
    if (index === 0) this.#sets.push(this.#device.gpuDevice.createQuerySet({ type: "timestamp", count: setSize }));
    const querySet = this.#sets[this.#sets.length - 1];
    if (querySet === undefined) return {};
    return { timestampWrites: { querySet, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 } };
  }

  /** Reads the times, when everything was submitted. */
  async finish(): Promise<readonly MeasuredDispatch[]> {
    const { gpuDevice } = this.#device;
    for (const [k, querySet] of this.#sets.entries()) {
      const bytes = setSize * 8;
      const resolved = gpuDevice.createBuffer({ size: bytes, usage: 0x200 /* QUERY_RESOLVE */ | 0x4 /* COPY_SRC */ });
      const staging = gpuDevice.createBuffer({ size: bytes, usage: 0x1 /* MAP_READ */ | 0x8 /* COPY_DST */ });
      const encoder = gpuDevice.createCommandEncoder();
      const first = (k * setSize) / 2;
      const measured = this.dispatches.slice(first, first + setSize / 2);
      encoder.resolveQuerySet(querySet, 0, measured.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, measured.length * 16);
      gpuDevice.queue.submit([encoder.finish()]);
      await this.#device.orLost(staging.mapAsync(1 /* READ */));
      const times = new BigInt64Array(staging.getMappedRange());
      measured.forEach((dispatch, index) => {
        dispatch.nanoseconds = Number((times[2 * index + 1] ?? 0n) - (times[2 * index] ?? 0n));
      });
      for (const resource of [staging, resolved, querySet]) resource.destroy();
    }
    return this.dispatches;
  }
}
