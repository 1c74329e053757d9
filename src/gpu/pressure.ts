/**
 * Lets the garbage collector know of GPU memory. It sees a forgotten array as an object of some hundred bytes, and
 * would let gigabytes of GPU memory wait for its next turn, which a small heap may never need.
 *
 * What it does count is ArrayBuffers. So at the end of a task after which more memory is in use than what was alive when
 * it last ran plus an allowance, it is made to run by ArrayBuffers that are made and dropped at once: their pages are
 * never touched, so they take addresses and no memory. A program that disposes stays below the limit and pays nothing.
 */

/** What may wait for the collector beyond what was alive when it last ran. */
const allowance = 2 ** 28;
/** Of one ArrayBuffer. Chrome's collector comes at the first to third of this size. */
const ballastBytes = 2 ** 26;
/** Where this many brought no collection, the runtime doesn't count them, or tells of nothing. */
const mostTries = 16;

export class MemoryPressure {
  /** How often the collector was made to run. */
  provoked = 0;
  readonly #liveBytes: () => number;
  readonly #registry = new FinalizationRegistry<() => void>((found) => {
    found();
  });
  #limit = allowance;
  #relief: Promise<void> | null = null;

  /** @param liveBytes the memory in use now, what is forgotten and not yet found included */
  constructor(liveBytes: () => number) {
    this.#liveBytes = liveBytes;
  }

  /**
   * Has the collector run where too much is in use. To be called between tasks: it finds nothing that a running function
   * can still reach, and tells of nothing before that has ended.
   */
  check(): void {
    if (this.#relief !== null || this.#liveBytes() <= this.#limit) return;
    this.provoked++;
    this.#relief = this.#relieve().finally(() => {
      this.#relief = null;
    });
  }

  /** The collection that is going on, if one is. Never rejects. What waits for the GPU waits for it too. */
  get relief(): Promise<void> | null {
    return this.#relief;
  }

  /** To be called when the collector has told of something forgotten: less is alive than it seemed. */
  found(): void {
    this.#limit = Math.min(this.#limit, this.#liveBytes() + allowance);
  }

  async #relieve(): Promise<void> {
    const sentinel: { isFound: boolean } = { isFound: false };
    // Younger than all that was forgotten: when it is found, they are found too.
    this.#registry.register({}, () => {
      sentinel.isFound = true;
    });
    for (let tries = 0; tries < mostTries && !sentinel.isFound; tries++) {
      if (!addBallast()) break;
      await nextTask();
    }
    // Of what was found with it, the collector tells over some tasks; what comes later still, `found` hears.
    for (let before = Infinity; this.#liveBytes() < before;) {
      before = this.#liveBytes();
      await nextTask();
    }
    this.#limit = this.#liveBytes() + allowance;
  }
}

/** False where there is no room for it: the collector has run then, as the last resort. */
function addBallast(): boolean {
  try {
    return new ArrayBuffer(ballastBytes).byteLength > 0;
  } catch {
    return false;
  }
}

/** The collector tells of what it found in tasks. A timer's would be late in a page in the background. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
