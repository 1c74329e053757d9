/** Where the user called: kept under `init({ debug: true })`, for what is told long after the call. */

/** A call of the user's. */
export class CallSite {
  /** Where what was called whose backward this is a part of; null elsewhere. */
  readonly of: CallSite | null;
  readonly #here: Error;

  constructor(here: Error, of: CallSite | null) {
    this.#here = here;
    this.of = of;
  }

  /** The lines of the stack, from the user's own call on. */
  get frames(): readonly string[] {
    const frames = framesOf(this.#here);
    const users = frames.filter((frame) => !frame.includes(own) && !frame.includes("/node_modules/"));
    // Bundled with the library into one file, the user's can't be told apart.
    return users.length > 0 ? users : frames;
  }

  /** The line on which the user called, such as `step (http://localhost/main.js:12:5)`. */
  get line(): string {
    return (this.frames[0] ?? "an unknown place").trim().replace(/^at /, "");
  }
}

/** Enough for the library's own frames, and some of the user's. */
const most = 60;
let keeps = false;
/** What was called whose backward runs. */
let forward: CallSite | null = null;

/** The library's own file, or the folder of its files: of its sources, or of what they are built to (scripts/build.js). */
const own = (/([^\s(@]+):\d+:\d+\)?$/.exec(framesOf(new Error())[0] ?? "")?.[1] ?? "no such file").replace(
  /base(?:\/call-sites)?\.[jt]s.*$/,
  "",
);

/** From now on. */
export function keepCallSites(wanted: boolean): void {
  keeps = wanted;
}

/** Where the user's call is that runs now; null where nobody wants to know. */
export function callSite(): CallSite | null {
  if (!keeps) return null;
  // V8 keeps ten lines, where nothing else is said.
  const settings = Error as { stackTraceLimit?: number };
  const before = settings.stackTraceLimit;
  settings.stackTraceLimit = most;
  const here = new Error();
  if (before === undefined) delete settings.stackTraceLimit;
  else settings.stackTraceLimit = before;
  return new CallSite(here, forward);
}

/** Runs the backward of what was called there. */
export function inBackwardOf<T>(site: CallSite | null, run: () => T): T {
  if (site === null) return run();
  const before = forward;
  forward = site;
  try {
    return run();
  } finally {
    forward = before;
  }
}

/** For the end of a message. */
export function calledAt(site: CallSite | null): string {
  if (site === null) return "";
  if (site.of === null) return `\n  called at ${site.line}`;
  return `\n  in the backward of what was called at ${site.of.line},\n  by the call at ${site.line}`;
}

function framesOf({ stack = "" }: Error): string[] {
  return stack.split("\n").filter((line) => /:\d+:\d+\)?$/.test(line));
}
