/** What every side offers: to do a problem again and again, and to show the numbers once. */
import type { GraphCase, Problem, SideName } from "./protocol.js";

export interface Results {
  readonly value: Float32Array;
  readonly gradient: Float32Array;
}

export interface Work {
  /** Value and gradient once, from the first call until the GPU has finished and what was made is released. */
  run(): Promise<void>;
  /** The same once more, with the numbers. */
  results(): Promise<Results>;
  /** Gives back what the problem needed. */
  close(): void;
}

export interface Side {
  /** @throws Unable where this side can't do the problem. */
  readonly prepare: (problem: Problem<GraphCase>, input: Input) => Promise<Work>;
}

/** The same numbers for every side. */
export interface Input {
  readonly x: Float32Array<ArrayBuffer>;
  /** What `train` approaches. */
  readonly target: Float32Array<ArrayBuffer>;
}

/** Says why a side has no number for a problem. */
export class Unable extends Error {}

/** Work made of its steps, for a side whose results are objects of the library. */
export function work<Out>(steps: {
  /** Starts value and gradient. */
  readonly compute: () => Out;
  /** Waits until the GPU has finished. */
  readonly wait: (out: Out) => Promise<void>;
  readonly read: (out: Out) => Promise<Results>;
  readonly release: (out: Out) => void;
  readonly close: () => void;
}): Work {
  return {
    async run() {
      const out = steps.compute();
      await steps.wait(out);
      steps.release(out);
    },
    async results() {
      const out = steps.compute();
      const results = await steps.read(out);
      steps.release(out);
      return results;
    },
    close: steps.close,
  };
}

/** Each side's code is loaded when it is asked for, so that a page that needs one loads no other. */
export const load: Record<SideName, () => Promise<Side>> = {
  gpugrad: async () => (await import("./sides/gpugrad.js")).gpugradSide,
  handwritten: async () => (await import("./sides/handwritten.js")).handwrittenSide,
  tfjs: async () => (await import("./sides/tfjs.js")).tfjsSide,
  jaxEager: async () => (await import("./sides/jax.js")).jaxEagerSide,
  jaxJit: async () => (await import("./sides/jax.js")).jaxJitSide,
  javascript: async () => (await import("./sides/javascript.js")).javascriptSide,
};
