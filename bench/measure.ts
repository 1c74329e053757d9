/** Times the sides of one problem in turn, after their results were found to agree. */
import type { MathMode } from "../src/index.js";
import { compare } from "./compare.js";
import { isMatmul } from "./matmul-sizes.js";
import { inputFor } from "./problems.js";
import type { Effort, Outcomes, Problem, SideName } from "./protocol.js";
import { isDerived } from "./derived.js";
import { load, Unable, type Results, type Work } from "./side.js";

const warmups = 2;

/** Makes one side's work, of a kind of math. */
type Prepare = (math: MathMode) => Promise<Work>;

/** gpugrad's own way, and the other one that it is measured beside. */
function pairOf(prepare: (isOther: boolean, math: MathMode) => Promise<Work>): Map<SideName, Prepare> {
  return new Map([
    ["gpugrad", (math) => prepare(false, math)],
    ["handwritten", (math) => prepare(true, math)],
  ]);
}

/** Those who do this problem, in the order of the table. */
async function sidesOf({ name, ...problem }: Problem): Promise<Map<SideName, Prepare>> {
  if (isMatmul(name)) return (await import("./sides/matmul.js")).matmulSides(name);
  if (isDerived(name)) {
    return pairOf(async (byHand, math) =>
      (await import("./sides/derived.js")).gradientOf({ ...problem, name, math }, byHand),
    );
  }
  if (name === "heatForward" || name === "heatBackward") {
    return pairOf(async (byHand, math) => (await import("./sides/heat.js")).heat({ ...problem, name, math }, byHand));
  }
  const input = inputFor(problem.n);
  if (name === "guards") {
    return pairOf(async (isBare, math) =>
      (await import("./sides/guards.js")).guardsWork(problem.n, math, input, !isBare),
    );
  }
  return new Map(
    (Object.keys(load) as SideName[]).map((side) => [
      side,
      async (math) => (await load[side]()).prepare({ ...problem, name, math }, input),
    ]),
  );
}

/** @param log told what takes long */
export async function measure(problem: Problem, effort: Effort, log: (message: string) => void): Promise<Outcomes> {
  const sides = await sidesOf(problem);
  const works = new Map<SideName, Work>();
  const unable = new Map<SideName, string>();
  try {
    const expected = await expectedResults(sides.get("gpugrad"));
    for (const [name, prepare] of sides) {
      try {
        const work = await prepare(problem.math);
        works.set(name, work);
        compare(problem, name, await work.results(), expected[mathOf(name, problem)]);
      } catch (error) {
        if (!(error instanceof Unable)) throw error;
        unable.set(name, error.message);
      }
    }
    const times = await inTurn(works, effort, log);
    const outcomes: Outcomes = {};
    for (const [name, own] of times) outcomes[name] = { times: own };
    for (const [name, reason] of unable) outcomes[name] = { unable: reason };
    return outcomes;
  } finally {
    for (const work of works.values()) work.close();
  }
}

/**
 * What gpugrad computes, with the driver's exp and sin and with its own. Each side is held against the one whose
 * functions it has: a driver's sin may be 2^-11 off, which 2,000 of them in a row make plain to see.
 */
async function expectedResults(gpugrad: Prepare | undefined): Promise<Record<MathMode, Results>> {
  if (gpugrad === undefined) throw new Error("gpugrad is measured always");
  const results = async (math: MathMode): Promise<Results> => {
    const work = await gpugrad(math);
    try {
      return await work.results();
    } finally {
      work.close();
    }
  };
  return { native: await results("native"), exact: await results("exact") };
}

/** Whose exp and sin a side has. JavaScript's are as near to the true ones as gpugrad's own. */
function mathOf(side: SideName, { math }: Problem): MathMode {
  if (side === "gpugrad" || side === "handwritten") return math;
  return side === "javascript" ? "exact" : "native";
}

/**
 * Rounds in which each side runs once, every round beginning with another one, and every second one backwards: what a
 * side leaves behind, in the GPU process and in caches, is felt by the one after it.
 */
async function inTurn(
  works: ReadonlyMap<SideName, Work>,
  { rounds, budget, fewest, most }: Effort,
  log: (message: string) => void,
): Promise<Map<SideName, number[]>> {
  const entries = [...works];
  const times = new Map<SideName, number[]>(entries.map(([name]) => [name, []]));
  const round = async (index: number): Promise<[SideName, number][]> => {
    const taken: [SideName, number][] = [];
    const first = (index >> 1) % entries.length;
    const rotated = [...entries.slice(first), ...entries.slice(0, first)];
    for (const [name, work] of index % 2 === 0 ? rotated : rotated.reverse()) {
      // Nobody pays for what another side left to the garbage collector.
      (globalThis as { gc?: () => void }).gc?.();
      const start = performance.now();
      await work.run();
      taken.push([name, performance.now() - start]);
    }
    return taken;
  };
  let last: [SideName, number][] = [];
  for (let k = 0; k < warmups; k++) last = await round(k);
  const roundTime = last.reduce((sum, [, time]) => sum + time, 0);
  const count = rounds ?? Math.min(most, Math.max(fewest, Math.round(budget / roundTime)));
  log(`${count} rounds of ${roundTime.toFixed(0)} ms: ${last.map(([n, t]) => `${n} ${t.toFixed(1)}`).join(", ")}`);
  for (let k = 0; k < count; k++) for (const [name, time] of await round(k)) times.get(name)?.push(time);
  return times;
}
