/** The seed's example, y = square(exp(square(x))), over an array: run, timed, looked at, and given back. */
import { exp, flush, init, square, Variable, type Device } from "../src/index.js";
import { prepareKernels, ramp, sample } from "./kernels.js";

/** x runs from `first` up to, not including, `end`: 0.5, the seed's x, is then an element of every size from 4 on. */
export const range = { first: -1, end: 1 };

/** The Variables of the graph, in the order of the forward pass. */
export const variableNames = ["x", "a", "b", "y"] as const;
export type VariableName = (typeof variableNames)[number];

/** Numbers at one place of the arrays. */
export type Values = Record<VariableName, { readonly data: number; readonly grad: number }>;

/** Told what is being done, and how much of it is: from 0 to 1, where that is known. */
export type Progress = (message: string, share?: number) => void;

interface Graph {
  readonly x: Variable;
  readonly a: Variable;
  readonly b: Variable;
  readonly y: Variable;
}

/** Milliseconds, the median of several runs. */
export interface Times {
  readonly forward: number;
  readonly backward: number;
  readonly runs: number;
}

/** Arrays of full length at the end of a run: x, a, b, y, and the gradients of x, a and b; y's is the constant 1. */
export const arraysOnGpu = 7;

/** The most elements, a power of two, that one array can have on this device. */
export function mostElements(device: Device): number {
  return 2 ** Math.floor(Math.log2(device.maxArrayBytes / 4));
}

/** One graph over `size` elements, forward and backward done. */
export class Example {
  readonly size: number;
  readonly times: Times;
  readonly #graph: Graph;

  private constructor(graph: Graph, times: Times) {
    this.#graph = graph;
    this.size = graph.x.size;
    this.times = times;
  }

  /**
   * Runs forward and backward several times, and keeps the last run.
   *
   * @throws what gpugrad throws, out of memory for one; AbortError. Nothing is left on the GPU then.
   */
  static async run(size: number, progress: Progress, signal?: AbortSignal): Promise<Example> {
    progress("Compiling the shaders");
    await Promise.all([square.prepare(), exp.prepare(), prepareKernels()]);
    // What the runs release is kept for the next run; what is left of an earlier size is given back.
    await init({ poolBytes: 0 });
    const device = await init({ poolBytes: Math.max(2 ** 24, arraysOnGpu * size * 4) });
    const x = ramp(range.first, range.end, size, "x");
    let graph: Graph | null = null;
    try {
      const forward: number[] = [];
      const backward: number[] = [];
      // The first run fills the pool of buffers and isn't counted.
      for (let spent = 0, run = 0; run < 2 || (run < 12 && spent < 600); run++) {
        signal?.throwIfAborted();
        progress(run === 0 ? "Warming up" : `Measuring forward and backward, run ${run}`);
        if (graph !== null) releaseComputed(graph);
        graph = null;
        await finished(device);
        const start = performance.now();
        graph = computeForward(x);
        await finished(device);
        const between = performance.now();
        graph.y.backward();
        await finished(device);
        const end = performance.now();
        spent += end - start;
        // What failed on the GPU says so when something is read.
        await sample(graph.y, 0, 1, 1);
        if (graph.x.grad !== null) await sample(graph.x.grad, 0, 1, 1);
        if (run === 0) continue;
        forward.push(between - start);
        backward.push(end - between);
      }
      if (graph === null) throw new Error("no run was made");
      return new Example(graph, { forward: median(forward), backward: median(backward), runs: forward.length });
    } catch (error) {
      if (graph !== null) releaseComputed(graph);
      x.dispose();
      await takeLateErrors().catch(() => undefined);
      throw error;
    }
  }

  /** data and grad of each Variable at one element. */
  at(index: number): Promise<Values> {
    return valuesAt(this.#graph, index);
  }

  /** x, y and dy/dx at `count` elements. */
  async elements(first: number, step: number, count: number): Promise<Record<"x" | "y" | "gradient", Float32Array>> {
    const { x, y } = this.#graph;
    if (x.grad === null) throw new Error("x has no gradient");
    const [xs, ys, gradients] = await Promise.all(
      [x, y, x.grad].map((variable) => sample(variable, first, step, count)),
    );
    if (xs === undefined || ys === undefined || gradients === undefined)
      throw new Error("three reads give three arrays");
    return { x: xs, y: ys, gradient: gradients };
  }

  /** Gives everything on the GPU back. */
  release(): void {
    releaseComputed(this.#graph);
    this.#graph.x.dispose();
  }
}

/** The seed's example as it stands there: x = 0.5, forward, backward. */
export async function runSeed(): Promise<Values> {
  await init();
  const x = new Variable(0.5, { name: "x" });
  const graph = computeForward(x);
  graph.y.backward();
  try {
    return await valuesAt(graph, 0);
  } finally {
    releaseComputed(graph);
    x.dispose();
  }
}

function computeForward(x: Variable): Graph {
  const a = square(x);
  const b = exp(a);
  const y = square(b);
  return { x, a, b, y };
}

async function valuesAt({ x, a, b, y }: Graph, index: number): Promise<Values> {
  const one = async (variable: Variable | null): Promise<number> => {
    if (variable === null) return NaN;
    const [value] = await sample(variable, index, 1, 1);
    return value ?? NaN;
  };
  const both = async (variable: Variable): Promise<{ data: number; grad: number }> => {
    const [data, grad] = await Promise.all([one(variable), one(variable.grad)]);
    return { data, grad };
  };
  const [atX, atA, atB, atY] = await Promise.all([both(x), both(a), both(b), both(y)]);
  return { x: atX, a: atA, b: atB, y: atY };
}

/** Gives back all but x. */
function releaseComputed({ x, y }: Graph): void {
  x.grad?.dispose();
  x.clearGrad();
  y.dispose();
}

/** Errors that follow from a first one arrive later and would fail the next run: small runs take them, until one works. */
async function takeLateErrors(): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const x = ramp(range.first, range.end, 4, "x");
    const worked = await sample(x, 0, 1, 1).then(
      () => true,
      () => false,
    );
    x.dispose();
    if (worked) return;
  }
}

/** Resolves when the GPU has done everything so far. */
async function finished(device: Device): Promise<void> {
  flush();
  await device.gpuDevice.queue.onSubmittedWorkDone();
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((p, q) => p - q);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
