/**
 * Records commands into one open encoder and submits them in batches: many small nodes cost one submit. A batch is
 * submitted by a read, by `flush()`, at the end of the current task, or when it has `maxCommands` commands.
 *
 * Batches settle in the order of the queue. When one failed, everything it wrote is marked, and so is everything that
 * later batches computed from that; a read of a marked array rejects, a read of any other works.
 *
 * Commands can also go into an encoder of the application's (`into`), which it submits itself. They are a batch of which
 * nobody tells when it is submitted: that it was is checked as the next batch is.
 */
import {
  ArgumentError,
  DeviceLostError,
  OutOfMemoryError,
  ValidationError,
  type GpugradError,
} from "../base/errors.js";
import { remade } from "../base/remade.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import type { TrackedBuffer } from "./buffer.js";
import { attempt, isFinished, submitting, type Check } from "./error-scopes.js";
import type { Storage } from "./storage.js";

const maxCommands = 1024;

interface Command {
  /** Named in errors, with the shapes of the arrays that it writes. */
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly reads: readonly Storage[];
  readonly writes: readonly Storage[];
}

/** The function whose forward or backward a shader is; a direction of null where it has only one. */
export interface ShaderRole {
  readonly name: string;
  readonly direction: "forward" | "backward" | null;
}

export interface Dispatch extends Command {
  readonly role: ShaderRole;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  /** Bytes of the arrays that are read and written. */
  readonly bytes: number;
}

/** Bytes of a buffer, from `offset` on. */
export interface Place {
  readonly buffer: TrackedBuffer;
  readonly offset: number;
}

/** A batch in an encoder of the application's. */
interface TheirBatch {
  readonly encoder: GPUCommandEncoder;
  /** What it failed with, once that is known. */
  readonly check: Check;
  readonly settle: (isSubmitted: Check) => void;
}

export class Recorder {
  /** While somebody measures: what the pass of each dispatch is begun with. */
  measure: ((dispatch: Dispatch) => GPUComputePassDescriptor) | null = null;
  dispatches = 0;
  submits = 0;
  readonly #gpuDevice: GPUDevice;
  readonly #onFailure: (buffers: ReadonlySet<TrackedBuffer>) => void;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** The one that is set in the open pass. */
  #pipeline: GPUComputePipeline | null = null;
  #commands: Command[] = [];
  #checks: Check[] = [];
  #batch = 0;
  #settled: Check = Promise.resolve(null);
  /** While commands go into the application's encoder. */
  #theirs: TheirBatch | null = null;
  /** Those that the application has submitted, or will. */
  #unchecked: TheirBatch[] = [];
  /** The first of these batches. */
  #firstUnchecked = Infinity;
  /** To be destroyed when what uses them is submitted. */
  #retired: GPUBuffer[] = [];

  /** @param onFailure called with all buffers that a batch used, when it has failed */
  constructor(gpuDevice: GPUDevice, onFailure: (buffers: ReadonlySet<TrackedBuffer>) => void) {
    this.#gpuDevice = gpuDevice;
    this.#onFailure = onFailure;
  }

  dispatch(command: Dispatch): void {
    const encoder = this.#open();
    if (this.measure !== null) {
      this.#endPass();
      this.#pass = encoder.beginComputePass(this.measure(command));
    }
    this.#pass ??= encoder.beginComputePass();
    if (command.pipeline !== this.#pipeline) {
      this.#pipeline = command.pipeline;
      this.#pass.setPipeline(command.pipeline);
    }
    this.#pass.setBindGroup(0, command.bindGroup);
    const [x, y, z] = command.workgroups;
    this.#pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
    this.#add(command);
  }

  copy(from: Storage, fromOffset: number, to: Storage, toOffset: number, bytes: number, label: string): void {
    this.copyToBuffer(from, fromOffset, { buffer: to.buffer, offset: toOffset }, bytes, label, [to]);
  }

