/** What scripts/start.js runs in a page without a site: its results are plain data. */
import { init } from "../src/index.js";
import { adapterName } from "./adapter.js";
import { compare } from "./compare.js";
import { Example, runSeed, type Progress, type Times, type Values } from "./example.js";
import type { Comparison } from "./reference.js";

export interface Adapter {
  readonly name: string;
  readonly isSoftware: boolean;
}

export interface Report {
  readonly seed: Values;
  readonly size: number;
  readonly times: Times;
  readonly comparison: Comparison;
}

/** @throws NoWebGPUError, NoAdapterError */
export async function findAdapter(): Promise<Adapter> {
  const device = await init();
  return { name: adapterName(device), isSoftware: device.isSoftware };
}

/** The seed's example, then the same over `size` elements. */
export async function runAll(size: number, progress: Progress): Promise<Report> {
  const seed = await runSeed();
  const example = await Example.run(size, progress);
  try {
    return { seed, size, times: example.times, comparison: await compare(example, progress) };
  } finally {
    example.release();
  }
}
