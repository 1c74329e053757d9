/** What is recorded, and what its results are worth once it has run. */
import { calledAt, type CallSite } from "../base/call-sites.js";
import { DeviceLostError, type GpugradError } from "../base/errors.js";
import { remade } from "../base/remade.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import type { TrackedBuffer } from "./buffer.js";
import { arrive, misplaced, type Placed } from "./order.js";
import type { Storage } from "./storage.js";

export interface Command extends Placed {
  /** Named in errors, with the shapes of the arrays that it writes. */
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly reads: readonly Storage[];
  readonly writes: readonly Storage[];
  /** Where the user's call is that it is of, where that is kept. */
  site?: CallSite | null;
  /** Why what it read can't be trusted, once it has run. */
  failure?: GpugradError | null;
}

/**
 * Marks what a command wrote as failed, where its batch failed or what it read can't be trusted; as good again, where not.
 * Gives what went wrong here, and not with what it read.
 */
function conclude(command: Command, failed: GpugradError | null): GpugradError | null {
  const inReads = command.reads.find((storage) => storage.failure !== null)?.failure ?? null;
  const misread = failed === null && inReads === null ? misplaced(command) : null;
  command.failure = failed === null ? (inReads ?? misread) : null;
  const own = failed ?? misread;
  const explained = own === null ? null : explain(own, command);
  let overwritten: GpugradError | null = null;
  for (const storage of command.writes) {
    const late = arrive(command, storage);
    storage.failure = late ?? explained ?? inReads;
    overwritten ??= late;
  }
  return command.writes.length === 0 ? null : (overwritten ?? explained);
}

/** The same of a batch: what went wrong first. */
export function concludeAll(commands: readonly Command[], failed: GpugradError | null): GpugradError | null {
  let first: GpugradError | null = null;
  for (const command of commands) {
    const wrong = conclude(command, failed);
    first ??= wrong;
  }
  return first;
}

/** The reason of a failed batch: a command whose buffer was never made takes the whole batch with it. */
export function reasonOf(
  outcomes: readonly (GpugradError | null)[],
  commands: readonly Command[],
): GpugradError | null {
  const first = outcomes.find((outcome) => outcome !== null) ?? null;
  return first && (commands.map(refusalOf).find((refusal) => refusal !== null) ?? first);
}

/** Why one of a command's buffers holds nothing, or null. */
function refusalOf({ reads, writes }: Command): GpugradError | null {
  return [...reads, ...writes].find(({ buffer }) => buffer.refusal !== null)?.buffer.refusal ?? null;
}

export function buffersOf(commands: readonly Command[]): ReadonlySet<TrackedBuffer> {
  return new Set(commands.flatMap(({ reads, writes }) => [...reads, ...writes]).map(({ buffer }) => buffer));
}

/** Names a command and what it writes. */
function labelOf({ name, shapes }: Command): string {
  const written = shapes.map((shape) => `${showShape(shape)} (${4 * sizeOf(shape)} bytes)`);
  return [name, written.join(", ")].filter((part) => part !== "").join(" ");
}

/** The same error, naming the command whose result it took, and where the user called that. */
function explain(error: GpugradError, command: Command): GpugradError {
  if (error instanceof DeviceLostError) return error;
  const site = command.site ?? null;
  const explained = remade(error, `${labelOf(command)} has no result: ${error.message}${calledAt(site)}`);
  if (site === null) return explained;
  const value = [`${explained.name}: ${explained.message}`, ...site.frames].join("\n");
  Object.defineProperty(explained, "stack", { value, configurable: true, writable: true });
  return explained;
}
