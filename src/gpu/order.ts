/**
 * Whether commands ran in the order in which they were recorded. gpugrad's own do. Those in an encoder of the application's run
 * when that is submitted, and what is computed then, before or after, may find other numbers than it was recorded for: each
 * command says whose numbers it needs in what it reads, and each piece of memory whose it has.
 */
import { ValidationError, type GpugradError } from "../base/errors.js";

/** Commands in an encoder of the application's, as far as this file knows them. */
export interface Late {
  /** Whether it is known that they have run. */
  readonly hasRun: boolean;
  /** Why they can't, where that is known. */
  readonly failure: GpugradError | null;
}

/** That a piece of memory was written, by which command. */
export interface Write {
  /** Counts up with every command. */
  readonly number: number;
  /** Whose encoder it is in, where that is the application's. */
  readonly by: Late | null;
}

/** A piece of memory, as far as this file knows it. */
export interface Written {
  readonly buffer: { readonly state: string };
  /** The last that was recorded, and the last that has run; kept while commands are in encoders of the application's. */
  recordedWrite: Write | null;
  lastWrite: Write | null;
}

/** Where a command belongs: its own write, behind others. */
interface Place {
  readonly write: Write;
  readonly needs: readonly { readonly memory: Written; readonly write: Write | null }[];
}

/** A command, as far as this file knows it. */
export interface Placed {
  readonly reads: readonly Written[];
  readonly writes: readonly Written[];
  /** Whether nothing is left of what was in the application's buffers before. */
  readonly isWhole?: boolean;
  /** Where it belongs, while commands are in encoders of the application's. */
  place?: Place;
}

let writes = 0;

/** Remembers where a command belongs, as it is recorded. @param by the encoder, where it is the application's */
export function takePlace(command: Placed, by: Late | null): void {
  // Of the application's buffers, a part may be written.
  const kept = command.isWhole === true ? [] : command.writes.filter(({ buffer }) => buffer.state === "foreign");
  const needs = [...command.reads, ...kept].map((memory) => ({ memory, write: memory.recordedWrite }));
  const write: Write = { number: ++writes, by };
  for (const memory of command.writes) memory.recordedWrite = write;
  command.place = { write, needs };
}

/** Why what the command has read isn't what it was recorded for; null where it is. To be asked as it runs. */
export function misplaced({ place }: Placed): GpugradError | null {
  for (const { memory, write } of place?.needs ?? []) {
    if (memory.lastWrite === write) continue;
    if (write !== null && write.by?.hasRun === false) return write.by.failure ?? new ValidationError(notYet);
    return new ValidationError(changed);
  }
  return null;
}

/** Notes that the command has written. Gives what is wrong where it came too late: others were to write over it. */
export function arrive({ place }: Placed, memory: Written): GpugradError | null {
  if (place === undefined) return null;
  const { lastWrite } = memory;
  if (lastWrite !== null && lastWrite.number > place.write.number) return new ValidationError(overwritten);
  memory.lastWrite = place.write;
  return null;
}

const notYet =
  "the encoder that was given to encodeInto had not run by then: submit it before what it computes is read or computed " +
  "with, by gpugrad's next submit (a read, flush(), the end of the task) at the latest. If it is submitted, WebGPU has refused it, " +
  "and told the application why";

const changed =
  "an array that it needs was changed after encodeInto and before the encoder was submitted: submit it before gpugrad's next " +
  "submit (a read, flush(), the end of the task) that changes what it reads, and encoders in the order of encodeInto";

const overwritten =
  "the encoder that was given to encodeInto was submitted after gpugrad had changed the same array, and has written over it: " +
  "submit it before";
