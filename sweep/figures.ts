/** What was measured last, as figures.json has it: `npm run sweep` writes it, the tests and the demo's page read it. */
import figures from "./figures.json";
import type { Tally } from "./judge.js";

export interface Figure {
  /** Such as 2026-11-22. */
  readonly date: string;
  readonly adapter: string;
  readonly browser: string;
  /** Every so many of the 2³² bit patterns; or random pairs. */
  readonly sample: { readonly stride: number } | { readonly pairs: number };
  readonly tally: Tally;
  /** Time for 2²² elements, divided by that of the driver's own; null where there is no such function, or it is the driver's. */
  readonly cost: number | null;
}

/** By the row's name; a row that was never measured is missing. */
export const measured: Readonly<Partial<Record<string, Figure>>> = figures;

/** How an adapter is named in figures. */
export function nameOf({ vendor, architecture, description }: GPUAdapterInfo): string {
  return [...new Set([vendor, architecture, description])].filter((part) => part !== "").join(" ");
}
