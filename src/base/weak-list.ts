/** What is known as long as somebody else has it. */

/** From how many entries on the forgotten ones are looked for. */
const least = 64;

export class WeakList<V extends object> {
  #entries: WeakRef<V>[] = [];
  #mostAlive = least;

  add(entry: WeakRef<V>): void {
    this.#entries.push(entry);
    if (this.#entries.length < 2 * this.#mostAlive) return;
    this.#entries = this.#entries.filter((each) => each.deref() !== undefined);
    this.#mostAlive = Math.max(least, this.#entries.length);
  }

  /** Those that are still there. */
  all(): V[] {
    return this.#entries.flatMap((each) => each.deref() ?? []);
  }
}
