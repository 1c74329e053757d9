/** What the page that measures and the process that started it tell each other. */
import type { MathMode } from "../src/index.js";

/** Who is measured: gpugrad, then what it is compared with, in the order of the table's columns. */
export type SideName = "gpugrad" | "handwritten" | "tfjs" | "jaxEager" | "jaxJit" | "javascript";

/** Value and gradient, on every side. */
export type GraphCase = "chain" | "fused" | "deep" | "wide" | "sum" | "firstGradient" | "train";

/** The gradient alone: as gpugrad derives it from the WGSL, and written by hand. */
export type DerivedCase = "swish" | "gelu" | "geluSlope" | "gauss" | "huber" | "kepler" | "cubeRoot";

/** One step of a stencil, and the gradients of its two fields: as gpugrad makes them, and written by hand. */
export type HeatCase = "heatForward" | "heatBackward";

/** A product of matrices and both gradients. */
export type MatmulCase = "matmul256" | "matmul512" | "matmul1024" | "matmul64x4096x64" | "matmul1000x784x10";

export type CaseName = GraphCase | DerivedCase | HeatCase | MatmulCase | "guards";

/** One row of the table. */
export interface Problem<Name extends CaseName = CaseName> {
  readonly name: Name;
  /** Elements of x. */
  readonly n: number;
  /** Nodes of the chain, uses of x, steps of the training, or inputs. */
  readonly depth: number;
  /** Whose exp and sin gpugrad and the hand-written side use; the others always have the driver's. */
  readonly math: MathMode;
}

export interface Effort {
  /** Rounds to measure, or null for as many as fit in `budget`. */
  readonly rounds: number | null;
  /** Milliseconds that the measured rounds of one problem should take in all. */
  readonly budget: number;
  readonly fewest: number;
  readonly most: number;
}

/** What one side took, in milliseconds for each round, or why it can't do the problem. */
type Outcome = { readonly times: readonly number[] } | { readonly unable: string };

export type Outcomes = Partial<Record<SideName, Outcome>>;

/** One row of the report. */
export interface Row extends Problem {
  /** Medians; null where a side can't do the problem. */
  readonly ms: Record<SideName, number | null>;
  /** gpugrad's median divided by each; above 1, gpugrad is slower. */
  readonly ratio: Record<Exclude<SideName, "gpugrad">, number | null>;
  /** Rounds that were measured. */
  readonly rounds: number;
  /** Why a side has no number. */
  readonly notes: Partial<Record<SideName, string>>;
}

export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

export interface Report {
  readonly adapter: Adapter;
  readonly cases: readonly Row[];
}

/** What the page offers as `window.bench`. */
export interface Page {
  /** Rejects where there is no adapter. */
  adapter(): Promise<Adapter>;
  /** Compares the sides' results, then measures. Rejects where a result is wrong. */
  measure(problem: Problem, effort: Effort): Promise<Outcomes>;
}

/** The first call of a function, in milliseconds, and how many shaders were compiled for it. */
export interface FirstCall {
  readonly forward: number;
  readonly backward: number;
  readonly pipelines: number;
}
