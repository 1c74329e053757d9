/** Workers that compare, while the GPU computes the next block. */
import type { Block, Tally } from "./judge.js";
import type { Task } from "./judge-worker.js";

interface Waiting {
  readonly task: Task;
  readonly resolve: (tally: Tally) => void;
  readonly reject: (error: Error) => void;
}

export class Judges {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(count: number) {
    for (let k = 0; k < count; k++) {
      const worker = new Worker(new URL("./judge-worker.ts", import.meta.url), { type: "module" });
      this.#all.push(worker);
      this.#idle.push(worker);
    }
  }

  /** The block's memory goes to the worker: its arrays are empty afterwards. */
  judge(row: string, block: Block, most: number | undefined): Promise<Tally> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task: { row, block, most }, resolve, reject });
      this.#next();
    });
  }

  end(): void {
    for (const worker of this.#all) worker.terminate();
  }

  #next(): void {
    const worker = this.#idle.pop();
    if (worker === undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#idle.push(worker);
      return;
    }
    const { task, resolve, reject } = waiting;
    worker.onmessage = ({ data }: MessageEvent<Tally>) => {
      this.#idle.push(worker);
      resolve(data);
      this.#next();
    };
    worker.onerror = (event) => {
      reject(new Error(`the worker that compares failed: ${event.message}`));
    };
    const { a, b, results } = task.block;
    worker.postMessage(task, [a.buffer, b.buffer, results.buffer]);
  }
}