  /** Copies into a buffer that is no array's, such as one for reading back. */
  copyToBuffer(
    from: Storage,
    fromOffset: number,
    to: Place,
    bytes: number,
    label: string,
    writes: readonly Storage[] = [],
  ): void {
    checkUsage(from.buffer, 0x4, "COPY_SRC", label);
    checkUsage(to.buffer, 0x8, "COPY_DST", label);
    const record = (): void => {
      const encoder = this.#open();
      this.#endPass();
      encoder.copyBufferToBuffer(from.buffer.gpuBuffer, fromOffset, to.buffer.gpuBuffer, to.offset, bytes);
      to.buffer.lastBatch = this.#batch;
      this.#add({ name: label, shapes: [], reads: [from], writes });
    };
    if (from.buffer.isRisky || to.buffer.isRisky) void this.isolated(record);
    else record();
  }

  /** Writes from the processor. The queue runs this before commands that are recorded and not yet submitted. */
  upload(to: Storage, values: Float32Array): void {
    if (this.#theirs === null) this.#flushIfUsing(to.buffer);
    const { queue } = this.#gpuDevice;
    const write = (): void => {
      if (this.#theirs !== null) this.#uploadInto(this.#theirs.encoder, to, values);
      else queue.writeBuffer(to.buffer.gpuBuffer, 0, unshared(values));
    };
    const what = `upload of ${values.byteLength} bytes`;
    const noRoom = (message: string): GpugradError => new OutOfMemoryError(`${what}: ${message}`);
    const { check } = attempt(this.#gpuDevice, values.byteLength, write, noRoom, what);
    const known = check.then((failure) => {
      if (failure !== null) to.failure = failure;
      return null;
    });
    this.check(known);
  }

  /** In the place that it has among the application's commands. */
  #uploadInto(encoder: GPUCommandEncoder, to: Storage, values: Float32Array): void {
    const size = values.byteLength;
    const staging = this.#gpuDevice.createBuffer({ size, usage: 0x4 /* COPY_SRC */, mappedAtCreation: true });
    new Float32Array(staging.getMappedRange()).set(values);
    staging.unmap();
    this.#endPass();
    encoder.copyBufferToBuffer(staging, 0, to.buffer.gpuBuffer, 0, size);
    this.#retired.push(staging);
    this.#add({ name: "upload", shapes: [], reads: [], writes: [to] });
  }

  #flushIfUsing(buffer: TrackedBuffer): void {
    if (buffer.lastBatch === this.#batch && this.#encoder !== null) this.flush();
  }

  /** Destroys a buffer: after what uses it is submitted, since the submit would be invalid. */
  destroy(buffer: TrackedBuffer): void {
    if (buffer.lastBatch >= this.#firstUnchecked || (this.#theirs !== null && buffer.lastBatch === this.#batch)) {
      this.#retired.push(buffer.gpuBuffer);
      return;
    }
    this.#flushIfUsing(buffer);
    buffer.gpuBuffer.destroy();
  }

  /** The same of a buffer of which it isn't known what uses it. */
  destroyUntracked(gpuBuffer: GPUBuffer): void {
    this.flush();
    if (this.#theirs === null && this.#unchecked.length === 0) gpuBuffer.destroy();
    else this.#retired.push(gpuBuffer);
  }

  /** Whether commands go into the application's encoder now: nothing can be waited for. */
  get isInto(): boolean {
    return this.#theirs !== null;
  }

  /** Has what `record` records go into the application's encoder, behind what is submitted so far. */
  into<T>(encoder: GPUCommandEncoder, record: () => T): T {
    this.flush();
    let settle: TheirBatch["settle"] = () => undefined;
    const check = new Promise<GpugradError | null>((resolve) => (settle = resolve));
    const batch: TheirBatch = { encoder, check, settle };
    this.#theirs = batch;
    this.#encoder = encoder;
    try {
      return record();
    } finally {
      this.#endPass();
      this.#theirs = null;
      this.#unchecked.push(batch);
      this.#firstUnchecked = Math.min(this.#firstUnchecked, this.#batch);
      this.#close([...this.#checks, check]);
    }
  }

  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#endPass();
    if (this.#theirs !== null) return;
    this.#checkTheirs();
    const { queue } = this.#gpuDevice;
    const submitted = submitting(this.#gpuDevice, () => {
      queue.submit([encoder.finish()]);
    });
    this.submits++;
    this.#close([...this.#checks, submitted]);
  }

  /** Ends the open batch, which has failed where one of these has. */
  #close(checks: readonly Check[]): void {
    this.#settle(checks, this.#commands);
    this.#encoder = null;
    this.#commands = [];
    this.#checks = [];
    this.#batch++;
  }

  /** What comes now runs behind what the application's encoders have, if these are submitted: the last moment to ask. */
  #checkTheirs(): void {
    for (const { encoder, settle } of this.#unchecked) {
      const submitted = isFinished(this.#gpuDevice, encoder).then((isIt) =>
        isIt
          ? null
          : new ValidationError(
              "the encoder that was given to encodeInto was not submitted before gpugrad's next commands: submit it before the " +
                "end of the task, a read, flush(), or anything else that submits",
            ),
      );
      settle(submitted);
    }
    this.#unchecked = [];
    this.#firstUnchecked = Infinity;
    for (const buffer of this.#retired.splice(0)) buffer.destroy();
  }

  /** Submits what `record` records in batches of its own: where it fails, it takes nothing else along. */
  isolated(record: () => void): Check {
    if (this.#theirs !== null) {
      record();
      return this.#theirs.check;
    }
    this.flush();
    record();
    this.flush();
    return this.#settled;
  }

  /** Has the open batch, or the next one, fail where this check does. */
  check(check: Check): void {
    this.#checks.push(check);
  }

  /** When everything submitted so far is known to have worked, or is marked as failed: what the last batch failed with. */
  settled(): Check {
    return this.#settled;
  }

  #open(): GPUCommandEncoder {
    if (this.#encoder === null) {
      this.#encoder = this.#gpuDevice.createCommandEncoder();
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
    for (const { buffer } of command.reads) buffer.lastBatch = this.#batch;
    for (const { buffer } of command.writes) buffer.lastBatch = this.#batch;
    this.#commands.push(command);
    if (this.#commands.length >= maxCommands) this.flush();
  }

  #settle(checks: readonly Check[], commands: readonly Command[]): void {
    const before = this.#settled;
    this.#settled = Promise.all(checks).then(async (outcomes) => {
      await before;
      const first = outcomes.find((outcome) => outcome !== null) ?? null;
      // A command whose buffer was never made takes its whole batch with it.
      const failed = first && (commands.map(refusalOf).find((refusal) => refusal !== null) ?? first);
      for (const command of commands) spread(command, failed);
      if (failed !== null) this.#onFailure(buffersOf(commands));
      return failed;
    });
  }
}

