/** Products of arrays whose axes have letters, on the GPU. Arrays only, nothing of gradients. */
import mulWgsl from "../../../shaders/mul.wgsl?raw";
import { at } from "../../base/assert.js";
import { LimitError } from "../../base/errors.js";
import { showShape, sizeOf, type Shape } from "../../base/shape.js";
import type { Dimension } from "../../elementwise/layout.js";
import { mustBeOrdered, withOrdered, type StridedOperand } from "../../elementwise/operands.js";
import { summing } from "../../elementwise/reducer.js";
import { ElementwiseShaders } from "../../elementwise/shaders.js";
import { GpuArray } from "../../gpu/array.js";
import { launch } from "../../gpu/launch.js";
import { Shader } from "../../gpu/shader.js";
import { keyOfProduct, productWgsl, wordsOfProduct, type ProductForm } from "../../wgsl/product.js";
import { librarySource } from "../../wgsl/source.js";
import { countOf, lettered, loadOf, planOf, summedLetters, type Letters, type Lettered, type Plan } from "./plan.js";

/** Sums are cut into chunks, computed at once, until there are so many tiles; a chunk has at least so many numbers. */
const enoughTiles = 4096;
const leastChunk = 256;

const shaders = new Map<string, Shader>();

function shaderOf(form: ProductForm): Shader {
  const key = keyOfProduct(form);
  let shader = shaders.get(key);
  if (shader === undefined) {
    const bindings = ["input", "input", "output", "uniform"] as const;
    shader = new Shader("matmul", productWgsl(form), bindings, 64, { origin: "library" });
    shaders.set(key, shader);
  }
  return shader;
}

/** The shader for matrices whose sides are multiples of 4, as an example of what it is. */
export function exampleWgsl(): string {
  const ranks = { batches: 0, rows: 1, columns: 1, turns: 0 };
  return shaderOf({ rows: 8, columns: 4, a: "along", b: "across", storesVec4: true, ranks }).source("exact");
}

/** The product of this shape. Where nothing is summed over, it is one of elements. @throws LimitError above one binding. */
export function multiply(a: GpuArray, b: GpuArray, letters: Letters, shape: Shape, what: string): GpuArray {
  const y = lettered(letters.y, shape);
  if (a.size === 0 || b.size === 0 || y.shape.includes(0)) return GpuArray.constant(0, shape, a.device);
  const isOne = (array: GpuArray): boolean => array.constant !== null || array.element !== null;
  const [ofA, ofB] = [lettered(letters.a, a.shape, isOne(a)), lettered(letters.b, b.shape, isOne(b))];
  if (summedLetters(ofA, ofB, y).length === 0) return multiplyElements(a, ofA, b, ofB, y);
  const plan = planOf(ofA, ofB, y);
  const [first, second] = plan.isSwapped ? [b, a] : [a, b];
  const operands = [oneOrAll(first), oneOrAll(second)];
  try {
    for (const array of [...operands, { shape, bytes: 4 * sizeOf(shape), device: a.device }]) checkFits(array, what);
    return multiplyMatrices(operands, plan, y);
  } finally {
    for (const operand of operands) operand.release();
  }
}

/** The array, to be released; one element of it, where all are the same. */
function oneOrAll(array: GpuArray): GpuArray {
  if (array.constant !== null) return GpuArray.constant(array.constant, [1], array.device);
  return array.element?.share() ?? array.share();
}

function checkFits({ shape, bytes, device }: Pick<GpuArray, "shape" | "bytes" | "device">, what: string): void {
  const most = device.limits.maxStorageBufferBindingSize;
  if (bytes <= most) return;
  throw new LimitError(
    `${what}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can bind ${most}. Multiply some ` +
      "rows, columns or batches at a time; what is summed over can be cut, too, and the products added",
    bytes,
    most,
  );
}

let elements: ElementwiseShaders | null = null;

/** Made at the first use, so that an application without products has nothing of it. */
function elementShaders(): ElementwiseShaders {
  elements ??= new ElementwiseShaders(librarySource(mulWgsl), { origin: "library" });
  return elements;
}

