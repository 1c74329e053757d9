/** Results that noGrad gave, and whose memory was given back: they get their numbers again before what these come from changes. */
import { WeakList } from "../base/weak-list.js";
import type { Storage } from "../gpu/storage.js";

interface HandedOut {
  /** Has it computed again, where it was given back and somebody may read it. */
  regain(): void;
}

const waiting = new WeakMap<Storage, WeakList<HandedOut>>();

/** Has the result computed again when `memory`, from which it comes, is about to change. */
export function awaitChangeOf(memory: Storage | null, result: WeakRef<HandedOut>): void {
  if (memory === null) return;
  let list = waiting.get(memory);
  if (list === undefined || memory.onChange === null) {
    const concerned = (list = new WeakList<HandedOut>());
    waiting.set(memory, list);
    memory.onChange = () => {
      for (const result of concerned.all()) result.regain();
    };
  }
  list.add(result);
}
