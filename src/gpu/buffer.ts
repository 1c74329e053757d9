/** A GPU buffer, and how far it can be relied on. WebGPU tells some time after the call whether it made one. */
import type { GpugradError } from "../base/errors.js";
import { numberOf } from "./number-of.js";

/**
 * - assumed: a small one, whose making was not checked: the check costs many times what it costs
 * - pending: WebGPU has not said yet whether there is room for it
 * - made: WebGPU has said that there is
 * - refused: there was none; `refusal` says why, and nothing can be in it
 * - suspect: was assumed, and a batch with it failed. It may be none: not used again once it is given back
 * - foreign: the application's own, of which nothing is known
 */
export type BufferState = "assumed" | "pending" | "made" | "refused" | "suspect" | "foreign";

/** Those that gpugrad has made. */
const own = new WeakSet<GPUBuffer>();

/** Whether gpugrad has made it, and will use it again for something else. */
export function isOwnBuffer(gpuBuffer: GPUBuffer): boolean {
  return own.has(gpuBuffer);
}

export class TrackedBuffer {
  readonly gpuBuffer: GPUBuffer;
  readonly bytes: number;
  readonly usage: GPUBufferUsageFlags;
  /** Counts up with every buffer that is made, and stands for it in the keys of bind groups. */
  readonly number: number;
  state: BufferState;
  refusal: GpugradError | null = null;
  /** The batch of commands that last used it; see `Recorder`. */
  lastBatch = -1;
  /** In how many encoders of the application's it is used that may not have run. */
  externalUses = 0;
  /** What is to be done with it when there is none any more. */
  whenUnused: (() => void) | null = null;

  constructor(gpuBuffer: GPUBuffer, state: BufferState) {
    this.gpuBuffer = gpuBuffer;
    this.bytes = gpuBuffer.size;
    this.usage = gpuBuffer.usage;
    this.number = numberOf(gpuBuffer);
    this.state = state;
    if (state !== "foreign") own.add(gpuBuffer);
  }

  refuse(reason: GpugradError): void {
    this.state = "refused";
    this.refusal = reason;
  }

  /** Whether WebGPU can't refuse to bind it. */
  get isSure(): boolean {
    return this.state === "made" || this.state === "assumed";
  }

  /** Whether what uses it is submitted alone, so that its failure takes nothing else along: large, and not known yet. */
  get isRisky(): boolean {
    return this.state === "pending" && this.bytes >= risky;
  }
}

/** From so many bytes on there may well be no room. */
const risky = 2 ** 22;
