/** Compares all elements of a run with plain JavaScript, block by block, in a worker. */
import type { Example, Progress } from "./example.js";
import type { Block } from "./reference-worker.js";
import { joined, nothing, type Comparison } from "./reference.js";

/** What is read back at a time: 4 MiB of x, of y and of the gradient. */
const blockSize = 2 ** 20;

/**
 * One block after the other: the processor is not shared with the GPU's work where that is software. Blocks stay in the
 * processor's cache, which favours the plain loop.
 *
 * @throws what a read throws; AbortError.
 */
export async function compare(example: Example, progress: Progress, signal?: AbortSignal): Promise<Comparison> {
  const worker = new Worker(new URL("./reference-worker.ts", import.meta.url), { type: "module" });
  try {
    let sum = nothing;
    for (let first = 0; first < example.size; first += blockSize) {
      signal?.throwIfAborted();
      progress("Comparing with JavaScript", first / example.size);
      const block = await example.elements(first, 1, Math.min(blockSize, example.size - first));
      sum = joined(sum, await ask(worker, block));
    }
    return sum;
  } finally {
    worker.terminate();
  }
}

function ask(worker: Worker, block: Block): Promise<Comparison> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Comparison>) => {
      resolve(data);
    };
    worker.onerror = (event) => {
      reject(new Error(`the worker that compares failed: ${event.message}`));
    };
    worker.postMessage(block, [block.x.buffer, block.y.buffer, block.gradient.buffer]);
  });
}
