/** The encoders of the application's that have commands of gpugrad's, and of which it isn't known that they have run. */
import type { GpugradError } from "../base/errors.js";
import type { TrackedBuffer } from "./buffer.js";
import type { ExternalBatch } from "./external-batch.js";
import { numberOf } from "./number-of.js";
import { Tickets } from "./tickets.js";

/** From so many on, or bytes that they use, it is looked which have run. */
const many = 8;
const manyBytes = 2 ** 20;

export class Outstanding {
  readonly #tickets: Tickets;
  /** As they were recorded. */
  #batches: ExternalBatch[] = [];
  /** Submits that look, and have not told yet. */
  #looks = 0;

  constructor(gpuDevice: GPUDevice) {
    this.#tickets = new Tickets(gpuDevice);
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** All of its commands are recorded. */
  add(batch: ExternalBatch): void {
    batch.ticket = this.#tickets.issue(batch.encoder);
    numberOf(batch);
    this.#batches.push(batch);
  }

  /** Those that use the buffer. */
  of(buffer: TrackedBuffer): readonly ExternalBatch[] {
    return this.#batches.filter(({ buffers }) => buffers.has(buffer));
  }

  /** Those that may use a buffer of which that isn't known: what was recorded before it was made doesn't. */
  since(gpuBuffer: GPUBuffer): ExternalBatch[] {
    return this.#batches.filter((batch) => numberOf(batch) > numberOf(gpuBuffer));
  }

  /**
   * Whether it is time to look which have run, as this encoder comes: memory goes round only when that is known, and a loop
   * may have no submits but the application's.
   */
  isDue(encoder: GPUCommandEncoder): boolean {
    const others = this.#batches.filter((batch) => batch.encoder !== encoder);
    if (others.length === 0 || this.#looks > 0) return false;
    return others.length >= many || others.reduce((sum, { bytes }) => sum + bytes, 0) >= manyBytes;
  }

  /**
   * Has a batch look which have run before it, by its encoder. The function that it gives is to be called as it is submitted;
   * what that gives, as it is settled: then those are settled that have run, and `wrong` hears what went wrong.
   */
  look(encoder: GPUCommandEncoder): () => (wrong: (error: GpugradError) => void) => Promise<void> {
    const batches = new Map(this.#batches.map((batch) => [batch.ticket, batch]));
    const look = this.#tickets.look(
      encoder,
      [...batches.keys()].filter((ticket) => ticket !== null),
    );
    return () => {
      this.#looks++;
      const told = look().finally(() => this.#looks--);
      return async (wrong) => {
        for (const ticket of await told) {
          const batch = batches.get(ticket);
          if (batch === undefined || batch.hasRun) continue;
          this.#batches = this.#batches.filter((other) => other !== batch);
          const found = batch.arrive();
          if (found !== null) wrong(found);
          this.#tickets.takeBack(ticket);
        }
        for (const batch of batches.values()) batch.isMissed = true;
      };
    };
  }
}
