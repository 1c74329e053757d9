/** What `npm run sweep` calls in its page. */
import { init } from "../src/index.js";
import { costOf } from "./cost.js";
import { nameOf, type Figure } from "./figures.js";
import type { Tally } from "./judge.js";
import { Judges } from "./judges.js";
import { measure } from "./measure.js";
import { fixedSample, type Sample } from "./operands.js";
import { promised, rowOf, rows } from "./table.js";

/** Names of all rows, the functions that they are of, and the promises, in the order of the table. */
export const names = rows.map(({ name }) => name);
export const functions = rows.map(({ of }) => of);
export const promises = Object.fromEntries(rows.map((row) => [row.name, promised(row)]));

export async function adapter(): Promise<string> {
  return nameOf((await init()).adapterInfo);
}

/** @param stride every so many bit patterns; 1 for all of them */
export async function sweep(
  name: string,
  stride: number,
  pairs: number,
  progress: (share: number) => void,
): Promise<Pick<Figure, "sample" | "tally" | "cost">> {
  await init();
  const row = rowOf(name);
  const sample: Sample = { stride, dense: stride === 1 ? 0 : 2 ** 20, pairs };
  const judges = new Judges(Math.min(4, Math.max(1, navigator.hardwareConcurrency)));
  try {
    // Finds mistakes before minutes are spent.
    await measure(row, fixedSample, judges);
    const tally = finite(await measure(row, sample, judges, { progress }));
    return { sample: row.operands === 2 ? { pairs } : { stride }, tally, cost: await costOf(row) };
  } finally {
    judges.end();
  }
}

/** JSON has no Infinity, which the error is where a result is infinite or NaN and must not be. */
function finite(tally: Tally): Tally {
  const most = (error: number): number => Math.min(error, Number.MAX_VALUE);
  return { ...tally, largest: most(tally.largest), subnormalLargest: most(tally.subnormalLargest) };
}
