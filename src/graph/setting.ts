/** A value that holds while a function runs, and afterwards is what it was before, whatever happens. */
export class Setting<T> {
  #current: T;

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  during<R>(value: T, f: () => R): R {
    const before = this.#current;
    this.#current = value;
    try {
      return f();
    } finally {
      this.#current = before;
    }
  }
}
