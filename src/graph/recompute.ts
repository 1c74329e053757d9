/** Numbers whose memory was given back, computed again from what they came from. */
import { at } from "../base/assert.js";
import type { GpuArray } from "../gpu/array.js";

/** How numbers came about: by which function, from what, and at which versions of that. */
export interface Recipe<V> {
  readonly f: Repeatable;
  /** Which of the function's results they are. */
  readonly index: number;
  readonly operands: readonly V[];
  readonly versions: readonly number[];
}

interface Repeatable {
  /** Whether it gives the same numbers again from the same arrays. */
  readonly repeatable: boolean;
  repeat(arrays: readonly GpuArray[], index: number): GpuArray;
}

/** A Variable, as far as this file knows it. */
export interface Numbers<V> {
  /** Released where the memory was given back. */
  readonly numbers: GpuArray;
  /** Null where they can't be computed again. */
  readonly recipe: Recipe<V> | null;
  /** Of one that was given back: what it comes from. */
  readonly roots: Roots<V> | null;
  /** Whether somebody may still read it. */
  readonly isReadable: boolean;
  /** Takes numbers that were computed again. */
  take(array: GpuArray): void;
}

/** What has its numbers, so that others can be computed from it. */
export interface Roots<V> {
  /** As they were when they were used. */
  readonly states: ReadonlyMap<V, { readonly array: GpuArray; readonly version: number }>;
  /** Those between which and the result stands something that the user has disposed. */
  readonly apart: ReadonlySet<V>;
  /** How many functions lead from there, where one way has no more than others. */
  readonly length: number;
}

/** How many functions may lead to what was given back, and from how many roots: what takes more keeps its numbers. */
const mostFunctions = 4000;
const mostRoots = 64;

/** What a Variable that is to be given back would be computed from again. */
export interface Way<V> {
  readonly roots: Roots<V>;
  /** What is on the way and must know its operands from now on. */
  readonly through: ReadonlySet<V>;
}

/** Null where `value` couldn't be computed again: something that it comes from is gone or has changed. */
export function wayTo<V extends Numbers<V>>(value: V): Way<V> | null {
  const found = new Found<V>();
  const through = new Set<V>([value]);
  /** What is still to be looked at, and whether something disposed stands between it and `value`. */
  const waiting = [{ each: value, isBehind: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { each, isBehind } = next;
    // What was found when it was given back still holds, but for what was given back since.
    const gone = each.roots === null ? found.addOperands(each, isBehind) : found.addRoots(each.roots, isBehind);
    if (gone === null || found.isTooMuch) return null;
    for (const one of gone) {
      if (through.has(one)) continue;
      through.add(one);
      waiting.push({ each: one, isBehind: isBehind || !one.isReadable || each.roots?.apart.has(one) === true });
    }
  }
  return found.isTooMuch ? null : { roots: found, through };
}

class Found<V extends Numbers<V>> implements Roots<V> {
  readonly states = new Map<V, { readonly array: GpuArray; readonly version: number }>();
  readonly apart = new Set<V>();
  /** Functions that were found, and the most that are behind one of them. */
  #found = 0;
  #before = 0;

  get length(): number {
    return this.#found + this.#before;
  }

  get isTooMuch(): boolean {
    return this.length > mostFunctions || this.states.size > mostRoots;
  }

  add(root: V, isApart: boolean): void {
    const { numbers: array } = root;
    const isNumber = array.constant !== null && array.shape.length === 0;
    if (isNumber) return;
    this.states.set(root, { array, version: array.version });
    if (isApart) this.apart.add(root);
  }

  /** Adds what a value was computed from and is as it was; gives those that were given back, or null. */
  addOperands({ recipe }: V, isBehind: boolean): V[] | null {
    if (recipe === null) return null;
    this.#found++;
    const gone: V[] = [];
    for (const [k, operand] of recipe.operands.entries()) {
      const { numbers } = operand;
      if (numbers.released) gone.push(operand);
      else if (numbers.version !== at(recipe.versions, k)) return null;
      else this.add(operand, isBehind);
    }
    return gone;
  }

  /** The same of the roots of what was given back before. */
  addRoots({ states, apart, length }: Roots<V>, isBehind: boolean): V[] | null {
    this.#before = Math.max(this.#before, length);
    const gone: V[] = [];
    for (const [root, { array, version }] of states) {
      const { numbers } = root;
      if (numbers.released) gone.push(root);
      else if (numbers === array && numbers.version !== version) return null;
      else this.add(root, isBehind || apart.has(root));
    }
    return gone;
  }
}

/** Of a recomputation of fewer functions, nothing on the way is kept. */
const shortWay = 16;

/**
 * The numbers of `wanted`. Those on the way are released as soon as they were used; on a long way one in √n keeps them, so
 * that who reads all of n results, in whatever order, has about n functions run and not n².
 *
 * @throws what `lost` gives where something on the way is gone, or was changed; what a Function's forward throws.
 */
export function computeAgain<V extends Numbers<V>>(
  wanted: V,
  lost: (because: V, isChanged: boolean) => Error,
): GpuArray {
  const steps = stepsTo(wanted, lost);
  const uses = new Map<V, number>();
  for (const { recipe } of steps) {
    for (const operand of new Set(recipe.operands)) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  }
  const kept = steps.length < shortWay ? new Set<V>() : oneInRoot(steps.map(({ value }) => value));
  const made = new Map<V, GpuArray>();
  try {
    for (const { value, recipe } of steps) {
      const arrays = recipe.operands.map((operand) => made.get(operand) ?? operand.numbers);
      made.set(value, recipe.f.repeat(arrays, recipe.index));
      for (const operand of new Set(recipe.operands)) {
        const left = (uses.get(operand) ?? 0) - 1;
        uses.set(operand, left);
        const array = made.get(operand);
        if (left > 0 || array === undefined) continue;
        made.delete(operand);
        if (kept.has(operand)) operand.take(array);
        else array.release();
      }
    }
  } catch (error) {
    for (const array of made.values()) array.release();
    throw error;
  }
  const numbers = made.get(wanted);
  if (numbers === undefined) throw new Error("gpugrad bug: nothing was computed");
  return numbers;
}

/** One in √n of those that somebody may read. */
function oneInRoot<V extends Numbers<V>>(values: readonly V[]): Set<V> {
  const stride = Math.ceil(Math.sqrt(values.length));
  return new Set(values.filter(({ isReadable }) => isReadable).filter((_, k) => k % stride === stride - 1));
}

interface Step<V> {
  readonly value: V;
  readonly recipe: Recipe<V>;
}

/** What has to be run to compute `wanted` again, in order. */
function stepsTo<V extends Numbers<V>>(wanted: V, lost: (because: V, isChanged: boolean) => Error): Step<V>[] {
  const steps: Step<V>[] = [];
  const recipes = new Map<V, Recipe<V>>();
  const done = new Set<V>();
  const waiting: V[] = [wanted];
  for (let value = waiting.at(-1); value !== undefined; value = waiting.at(-1)) {
    const known = recipes.get(value);
    const recipe = known ?? value.recipe;
    if (recipe === null) throw lost(value, false);
    if (known === undefined) {
      recipes.set(value, recipe);
      recipe.operands.forEach((operand, k) => {
        const { numbers } = operand;
        if (numbers.released) waiting.push(operand);
        else if (numbers.version !== at(recipe.versions, k)) throw lost(operand, true);
      });
      if (waiting.at(-1) !== value) continue;
    }
    waiting.pop();
    if (done.has(value)) continue;
    done.add(value);
    steps.push({ value, recipe });
  }
  return steps;
}
