/**
 * Records commands into one open encoder and submits them in batches: many small nodes cost one submit. A batch is
 * submitted by a read, by `flush()`, at the end of the current task, or when it has `maxCommands` commands.
 *
 * Batches settle in the order of the queue. When one failed, everything it wrote is marked, and so is everything that
 * later batches computed from that; a read of a marked array rejects, a read of any other works.
 *
 * Commands can also go into an encoder of the application's (`into`), which it submits itself. They are a batch of which
 * nobody tells when it is submitted: each later batch looks which of these have run, and settles them before itself.
 */
import { callSite } from "../base/call-sites.js";
import { ArgumentError, OutOfMemoryError, type GpugradError } from "../base/errors.js";
import type { TrackedBuffer } from "./buffer.js";
import { buffersOf, concludeAll, reasonOf, type Command } from "./command.js";
import { attempt, submitting, type Check } from "./error-scopes.js";
import { ExternalBatch } from "./external-batch.js";
import { takePlace } from "./order.js";
import { Outstanding } from "./outstanding.js";
import type { Storage } from "./storage.js";

const maxCommands = 1024;

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

/** Who hears of batches. */
interface Listener {
  /** A batch has failed that used these buffers. */
  failed(buffers: ReadonlySet<TrackedBuffer>): void;
  /** Something has no result, of which reads tell. */
  wrong(error: GpugradError): void;
  /** Until an encoder of the application's has run, nobody else is to be given these. */
  reserved(buffers: ReadonlySet<TrackedBuffer>): void;
}

export class Recorder {
  /** While somebody measures: what the pass of each dispatch is begun with, in an encoder of gpugrad's own or of the application's. */
  measure: ((dispatch: Dispatch, isOurs: boolean) => GPUComputePassDescriptor) | null = null;
  dispatches = 0;
  submits = 0;
  readonly #gpuDevice: GPUDevice;
  readonly #listener: Listener;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** The one that is set in the open pass. */
  #pipeline: GPUComputePipeline | null = null;
  #commands: Command[] = [];
  #checks: Check[] = [];
  #batch = 0;
  #settled: Check = Promise.resolve(null);
  /** While commands go into the application's encoder. */
  #theirs: ExternalBatch | null = null;
  readonly #outstanding: Outstanding;

  constructor(gpuDevice: GPUDevice, listener: Listener) {
    this.#gpuDevice = gpuDevice;
    this.#listener = listener;
    this.#outstanding = new Outstanding(gpuDevice);
  }

