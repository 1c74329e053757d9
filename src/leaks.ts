/** Who holds memory: for the page whose memory grows and grows. */
import { currentDevice } from "./gpu/device.js";
import type { Shape } from "./shape.js";
import { Variable } from "./variable.js";

/** A Variable that holds GPU memory. */
export interface Leak {
  readonly name: string | null;
  /** The Function that made it; null for a leaf. */
  readonly creator: string | null;
  readonly shape: Shape;
  readonly bytes: number;
}

/**
 * The Variables of the current device that hold GPU memory now, the latest last.
 *
 * @example
 * const before = leaks().length;
 * using z = square(x);
 * console.log(leaks().length - before); // 1
 */
export function leaks(): Leak[] {
  const found: Leak[] = [];
  for (const { owner } of currentDevice().shares) {
    const variable = owner?.deref();
    if (!(variable instanceof Variable)) continue;
    const { name, creator, shape, bytes } = variable;
    found.push({ name, creator: creator?.name ?? null, shape, bytes });
  }
  return found;
}
