/** Runs a row over a sample on the GPU and compares, in a page. Used by the tests, `npm run sweep` and the demo. */
import { compute, type Afterwards } from "./functions.js";
import { emptyTally, joined, type Tally } from "./judge.js";
import type { Judges } from "./judges.js";
import { countOf, operandsOf, type Sample } from "./operands.js";
import type { Row } from "./table.js";

export interface MeasureOptions {
  /** Another limit than the row's own, in ULP. */
  readonly most?: number;
  readonly afterwards?: Afterwards;
  /** Told the share that is done, from 0 to 1. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/** While one block is compared, the next one is computed, and one may wait. */
const mostPending = 3;

export async function measure(
  row: Row,
  sample: Sample,
  judges: Judges,
  { most, afterwards, progress, signal }: MeasureOptions = {},
): Promise<Tally> {
  const total = countOf(row, sample);
  const pending: Promise<Tally>[] = [];
  let tally = emptyTally();
  let last = NaN;
  const takeOne = async (): Promise<void> => {
    const next = await pending.shift();
    if (next !== undefined) tally = joined(tally, next);
    progress?.(Math.min(1, tally.operands / total));
  };
  for (const { a, b, continues } of operandsOf(row, sample)) {
    signal?.throwIfAborted();
    const results = await compute(row, a, b, afterwards);
    const before = continues ? last : NaN;
    last = results[results.length - 1] ?? NaN;
    pending.push(judges.judge(row.name, { a, b, results, before }, most));
    if (pending.length >= mostPending) await takeOne();
  }
  while (pending.length > 0) await takeOne();
  return tally;
}
