/** Which elements of what a step computed are not finite, though all are on which they depend. */
import { at } from "../base/assert.js";
import { sizeOf } from "../base/shape.js";
import nonFiniteWgsl from "../../shaders/inspect/nonFinite.wgsl?raw";
import unexplainedWgsl from "../../shaders/inspect/unexplained.wgsl?raw";
import { sumTo } from "../elementwise/broadcast.js";
import { builtin } from "../elementwise/elementwise.js";
import type { GpuArray } from "../gpu/array.js";
import { withGrad } from "../graph/grad-mode.js";
import { Variable } from "../graph/variable.js";
import { reducedTo } from "./dependence.js";
import { scan, type Scan } from "./scan.js";
import type { Step, StepOperand, StepResult } from "./steps.js";

const nonFinite = builtin<[x: Variable]>(nonFiniteWgsl);
const unexplained = builtin<[result: Variable, explained: Variable]>(unexplainedWgsl);

/** A result that isn't finite, and the operands that may be why. */
interface Suspect {
  readonly result: StepResult;
  readonly operands: readonly StepOperand[];
}

/** Bytes of results that are looked at a second time at once. */
const mostBytes = 2 ** 26;

/**
 * What each of the steps made, nothing of those that made nothing; and whether all results are finite. An operand that was
 * changed since explains nothing, whatever is in it now.
 */
export async function whatIsMade(
  steps: readonly Step[],
): Promise<{ readonly made: ReadonlyMap<StepResult, Scan>; readonly isFinite: boolean }> {
  const isRead = (operands: readonly StepOperand[]): StepOperand[] =>
    operands.filter((operand) => operand.isRead && !operand.isChanged);
  const arrays = new Set(
    steps.flatMap(({ results, operands }) => [...results, ...isRead(operands)].map(({ array }) => array)),
  );
  const scans = await scan([...arrays]);
  const known = new Map([...arrays].map((array, k) => [array, at(scans, k)]));
  const isBad = ({ array }: { readonly array: GpuArray }): boolean => (known.get(array)?.count ?? 0) > 0;
  const made = new Map<StepResult, Scan>();
  const suspects: Suspect[] = [];
  let isFinite = true;
  for (const { results, operands } of steps) {
    const bad = isRead(operands).filter(isBad);
    for (const result of results.filter(isBad)) {
      isFinite = false;
      const whole = known.get(result.array);
      if (bad.length === 0 && whole !== undefined) made.set(result, whole);
      else if (sizeOf(result.group) > 1) suspects.push({ result, operands: bad });
    }
  }
  for (const batch of batches(suspects)) await lookAgain(batch, made);
  return { made, isFinite };
}

/** Of as many as fit at once, and at least one. */
function batches(suspects: readonly Suspect[]): Suspect[][] {
  const found: Suspect[][] = [];
  let room = 0;
  for (const suspect of suspects) {
    const { bytes } = suspect.result.array;
    if (bytes > room) {
      found.push([]);
      room = mostBytes;
    }
    found.at(-1)?.push(suspect);
    room -= bytes;
  }
  return found;
}

async function lookAgain(suspects: readonly Suspect[], made: Map<StepResult, Scan>): Promise<void> {
  const rests = suspects.map(restOf);
  try {
    const scans = await scan(rests.map(({ array }) => array));
    suspects.forEach(({ result }, k) => {
      const rest = at(scans, k);
      if (rest.count > 0) made.set(result, rest);
    });
  } finally {
    for (const rest of rests) rest.dispose();
  }
}

/** The result with 0 in the place of what depends on an operand's element that isn't finite. */
function restOf({ result, operands }: Suspect): Variable {
  const { array, view, group } = result;
  return withGrad(false, () => {
    let rest = Variable.of(array.reshape(view));
    for (const operand of operands) {
      using whole = Variable.of(operand.array.reshape(operand.view));
      using bad = nonFinite(whole);
      using explained = sumTo(bad, reducedTo(group, operand.view));
      const before = rest;
      rest = unexplained(before, explained);
      before.dispose();
    }
    return rest;
  });
}