  dispatch(command: Dispatch): void {
    const encoder = this.#open();
    if (this.measure !== null) {
      this.#endPass();
      this.#pass = encoder.beginComputePass(this.measure(command, this.#theirs === null));
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

  /** Copies into a buffer that is no array's, such as one for reading back. Its `failure` is known when it is settled. */
  copyToBuffer(
    from: Storage,
    fromOffset: number,
    to: Place,
    bytes: number,
    label: string,
    writes: readonly Storage[] = [],
  ): Command {
    checkUsage(from.buffer, 0x4, "COPY_SRC", label);
    checkUsage(to.buffer, 0x8, "COPY_DST", label);
    const command: Command = { name: label, shapes: [], reads: [from], writes };
    const record = (): void => {
      const encoder = this.#open();
      this.#endPass();
      encoder.copyBufferToBuffer(from.buffer.gpuBuffer, fromOffset, to.buffer.gpuBuffer, to.offset, bytes);
      to.buffer.lastBatch = this.#batch;
      this.#add(command);
    };
    if (from.buffer.isRisky || to.buffer.isRisky) void this.isolated(record);
    else record();
    return command;
  }

  /** Writes from the processor. The queue runs this before commands that are recorded and not yet submitted. */
  upload(to: Storage, values: Float32Array): void {
    if (this.#theirs === null) this.#flushIfUsing(to.buffer);
    const { queue } = this.#gpuDevice;
    const write = (): void => {
      if (this.#theirs !== null) this.#uploadInto(this.#theirs, to, values);
      else queue.writeBuffer(to.buffer.gpuBuffer, 0, unshared(values));
    };
    const what = `upload of ${values.byteLength} bytes`;
    const noRoom = (message: string): GpugradError => new OutOfMemoryError(`${what}: ${message}`);
    const { check } = attempt(this.#gpuDevice, values.byteLength, write, noRoom, what);
    const known = check.then((failure) => {
      if (failure === null) return null;
      to.failure = failure;
      this.#listener.wrong(failure);
      return null;
    });
    this.check(known);
  }

  /** In the place that it has among the application's commands. */
  #uploadInto(batch: ExternalBatch, to: Storage, values: Float32Array): void {
    const size = values.byteLength;
    const staging = this.#gpuDevice.createBuffer({ size, usage: 0x4 /* COPY_SRC */, mappedAtCreation: true });
    new Float32Array(staging.getMappedRange()).set(values);
    staging.unmap();
    this.#endPass();
    batch.encoder.copyBufferToBuffer(staging, 0, to.buffer.gpuBuffer, 0, size);
    ExternalBatch.retire(staging, [batch]);
    this.#add({ name: "upload", shapes: [], reads: [], writes: [to] });
  }

  #flushIfUsing(buffer: TrackedBuffer): void {
    if (buffer.lastBatch === this.#batch && this.#encoder !== null) this.flush();
  }

  /** Destroys a buffer: after what uses it is submitted, since the submit would be invalid. */
  destroy(buffer: TrackedBuffer): void {
    if (buffer.externalUses > 0) {
      buffer.whenUnused = () => {
        this.destroy(buffer);
      };
      return;
    }
    this.#flushIfUsing(buffer);
    buffer.gpuBuffer.destroy();
  }

  /** The same of a buffer of which it isn't known what uses it. */
  destroyUntracked(gpuBuffer: GPUBuffer): void {
    this.flush();
    const users = this.#outstanding.since(gpuBuffer);
    if (this.#theirs !== null) users.push(this.#theirs);
    if (users.length === 0) gpuBuffer.destroy();
    else ExternalBatch.retire(gpuBuffer, users);
  }

  /** Whether an encoder of the application's uses the buffer that may not have run, other than the one that is recorded. */
  isReserved(buffer: TrackedBuffer): boolean {
    return buffer.externalUses > (this.#theirs?.buffers.has(buffer) === true ? 1 : 0);
  }

  /** Whether what is recorded now may use it all the same: in an encoder behind those, as long as they seem to be on their way. */
  follow(buffer: TrackedBuffer): boolean {
    const users = this.#outstanding.of(buffer);
    if (this.#theirs === null || users.some(({ isMissed }) => isMissed)) return false;
    this.#theirs.follow(users);
    return true;
  }

  /** Notes that the application has changed what is in there itself. */
  modified(storage: Storage): void {
    if (this.#theirs !== null || storage.buffer.externalUses === 0) return;
    this.#open();
    this.#add({ name: "markModified", shapes: [], reads: [], writes: [storage], isWhole: true });
    this.flush();
  }

  /** Whether commands go into the application's encoder now: nothing can be waited for. */
  get isInto(): boolean {
    return this.#theirs !== null;
  }

  /** Has what `record` records go into the application's encoder, behind what is submitted so far. */
  into<T>(encoder: GPUCommandEncoder, record: () => T): T {
    this.flush();
    if (this.#outstanding.isDue(encoder)) {
      this.#open();
      this.flush();
    }
    const batch = new ExternalBatch(encoder);
    this.#theirs = batch;
    this.#encoder = encoder;
    try {
      return record();
    } finally {
      this.#endPass();
      this.#theirs = null;
      this.#encoder = null;
      if (this.#commands.length > 0) this.#closeTheirs(batch);
    }
  }

  #closeTheirs(batch: ExternalBatch): void {
    const { commands, checks, before } = this.#close();
    batch.commands = commands;
    this.#outstanding.add(batch);
    this.#listener.reserved(batch.buffers);
    this.#settled = Promise.all(checks).then(async (outcomes) => {
      await before;
      batch.failure = reasonOf(outcomes, commands);
      if (batch.failure !== null) {
        this.#listener.failed(batch.buffers);
        this.#listener.wrong(batch.failure);
      }
      return batch.failure;
    });
  }

  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#endPass();
    if (this.#theirs !== null) return;
    const look = this.#outstanding.isEmpty ? null : this.#outstanding.look(encoder);
    const { queue } = this.#gpuDevice;
    const submitted = submitting(this.#gpuDevice, () => {
      queue.submit([encoder.finish()]);
    });
    this.submits++;
    const { commands, checks, before } = this.#close();
    const settleTheirs = look?.();
    this.#settled = Promise.all([...checks, submitted]).then(async (outcomes) => {
      await before;
      await settleTheirs?.((error) => {
        this.#listener.wrong(error);
      });
      const failed = reasonOf(outcomes, commands);
      const wrong = concludeAll(commands, failed);
      if (wrong !== null) this.#listener.wrong(wrong);
      if (failed !== null) this.#listener.failed(buffersOf(commands));
      return failed;
    });
  }

  /** Ends the open batch: what it has, and what is settled before it. */
  #close(): { commands: readonly Command[]; checks: readonly Check[]; before: Check } {
    const closed = { commands: this.#commands, checks: this.#checks, before: this.#settled };
    this.#encoder = null;
    this.#commands = [];
    this.#checks = [];
    this.#batch++;
    return closed;
  }

  /** Submits what `record` records in batches of its own: where it fails, it takes nothing else along. */
  isolated(record: () => void): Check {
    if (this.#theirs !== null) {
      record();
      return this.#theirs.outcome;
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
    for (const { buffer } of command.reads) this.#use(buffer);
    for (const { buffer } of command.writes) this.#use(buffer);
    if (this.#theirs !== null || !this.#outstanding.isEmpty) takePlace(command, this.#theirs);
    const site = callSite();
    if (site !== null) command.site = site;
    this.#commands.push(command);
    if (this.#commands.length >= maxCommands && this.#theirs === null) this.flush();
  }

  #use(buffer: TrackedBuffer): void {
    buffer.lastBatch = this.#batch;
    this.#theirs?.use(buffer);
  }
}

/** The numbers outside of memory that threads share: the WebGPU of Node doesn't survive such. */
function unshared(values: Float32Array): Float32Array<ArrayBuffer> {
  return Object.prototype.toString.call(values.buffer) === "[object SharedArrayBuffer]"
    ? new Float32Array(values)
    : (values as Float32Array<ArrayBuffer>);
}

/** @throws ArgumentError where a buffer of the application's own can't be copied. */
function checkUsage(buffer: TrackedBuffer, flag: GPUBufferUsageFlags, name: string, label: string): void {
  if ((buffer.usage & flag) !== 0) return;
  throw new ArgumentError(`${label}: the usage of the buffer given to fromBuffer must include ${name}`);
}
