/** Results that noGrad gave, and whose memory was given back: they get their numbers again before what these come from changes. */
import { WeakList } from "../base/weak-list.js";

/** Such a result, or what one is computed from. */
interface HandedOut {
  /** Whether it was given back, and somebody has it, or what comes from it. */
  readonly isMissed: boolean;
  /** Has it computed again. */
  regain(): void;
}

/** An array, or the memory of several. */
interface Changing {
  onChange: (() => void) | null;
}

const waiting = new WeakMap<Changing, WeakList<HandedOut>>();

/** Has the result computed again when the array or memory that it comes from is about to change. */
export function awaitChangeOf(source: Changing, result: WeakRef<HandedOut>): void {
  let list = waiting.get(source);
  if (list === undefined || source.onChange === null) listen(source, (list = new WeakList<HandedOut>()));
  list.add(result);
}

function listen(source: Changing, list: WeakList<HandedOut>): void {
  waiting.set(source, list);
  source.onChange = () => {
    for (const result of list.all()) if (result.isMissed) result.regain();
  };
}

/** Whether something that was given back waits for changes of this. */
export function isAwaited(source: Changing): boolean {
  return (
    source.onChange !== null &&
    waiting
      .get(source)
      ?.all()
      .some(({ isMissed }) => isMissed) === true
  );
}

/** What has waited for changes of `from` waits for those of `to`, which has the same numbers. */
export function handOn(from: Changing, to: Changing): void {
  const list = waiting.get(from);
  if (list === undefined || from.onChange === null) return;
  listen(to, list);
}
