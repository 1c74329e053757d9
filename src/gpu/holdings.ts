/**
 * Which arrays hold memory of a device, and what gives it back when one of them is forgotten.
 *
 * Most arrays are released in the task that made them. The garbage collector tells of forgotten ones between tasks only,
 * so an array is registered with it when the task is over, and what was released until then costs nothing.
 */
import { sizeOf, type Shape } from "../base/shape.js";
import type { MemoryPressure } from "./pressure.js";
import type { Storage } from "./storage.js";

/** Whose data an array is, in words: nothing here may hold a Variable or a graph. */
export interface Label {
  name: string | null;
  creator: string | null;
}

/** What the buffer of such data is called where an application sees it. */
export function labelOf(label: Label | null): string {
  return `gpugrad: ${label?.name ?? label?.creator ?? "an array"}`;
}

/** One array's part in a piece of memory: its bytes from `offset` on. */
export interface Holding {
  readonly kind: "held";
  readonly storage: Storage;
  readonly offset: number;
  readonly bytes: number;
  readonly shape: Shape;
  label: Label | null;
  /** Whether the array gets memory of its own before the numbers change, by whomever. */
  isCopyOnWrite: boolean;
  /** Whether the collector was asked to tell when the array is forgotten. */
  registered: boolean;
}

/** A part of memory for an array of this shape. */
export function holdingOf(storage: Storage, offset: number, shape: Shape): Holding {
  const bytes = sizeOf(shape) * 4;
  return { kind: "held", storage, offset, bytes, shape, label: null, isCopyOnWrite: false, registered: false };
}

/** An array, as far as this file knows it. */
interface Holder {
  readonly holding: Holding | null;
}

/** In one long task, from how many new arrays on those that are still there are registered. */
const mostNew = 1024;

export class Holdings {
  readonly #pressure: MemoryPressure;
  #new: Holder[] = [];
  readonly #registered = new Set<Holding>();
  readonly #registry = new FinalizationRegistry<Holding>((holding) => {
    this.#giveUp(holding);
    this.#pressure.found();
  });

  constructor(pressure: MemoryPressure) {
    this.#pressure = pressure;
  }

  add(array: Holder): void {
    const { length } = this.#new;
    if (length === 0) {
      queueMicrotask(() => {
        this.#registerNew();
        this.#pressure.check();
      });
    }
    this.#new.push(array);
    if (length >= mostNew) this.#registerNew();
  }

  remove(array: Holder, holding: Holding): void {
    if (holding.registered) this.#registry.unregister(array);
    this.#giveUp(holding);
  }

  /** Everything that holds memory now. */
  all(): ReadonlySet<Holding> {
    this.#registerNew();
    return this.#registered;
  }

  #registerNew(): void {
    for (const array of this.#new) {
      const { holding } = array;
      // Null: it was released in the task that made it.
      if (holding === null || holding.registered) continue;
      holding.registered = true;
      this.#registered.add(holding);
      this.#registry.register(array, holding, array);
    }
    this.#new = [];
  }

  #giveUp(holding: Holding): void {
    if (holding.registered) this.#registered.delete(holding);
    holding.storage.release();
  }
}
