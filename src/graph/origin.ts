/** What was computed without a graph, and from what: enough to give its memory back with the result, and to compute it again. */
import { Setting } from "./setting.js";

/** Whether the forward or backward of a Function that is made of others runs. */
export const insideFunction = new Setting(false);

/**
 * How a Variable came about that has no graph. Its result must not hold its history: neither GPU memory nor objects. So
 * operands are known weakly, as long as they are there, and `dispose()` of the result finds what was computed on the way.
 * From there on what was given back knows its operands strongly, so that it can be computed again if somebody reads it.
 */
export class Origin<F, V extends object> {
  readonly f: F;
  /** Which of the Function's outputs it is. */
  readonly index: number;
  /** Of the operands' data, when they were used. */
  readonly versions: readonly number[];
  /** Told apart from earlier ones: see `currentTask`. */
  readonly task = currentTask();
  /** Whether it has an operand's numbers and was not computed from it: it stands for an argument. */
  readonly isStandIn: boolean;
  /** Whether the operands count this as a result of theirs that has its numbers. */
  counted: boolean;
  #operands: readonly (V | WeakRef<V>)[];

  /** Whether it is part of what runs for another result: then it goes with that, even where it can't be computed again. */
  inner: boolean;

  constructor(
    f: F,
    index: number,
    operands: readonly (V | WeakRef<V>)[],
    versions: readonly number[],
    isStandIn = false,
  ) {
    this.f = f;
    this.index = index;
    this.#operands = operands;
    this.versions = versions;
    this.isStandIn = isStandIn;
    this.counted = !isStandIn;
    this.inner = isStandIn || insideFunction.current;
  }

  /** The operands that are still there. */
  there(): V[] {
    const there: V[] = [];
    for (const operand of this.#operands) {
      const found = operand instanceof WeakRef ? operand.deref() : operand;
      if (found !== undefined) there.push(found);
    }
    return there;
  }

  /** The operands; null where one was forgotten already. */
  operands(): V[] | null {
    const there = this.there();
    return there.length < this.#operands.length ? null : there;
  }

  /** Holds the operands from now on, as far as they are there. */
  hold(): void {
    const there = this.operands();
    if (there !== null) this.#operands = there;
  }
}

let task = 0;
let isCounted = false;

/**
 * Counts up with every stretch of code between two awaits. What is used in a later one than that which made it was held by
 * somebody in between.
 */
export function currentTask(): number {
  if (!isCounted) {
    isCounted = true;
    queueMicrotask(() => {
      isCounted = false;
      task++;
    });
  }
  return task;
}