/** Each operand is read by strides along the axes of y. */
function multiplyElements(a: GpuArray, ofA: Lettered, b: GpuArray, ofB: Lettered, y: Lettered): GpuArray {
  const alongY = (array: GpuArray, { letters, shape }: Lettered): StridedOperand => {
    const own = lettered(letters, shape);
    const strides = Array.from(y.letters).map((letter) => {
      const axis = letters.indexOf(letter);
      return axis < 0 || shape[axis] === 1 ? 0 : at(own.strides, axis);
    });
    return { array, offset: 0, strides, isSeed: false };
  };
  const operands = [alongY(a, ofA), alongY(b, ofB)];
  const run = (given: readonly StridedOperand[]): GpuArray => at(elementShaders().runForward(given, y.shape), 0);
  return mustBeOrdered(operands, y.shape) ? withOrdered(operands, y.shape, run) : run(operands);
}

function multiplyMatrices(operands: readonly GpuArray[], plan: Plan, y: Lettered): GpuArray {
  const { batches, rows, columns } = plan;
  const [inner = { length: 1, strides: [0, 0] }, ...turns] = plan.sums;
  const [m, n] = [countOf(rows), countOf(columns)];
  const tile = { rows: m === 1 ? 1 : m <= 4 ? 4 : 8, columns: n === 1 ? 1 : 4 };
  const stride = ({ strides }: Dimension, k: number): number => at(strides, k);
  const own = (list: readonly Dimension[]): { length: number; stride: number }[] =>
    list.map((dimension) => ({ length: dimension.length, stride: stride(dimension, 0) }));
  const load = (k: number): ReturnType<typeof loadOf> =>
    loadOf(
      { length: inner.length, stride: stride(inner, k) },
      own(k === 0 ? rows : columns),
      [...batches, ...turns].map((dimension) => stride(dimension, k)),
      k === 0 ? tile.rows : tile.columns,
    );
  const [last, ...otherColumns] = columns;
  const size = sizeOf(y.shape);
  const storesVec4 =
    last !== undefined &&
    stride(last, 1) === 1 &&
    last.length % 4 === 0 &&
    [...otherColumns, ...rows].every((dimension) => stride(dimension, 1) % 4 === 0) &&
    batches.every((dimension) => stride(dimension, 2) % 4 === 0) &&
    tile.columns === 4;
  const ranks = { batches: batches.length, rows: rows.length, columns: columns.length, turns: turns.length };
  const shader = shaderOf({ ...tile, a: load(0), b: load(1), storesVec4, ranks });

  const [down, across] = [Math.ceil(m / tile.rows), Math.ceil(n / tile.columns)];
  const side = down >= 8 && across >= 8 ? 8 : 1;
  const [blocksDown, blocksAcross] = [Math.ceil(down / side), Math.ceil(across / side)];
  const batchCount = countOf(batches);
  const turnCount = countOf(turns);
  const { chunk, chunks } = chunksOf(down * across * batchCount, inner.length, turnCount, turns.length > 0);
  const words = wordsOfProduct(
    {
      rows: m,
      columns: n,
      blocks_down: blocksDown,
      blocks_across: blocksAcross,
      side,
      batches: batchCount,
      chunks,
      chunk,
      size,
      inner: inner.length,
      a_step: stride(inner, 0),
      b_step: stride(inner, 1),
      turns: turnCount,
    },
    [...batches, ...rows, ...columns, ...turns].map(({ length, strides }) => [length, ...strides]),
  );
  const [made] = launch(shader, {
    inputs: operands,
    outputs: [chunks === 1 ? y.shape : [chunks * size]],
    uniforms: [words],
    grid: { invocations: blocksDown * blocksAcross * side * side * batchCount * chunks },
  });
  if (made === undefined) throw new Error("gpugrad bug: a product of nothing");
  if (chunks === 1) return made;
  const total = summing.reduce(made, 1, chunks, size);
  made.release();
  const result = total.reshape(y.shape);
  total.release();
  return result;
}

/** How what is summed over is cut: along the innermost dimension, or where there are turns around that, along these. */
function chunksOf(tiles: number, inner: number, turns: number, hasTurns: boolean): { chunk: number; chunks: number } {
  const wanted = Math.max(1, Math.min(Math.floor(enoughTiles / tiles), Math.ceil((inner * turns) / leastChunk)));
  const chunk = hasTurns ? Math.ceil(turns / wanted) : Math.ceil(inner / wanted / leastChunk) * leastChunk;
  return { chunk, chunks: Math.ceil((hasTurns ? turns : inner) / chunk) };
}
