/** The grid that a kernel is dispatched over. */
import { ArgumentError, LimitError } from "../base/errors.js";
import { describe } from "../base/describe.js";

/** A number of workgroups along x, y and z; or `invocations`, from which it is computed along x, then y. */
export type Grid =
  | {
      /** Workgroups along x, y and z. */
      readonly workgroups: readonly [number, number?, number?];
    }
  | {
      /** At least so many invocations, along x and, where they are too many for that, y. */
      readonly invocations: number;
    };

export type Workgroups = readonly [number, number, number];

/**
 * The numbers of workgroups of this size.
 *
 * @throws ArgumentError for what is no count; LimitError where one dimension would have more than the device allows.
 */
export function workgroupsOf(grid: Grid, workgroupSize: number, limits: GPUSupportedLimits, what: string): Workgroups {
  const most = limits.maxComputeWorkgroupsPerDimension;
  let counts: Workgroups;
  if ("invocations" in grid) {
    if (!Number.isSafeInteger(grid.invocations) || grid.invocations < 0) {
      throw new ArgumentError(`${what}: invocations must be a whole number, not ${describe(grid.invocations)}`);
    }
    counts = spread(Math.ceil(grid.invocations / workgroupSize), most);
  } else {
    const [x, y = 1, z = 1] = grid.workgroups;
    counts = [x, y, z];
  }
  for (const count of counts) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new ArgumentError(`${what}: workgroups must be whole numbers, not ${describe(count)}`);
    }
    if (count > most) {
      throw new LimitError(`${what}: ${count} workgroups in one dimension, this device allows ${most}`, count, most);
    }
  }
  return counts;
}

/** A number of workgroups as a grid: along x as far as a dimension goes, then along y. */
function spread(count: number, most: number): Workgroups {
  const y = Math.max(1, Math.ceil(count / most));
  return [Math.ceil(count / y), y, 1];
}