/** The numbers outside of memory that threads share: the WebGPU of Node doesn't survive such. */
function unshared(values: Float32Array): Float32Array<ArrayBuffer> {
  return Object.prototype.toString.call(values.buffer) === "[object SharedArrayBuffer]"
    ? new Float32Array(values)
    : (values as Float32Array<ArrayBuffer>);
}

/** Marks what a command wrote as failed, where its batch failed or it read what is marked; as good again, where not. */
function spread(command: Command, failed: GpugradError | null): void {
  const failure =
    failed === null
      ? (command.reads.find((storage) => storage.failure !== null)?.failure ?? null)
      : explain(failed, labelOf(command));
  for (const storage of command.writes) storage.failure = failure;
}

/** Why one of a command's buffers holds nothing, or null. */
function refusalOf({ reads, writes }: Command): GpugradError | null {
  return [...reads, ...writes].find(({ buffer }) => buffer.refusal !== null)?.buffer.refusal ?? null;
}

function buffersOf(commands: readonly Command[]): ReadonlySet<TrackedBuffer> {
  return new Set(commands.flatMap(({ reads, writes }) => [...reads, ...writes]).map(({ buffer }) => buffer));
}

/** Names a command and what it writes. */
function labelOf({ name, shapes }: Command): string {
  const written = shapes.map((shape) => `${showShape(shape)} (${4 * sizeOf(shape)} bytes)`);
  return [name, written.join(", ")].filter((part) => part !== "").join(" ");
}

/** @throws ArgumentError where a buffer of the application's own can't be copied. */
function checkUsage(buffer: TrackedBuffer, flag: GPUBufferUsageFlags, name: string, label: string): void {
  if ((buffer.usage & flag) !== 0) return;
  throw new ArgumentError(`${label}: the usage of the buffer given to fromBuffer must include ${name}`);
}

/** The same error, naming the command whose result it took. */
function explain(error: GpugradError, label: string): GpugradError {
  return error instanceof DeviceLostError ? error : remade(error, `${label} has no result: ${error.message}`);
}
