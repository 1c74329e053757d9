/** Who holds memory: for the page whose memory grows and grows. */
import { currentDevice } from "../gpu/current.js";
import { sizeOf, type Shape } from "../base/shape.js";

/** A Variable that holds GPU memory. */
export interface Leak {
  /** The Variable's name; null where it has none. */
  readonly name: string | null;
  /** The Function that made it; null for a leaf. */
  readonly creator: string | null;
  /** Its length along each axis. */
  readonly shape: Shape;
  /** Bytes of its data, without padding. */
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
  for (const { label, shape } of currentDevice().holdings.all()) {
    if (label !== null) found.push({ ...label, shape, bytes: sizeOf(shape) * 4 });
  }
  return found;
}
