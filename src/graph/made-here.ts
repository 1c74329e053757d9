/** What is made while something runs: it is given back where that throws, and what was there before is not. */
import { Setting } from "./setting.js";

interface Made {
  /** Gives it back where it can be computed again, should somebody have it. */
  abandon(): void;
}

let count = 0;

/** What was made up to here is not given back, other than what is disposed. */
const spared = new Setting(0);

/** What has been made since the outermost call of `givingBack`. */
const made = new Setting<Made[] | null>(null);

/** Gives what is made its place in the order in which everything is made. */
export function enter(value: Made): number {
  made.current?.push(value);
  return ++count;
}

/** Whether the one in this place is not to be given back now. */
export function isSpared(place: number): boolean {
  return place <= spared.current;
}

/** Runs `f`, in which nothing that was there before is given back, other than what is disposed. */
export function sparing<T>(f: () => T): T {
  return spared.during(count, f);
}

/** Runs `f`; where it throws, what was made in it is given back, the last first. */
export function givingBack<T>(f: () => T): T {
  const list = made.current ?? [];
  const before = list.length;
  const place = count;
  try {
    return made.during(list, f);
  } catch (error) {
    spared.during(place, () => {
      for (const value of list.splice(before).reverse()) value.abandon();
    });
    throw error;
  }
}
