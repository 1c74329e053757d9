/** Operands of an element-wise shader: how each is read, which decides what shader is needed, and what is bound for it. */
import { at } from "../base/assert.js";
import { LimitError } from "../base/errors.js";
import { broadcastStrides, sameShape, sizeOf, stridesOf, type Shape } from "../base/shape.js";
import type { GpuArray } from "../gpu/array.js";
import { launch } from "../gpu/launch.js";
import type { Shader } from "../gpu/shader.js";
import { layoutWords, type LoadKind } from "../wgsl/harness.js";
import { gather, isLarge } from "./gather.js";

/** An array, and for each axis of the result how many of its elements one step along that axis skips. */
export interface StridedOperand {
  readonly array: GpuArray;
  readonly strides: readonly number[];
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
  return { array, strides: isWhole ? everyElement : broadcastStrides(array.shape, shape), isSeed };
}

export function loadKindOf({ array, strides, isSeed }: StridedOperand, shape: Shape): LoadKind {
  if (array.constant !== null) return array.constant === 1 && isSeed ? "one" : "constant";
  if (array.element !== null) return "scalar";
  if (strides === everyElement) return "full";
  const whole = stridesOf(shape);
  if (array.size === sizeOf(shape) && shape.every((length, axis) => length === 1 || strides[axis] === whole[axis])) {
    return "full";
  }
  return array.size === 1 ? "scalar" : "strided";
}

/** Whether a load needs an array at a binding. */
export function isBound(load: LoadKind): boolean {
  return load === "full" || load === "scalar" || load === "strided";
}

/** Whether an array of these, or of the result, is larger than one binding. */
export function isTooLarge(operands: readonly StridedOperand[], shape: Shape): boolean {
  return operands.some(({ array }) => isLarge(array.device, array.bytes) || isLarge(array.device, sizeOf(shape) * 4));
}

/** A new array of the result's shape, with the elements that this operand has there. */
export function inOrder({ array, strides }: StridedOperand, shape: Shape, what: string): GpuArray {
  return gather(array, shape, layoutOf(shape, [strides], what));
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
        const array = inOrder(operand, shape, "gather");
        made.push(array);
        return { array, strides: everyElement, isSeed: false };
      }),
    );
  } finally {
    for (const array of made) array.release();
  }
}

/** Runs an element-wise shader on operands: one dispatch, which writes arrays of this shape. */
export function launchOn(
  shader: Shader,
  operands: readonly StridedOperand[],
  loads: readonly LoadKind[],
  shape: Shape,
  outputs: number,
): GpuArray[] {
  const inputs: GpuArray[] = [];
  const uniforms: (Float32Array | Uint32Array)[] = [];
  const strided: (readonly number[])[] = [];
  operands.forEach(({ array, strides }, index) => {
    const load = at(loads, index);
    if (isBound(load)) inputs.push(array.element ?? array);
    else if (load !== "unread") array.check();
    if (load === "constant") uniforms.push(Float32Array.of(array.constant ?? 0));
    if (load === "strided") strided.push(strides);
  });
  if (strided.length > 0) uniforms.push(layoutOf(shape, strided, shader.name));
  const shapes = outputs === 1 ? [shape] : Array.from({ length: outputs }, () => shape);
  return launch(shader, { inputs, outputs: shapes, uniforms, grid: { invocations: Math.ceil(sizeOf(shape) / 4) } });
}

/** The words that the harness's `element` reads. Neighbouring axes that all strides cross alike become one. */
export function layoutOf(shape: Shape, strides: readonly (readonly number[])[], what: string): Uint32Array {
  const dimensions: number[][] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = at(shape, axis);
    if (length === 1) continue;
    const own = strides.map((stride) => at(stride, axis));
    const inner = dimensions[dimensions.length - 1];
    if (inner !== undefined && own.every((stride, k) => stride === at(inner, k + 1) * at(inner, 0))) {
      inner[0] = at(inner, 0) * length;
    } else dimensions.push([length, ...own]);
  }
  const words = [dimensions.length, ...dimensions.flat()];
  if (words.length > layoutWords) {
    throw new LimitError(
      `${what}: ${dimensions.length} dimensions of ${strides.length} broadcast operands are too many at once`,
      words.length,
      layoutWords,
    );
  }
  const layout = new Uint32Array(layoutWords);
  layout.set(words);
  return layout;
}
