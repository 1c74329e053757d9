/** Operands of an element-wise shader: how each is read, which decides what shader is needed, and what is bound for it. */
import { at } from "../base/assert.js";
import { broadcastStrides, sameShape, sizeOf, stridesOf, type Shape } from "../base/shape.js";
import type { GpuArray } from "../gpu/array.js";
import { launch } from "../gpu/launch.js";
import type { Shader } from "../gpu/shader.js";
import { isBound, isWalked, type LoadKind } from "../wgsl/harness.js";
import type { Walk } from "../wgsl/strides.js";
import { gather, isLarge } from "./gather.js";
import { layoutOf, mergedDimensions, type Strides } from "./layout.js";

/** An array, and which of its elements the result has. */
export interface StridedOperand extends Strides {
  readonly array: GpuArray;
  /**
   * Whether it is the gradient that a pass may start from: the number 1 is then worth a shader of its own. Read from a
   * uniform it costs a tenth of the time of a fused backward of 2^24 elements.
   */
  readonly isSeed: boolean;
}

/** The strides of an array that has the result's shape: every element in turn. */
const everyElement: readonly number[] = [];

/** An operand as NumPy broadcasts it to the result's shape. */
export function broadcastOperand(array: GpuArray, shape: Shape, isSeed = false): StridedOperand {
  const isWhole = array.shape === shape || sameShape(array.shape, shape);
  return { array, offset: 0, strides: isWhole ? everyElement : broadcastStrides(array.shape, shape), isSeed };
}

/** How an operand by itself is read; "strided" where that depends on the others: see `read`. */
export function loadKindOf({ array, offset, strides, isSeed }: StridedOperand, shape: Shape): LoadKind {
  if (array.constant !== null) return array.constant === 1 && isSeed ? "one" : "constant";
  if (array.element !== null) return "scalar";
  if (strides === everyElement) return "full";
  const whole = stridesOf(shape);
  if (
    array.size === sizeOf(shape) &&
    offset === 0 &&
    shape.every((length, axis) => length === 1 || strides[axis] === whole[axis])
  ) {
    return "full";
  }
  return array.size === 1 ? "scalar" : "strided";
}

/** Whether an array of these, or of the result, is larger than one binding. */
export function isTooLarge(operands: readonly StridedOperand[], shape: Shape): boolean {
  return operands.some(({ array }) => isLarge(array.device, array.bytes) || isLarge(array.device, sizeOf(shape) * 4));
}

/** A new array of the result's shape, with the elements that this operand has there. */
export function inOrder(operand: StridedOperand, shape: Shape): GpuArray {
  return gather(operand.array, shape, operand.offset, mergedDimensions(shape, [operand]));
}

/** Whether these are too large to be read by strides, as some of them are. */
export function mustBeOrdered(operands: readonly StridedOperand[], shape: Shape): boolean {
  return isTooLarge(operands, shape) && operands.some((operand) => loadKindOf(operand, shape) === "strided");
}

/** Runs on the same operands, with those that are read by strides put in order: then all can be cut alike into windows. */
export function withOrdered<T>(
  operands: readonly StridedOperand[],
  shape: Shape,
  run: (operands: readonly StridedOperand[]) => T,
): T {
  const made: GpuArray[] = [];
  try {
    return run(
      operands.map((operand) => {
        if (loadKindOf(operand, shape) !== "strided") return operand;
        const array = inOrder(operand, shape);
        made.push(array);
        return { array, offset: 0, strides: everyElement, isSeed: false };
      }),
    );
  } finally {
    for (const array of made) array.release();
  }
}

/** How the operands of one dispatch are read. */
export interface Reading {
  readonly loads: readonly LoadKind[];
  /** How those by strides are walked through, and the words for it; null where there are none. */
  readonly walk: Walk | null;
  readonly words: Uint32Array | null;
}

/**
 * The loads with those that are strided told apart, since it is the dispatch that knows all of them.
 *
 * @param loads what `loadKindOf` gives for each operand, or "unread"
 * @throws LimitError where these are too many dimensions of too many operands.
 */
export function read(
  operands: readonly StridedOperand[],
  loads: readonly LoadKind[],
  shape: Shape,
  what: string,
): Reading {
  const strided = operands.filter((_, k) => loads[k] === "strided");
  if (strided.length === 0) return { loads, walk: null, words: null };
  const { walk, lies, words } = layoutOf(shape, strided, what);
  const own = lies.values();
  return { loads: loads.map((load) => (load === "strided" ? (own.next().value ?? load) : load)), walk, words };
}

/** Runs an element-wise shader on operands: one dispatch, which writes arrays of this shape. */
export function launchOn(
  shader: Shader,
  operands: readonly StridedOperand[],
  { loads, words }: Reading,
  shape: Shape,
  outputs: number,
): GpuArray[] {
  const inputs: GpuArray[] = [];
  const uniforms: (Float32Array | Uint32Array)[] = [];
  operands.forEach(({ array }, index) => {
    const load = at(loads, index);
    if (isBound(load)) inputs.push(isWalked(load) ? array : (array.element ?? array));
    else if (load !== "unread") array.check();
    if (load === "constant") uniforms.push(Float32Array.of(array.constant ?? 0));
  });
  if (words !== null) uniforms.push(words);
  const shapes = outputs === 1 ? [shape] : Array.from({ length: outputs }, () => shape);
  return launch(shader, { inputs, outputs: shapes, uniforms, grid: { invocations: Math.ceil(sizeOf(shape) / 4) } });
}
