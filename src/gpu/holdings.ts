/**
 * Which arrays hold memory of a device, and what gives it back when one of them is forgotten.
 *
 * Most arrays are released in the task that made them. The garbage collector tells of forgotten ones between tasks only,
 * so an array is given to it when the task is over, and what was released until then costs nothing.
 */
import type { Shape } from "../base/shape.js";
import type { GpuArray } from "./array.js";
import type { Storage } from "./storage.js";

/** Whose data an array is, in words: nothing here may hold a Variable or a graph. */
export interface Label {
  name: string | null;
  creator: string | null;
}

/** One array's part in a piece of memory. */
export interface Share {
  readonly storage: Storage;
  readonly shape: Shape;
  label: Label | null;
  /** Whether the garbage collector was asked to tell. */
  watched: boolean;
}

/** In one long task, from how many new arrays on those that are still there are given to the garbage collector. */
const mostNew = 1024;

export class Holdings {
  #new: GpuArray[] = [];
  readonly #watched = new Set<Share>();
  readonly #registry = new FinalizationRegistry<Share>((share) => {
    this.#giveUp(share);
  });

  add(array: GpuArray): void {
    const { length } = this.#new;
    if (length === 0) {
      queueMicrotask(() => {
        this.#watchNew();
      });
    }
    this.#new.push(array);
    if (length >= mostNew) this.#watchNew();
  }

  remove(array: GpuArray, share: Share): void {
    if (share.watched) this.#registry.unregister(array);
    this.#giveUp(share);
  }

  /** Everything that holds memory now. */
  shares(): ReadonlySet<Share> {
    this.#watchNew();
    return this.#watched;
  }

  #watchNew(): void {
    for (const array of this.#new) {
      const { share } = array;
      if (share === null || share.watched) continue;
      share.watched = true;
      this.#watched.add(share);
      this.#registry.register(array, share, array);
    }
    this.#new = [];
  }

  #giveUp(share: Share): void {
    if (share.watched) this.#watched.delete(share);
    share.storage.release();
  }
}
