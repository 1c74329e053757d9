/**
 * Records commands into one open encoder and submits them in batches: many small nodes cost one submit. A batch is
 * submitted by a read, by `flush()`, at the end of the current task, or when it has `maxCommands` commands.
 *
 * Errors of the GPU arrive later, through error scopes around each allocation and each submit. Batches settle in the
 * order of the queue. When one failed, everything it wrote is marked, and so is everything that later batches computed
 * from that; a read of a marked array rejects, a read of any other works.
 */
import { ArgumentError, OutOfMemoryError, ValidationError, WgslError, type GpugradError } from "../base/errors.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import type { Device } from "./device.js";
import type { Profiler } from "./profiler.js";
import type { PooledBuffer } from "./pool.js";
import type { Storage } from "./storage.js";

const maxCommands = 1024;

/** From how many bytes on an allocation or an upload has error scopes of its own. */
export const watched = 2 ** 16;

interface Command {
  readonly name: string;
  /** Of the arrays that it writes; named with it where it failed or is measured. */
  readonly shapes: readonly Shape[];
  readonly reads: readonly Storage[];
  readonly writes: readonly Storage[];
}

export interface Dispatch extends Command {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  /** Bytes of the arrays that are read and written. */
  readonly bytes: number;
}

/** Resolves to what went wrong, or to null. */
type Check = Promise<GpugradError | null>;

const fine: Check = Promise.resolve(null);

export class Recorder {
  /** Measures dispatches while `profile` runs. */
  profiler: Profiler | null = null;
  readonly #device: Device;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** The one that is set in the open pass. */
  #pipeline: GPUComputePipeline | null = null;
  #commands: Command[] = [];
  #checks: Check[] = [];
  #batch = 0;
  #settled: Check = Promise.resolve(null);

  constructor(device: Device) {
    this.#device = device;
  }

  dispatch(command: Dispatch): void {
    const encoder = this.#open();
    if (this.profiler !== null) {
      this.#endPass();
      this.#pass = encoder.beginComputePass(this.profiler.measure(labelOf(command), command.bytes));
    }
    this.#pass ??= encoder.beginComputePass();
    if (command.pipeline !== this.#pipeline) {
      this.#pipeline = command.pipeline;
      this.#pass.setPipeline(command.pipeline);
    }
    this.#pass.setBindGroup(0, command.bindGroup);
    const [x, y, z] = command.workgroups;
    this.#pass.dispatchWorkgroups(x, y, z);
    this.#device.dispatches++;
    this.#add(command);
  }

  copy(from: Storage, to: Storage, bytes: number, label: string): void {
    this.copyToBuffer(from, to.pooled, bytes, label, [to]);
  }

