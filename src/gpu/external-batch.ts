/** Commands in an encoder of the application's: nobody tells when it submits that, and what they use must be there until then. */
import { ValidationError, type GpugradError } from "../base/errors.js";
import type { TrackedBuffer } from "./buffer.js";
import { concludeAll, type Command } from "./command.js";
import type { Check } from "./error-scopes.js";
import type { Late } from "./order.js";
import type { Ticket } from "./tickets.js";

/** A buffer to be destroyed when the last of several batches has run. */
interface Retired {
  readonly gpuBuffer: GPUBuffer;
  users: number;
}

export class ExternalBatch implements Late {
  readonly encoder: GPUCommandEncoder;
  /** Tells when it has run; null until all is recorded. */
  ticket: Ticket | null = null;
  commands: readonly Command[] = [];
  hasRun = false;
  /** Whether it had not run when somebody looked. */
  isMissed = false;
  /** The bytes of the buffers that it uses. */
  bytes = 0;
  failure: GpugradError | null = null;
  /** What it failed with, once it has run. */
  readonly outcome: Check;
  readonly #settle: (failure: GpugradError | null) => void;
  readonly #buffers = new Set<TrackedBuffer>();
  readonly #retired: Retired[] = [];
  /** Those whose memory it uses for something else: they must have run before it. */
  readonly #follows = new Set<ExternalBatch>();

  constructor(encoder: GPUCommandEncoder) {
    this.encoder = encoder;
    let settle: (failure: GpugradError | null) => void = () => undefined;
    this.outcome = new Promise((resolve) => (settle = resolve));
    this.#settle = settle;
  }

  get buffers(): ReadonlySet<TrackedBuffer> {
    return this.#buffers;
  }

  /** Nobody else is to be given the buffer until this has run. */
  use(buffer: TrackedBuffer): void {
    if (this.#buffers.has(buffer)) return;
    this.#buffers.add(buffer);
    this.bytes += buffer.bytes;
    buffer.externalUses++;
  }

  /** Is given memory that these use, on the condition that they run before. */
  follow(others: readonly ExternalBatch[]): void {
    for (const other of others) this.#follows.add(other);
  }

  /** It has run: what its results are worth, and what it used can be given to others. Gives what went wrong first. */
  arrive(): GpugradError | null {
    this.hasRun = true;
    if ([...this.#follows].some(({ hasRun }) => !hasRun)) this.failure ??= new ValidationError(overtaken);
    this.#follows.clear();
    const wrong = concludeAll(this.commands, this.failure);
    this.#settle(this.failure);
    for (const buffer of this.#buffers) {
      if (--buffer.externalUses > 0) continue;
      const { whenUnused } = buffer;
      buffer.whenUnused = null;
      whenUnused?.();
    }
    for (const retired of this.#retired) if (--retired.users === 0) retired.gpuBuffer.destroy();
    return wrong;
  }

  /** Destroys a buffer when all of these have run. */
  static retire(gpuBuffer: GPUBuffer, users: readonly ExternalBatch[]): void {
    const retired = { gpuBuffer, users: users.length };
    for (const batch of users) batch.#retired.push(retired);
  }
}

const overtaken =
  "the encoder that was given to encodeInto was submitted before others that were recorded earlier and whose memory it uses: " +
  "submit encoders in the order of encodeInto";
