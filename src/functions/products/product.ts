/** The node of all products: two arrays, a letter for each axis, and what is summed over. */
import { at } from "../../base/assert.js";
import type { Shape } from "../../base/shape.js";
import type { GpuArray } from "../../gpu/array.js";
import { Function } from "../../graph/function.js";
import type { Operand, Variable } from "../../graph/variable.js";
import { exampleWgsl, multiply } from "./multiply.js";
import type { Letters } from "./plan.js";

/**
 * Each gradient is a product again, of the other operand and the gradient that arrives: the letters change places, and with them
 * the strides. So there are gradients of any order, and none makes a transposed copy.
 */
class Product extends Function {
  readonly #name: string;
  readonly #letters: Letters;
  readonly #shape: Shape;
  override readonly givesFreshGradients = true;

  constructor(name: string, letters: Letters, shape: Shape) {
    super();
    this.#name = name;
    this.#letters = letters;
    this.#shape = shape;
  }

  override get name(): string {
    return this.#name;
  }

  override get wgsl(): string {
    return exampleWgsl();
  }

  override get repeatable(): boolean {
    return true;
  }

  override forward(a: GpuArray, b: GpuArray): GpuArray {
    return multiply(a, b, this.#letters, this.#shape, this.#name.toLowerCase());
  }

  override backward(gy: Variable): (Variable | null)[] {
    const { a, b, y } = this.#letters;
    const [first, second] = [at(this.inputs, 0), at(this.inputs, 1)];
    return [
      first.requiresGrad ? new Product(this.#name, { a: y, b, y: a }, first.shape).call(gy, second) : null,
      second.requiresGrad ? new Product(this.#name, { a, b: y, y: b }, second.shape).call(first, gy) : null,
    ];
  }

  override backwardReads(k: number): boolean {
    return k < 2 && at(this.inputs, 1 - k).requiresGrad;
  }
}

/** Of letters of its own, for axes that are nobody else's. */
const firstOwnLetter = 0xe000;

/**
 * The product of two arrays. An axis of length 1 stretches to its letter's length; what the product lacks is summed over, and both
 * operands have it, but for axes of length 1.
 *
 * @param name of the function that was called, as graphs show it
 */
export function product(name: string, a: Operand, b: Operand, letters: Letters, shape: Shape, of: Shapes): Variable {
  let next = firstOwnLetter;
  const own = (given: string, lengths: Shape): string =>
    Array.from(given)
      .map((letter, axis) => (lengths[axis] === 1 ? String.fromCharCode(next++) : letter))
      .join("");
  const named = { a: own(letters.a, of.a), b: own(letters.b, of.b), y: own(letters.y, shape) };
  return new Product(name, named, shape).call(a, b);
}

interface Shapes {
  readonly a: Shape;
  readonly b: Shape;
}