  /** Copies into a buffer that is no array's, such as one for reading back. */
  copyToBuffer(from: Storage, to: PooledBuffer, bytes: number, label: string, writes: readonly Storage[] = []): void {
    checkUsage(from.buffer, 0x4, "COPY_SRC", label);
    checkUsage(to.buffer, 0x8, "COPY_DST", label);
    const isolated = from.pooled.doubtful || to.doubtful;
    if (isolated) this.flush();
    const encoder = this.#open();
    this.#endPass();
    encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, bytes);
    to.lastBatch = this.#batch;
    this.#add({ name: label, shapes: [], reads: [from], writes });
    if (isolated) this.flush();
  }

  /** Writes from the processor. The queue runs this before commands that are recorded and not yet submitted. */
  upload(to: Storage, values: Float32Array): void {
    this.flushIfUsing(to.pooled);
    const { queue } = this.#device.gpuDevice;
    const write = (): void => queue.writeBuffer(to.buffer, 0, values as Float32Array<ArrayBuffer>);
    const what = `upload of ${values.byteLength} bytes`;
    const noRoom = (message: string): GpugradError => new OutOfMemoryError(`${what}: ${message}`);
    const { check } = this.attempt(values.byteLength, write, noRoom, what);
    const known = check.then((failure) => {
      if (failure !== null) to.failure = failure;
      return null;
    });
    this.check(known);
  }

  flushIfUsing(pooled: PooledBuffer): void {
    if (pooled.lastBatch === this.#batch && this.#encoder !== null) this.flush();
  }

  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#endPass();
    const { gpuDevice } = this.#device;
    gpuDevice.pushErrorScope("out-of-memory");
    gpuDevice.pushErrorScope("validation");
    gpuDevice.queue.submit([encoder.finish()]);
    this.#device.submits++;
    const validation = pop(gpuDevice, (message) => new ValidationError(`WebGPU refused this work: ${message}`));
    const memory = pop(gpuDevice, (message) => new OutOfMemoryError(`the GPU ran out of memory: ${message}`));
    this.#settle([...this.#checks, validation, memory], this.#commands);
    this.#encoder = null;
    this.#commands = [];
    this.#checks = [];
    this.#batch++;
  }

  /** Runs a call that makes something on the GPU, and has the open batch fail with `purpose` where that fails. */
  watch<T>(purpose: string, make: () => T): T {
    const { made, check } = this.attempt(
      Infinity,
      make,
      (message) => new OutOfMemoryError(`${purpose}: ${message}`),
      purpose,
    );
    this.check(check);
    return made;
  }

  /**
   * Runs a call that makes something of so many bytes on the GPU. Whether it was made is known later. Something small is
   * taken for made: the two scopes would cost many times what it costs, and a GPU without room for it refuses much more.
   */
  attempt<T>(
    bytes: number,
    make: () => T,
    noRoom: (message: string) => GpugradError,
    purpose: string,
  ): { made: T; check: Check } {
    if (bytes < watched) return { made: make(), check: fine };
    const { gpuDevice } = this.#device;
    const checks: Check[] = [];
    let made: T;
    gpuDevice.pushErrorScope("out-of-memory");
    gpuDevice.pushErrorScope("validation");
    try {
      made = make();
    } finally {
      checks.push(pop(gpuDevice, (message) => new ValidationError(`${purpose}: ${message}`)));
      checks.push(pop(gpuDevice, noRoom));
    }
    return { made, check: Promise.all(checks).then(([validation, memory]) => memory ?? validation ?? null) };
  }

  /** Has the open batch, or the next one, fail where this check does. */
  check(check: Check): void {
    this.#checks.push(check);
  }

  fail(error: GpugradError): void {
    this.check(Promise.resolve(error));
  }

  /** When everything submitted so far is known to have worked, or is marked as failed: what the last batch failed with. */
  settled(): Check {
    return this.#settled;
  }

  #open(): GPUCommandEncoder {
    if (this.#encoder === null) {
      this.#encoder = this.#device.gpuDevice.createCommandEncoder();
      queueMicrotask(() => {
        this.flush();
      });
    }
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#pipeline = null;
  }

  #add(command: Command): void {
    for (const storage of command.reads) storage.pooled.lastBatch = this.#batch;
    for (const storage of command.writes) storage.pooled.lastBatch = this.#batch;
    this.#commands.push(command);
    if (this.#commands.length >= maxCommands) this.flush();
  }

  #settle(checks: readonly Check[], commands: readonly Command[]): void {
    const before = this.#settled;
    this.#settled = Promise.all(checks).then(async (outcomes) => {
      await before;
      const first = outcomes.find((outcome) => outcome !== null) ?? null;
      if (first !== null) this.#device.uniforms.forget();
      // A command whose buffer was never made takes its whole batch with it.
      const failed = first && (commands.map(refusedBuffer).find((refused) => refused !== null) ?? first);
      for (const command of commands) {
        const { reads, writes } = command;
        const failure =
          failed === null
            ? (reads.find((storage) => storage.failure !== null)?.failure ?? null)
            : explain(failed, labelOf(command));
        for (const storage of writes) storage.failure = failure;
        // A small buffer may be what the batch failed of: nobody watched when it was made.
        if (failed !== null) for (const { pooled } of [...reads, ...writes]) this.#device.pool.distrust(pooled);
      }
      return failed;
    });
  }
}

/** Names a command and what it writes. */
function labelOf({ name, shapes }: Command): string {
  const written = shapes.map((shape) => `${showShape(shape)} (${4 * sizeOf(shape)} bytes)`);
  return [name, written.join(", ")].filter((part) => part !== "").join(" ");
}

/** @throws ArgumentError where a buffer of the application's own can't be copied. */
function checkUsage(buffer: GPUBuffer, flag: GPUBufferUsageFlags, name: string, label: string): void {
  if ((buffer.usage & flag) !== 0) return;
  throw new ArgumentError(`${label}: the usage of the buffer given to fromBuffer must include ${name}`);
}

/** Why one of a command's buffers holds nothing, or null. */
function refusedBuffer({ reads, writes }: Command): GpugradError | null {
  return [...reads, ...writes].find(({ pooled }) => pooled.failure !== null)?.pooled.failure ?? null;
}

/** The same error, naming the command whose result it took. */
function explain(error: GpugradError, label: string): GpugradError {
  if (error instanceof OutOfMemoryError) {
    return new OutOfMemoryError(`${label} has no result: ${error.message}`, error.asked, error.live);
  }
  if (error instanceof ValidationError) return new ValidationError(`${label} has no result: ${error.message}`);
  if (error instanceof WgslError) return new WgslError(`${label} has no result: ${error.message}`, error.line);
  return error;
}

function pop(gpuDevice: GPUDevice, wrap: (message: string) => GpugradError): Check {
  return gpuDevice.popErrorScope().then(
    (error) => (error === null ? null : wrap(error.message)),
    // A lost device rejects here; reads learn of the loss from the device itself.
    () => null,
  );
}
