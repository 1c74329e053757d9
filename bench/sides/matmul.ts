/** A product of matrices and both gradients, on every side that has one. */
import { blockUntilReady, defaultDevice, init as initJax, jit, numpy as np, vjp } from "@jax-js/jax";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { flush, init, matmul, Variable } from "../../src/index.js";
import { matmulSizes } from "../matmul-sizes.js";
import type { MatmulCase, Problem, SideName } from "../protocol.js";
import { work, type Results, type Work } from "../side.js";
import { Gpu } from "./handwritten/gpu.js";
import matmulWgsl from "./handwritten/matmul.wgsl?raw";

/** a is [m, k], b [k, n], and g, the gradient of their product, [m, n]. */
interface Matrices {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  readonly g: Float32Array<ArrayBuffer>;
}

/** Numbers in [0, 1), the same in every run. */
function matricesOf(name: MatmulCase): Matrices {
  const [m, k, n] = matmulSizes[name];
  const spread = (size: number, step: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: size }, (_, i) => (i * step) % 1);
  return {
    m,
    k,
    n,
    a: spread(m * k, 0.6180339887498949),
    b: spread(k * n, 0.7548776662466927),
    g: spread(m * n, 0.5698402909980532),
  };
}

function joined(value: Float32Array, ofA: Float32Array, ofB: Float32Array): Results {
  const gradient = new Float32Array(ofA.length + ofB.length);
  gradient.set(ofA);
  gradient.set(ofB, ofA.length);
  return { value, gradient };
}

/** Those who have a product of matrices. */
export function matmulSides(name: MatmulCase): Map<SideName, (math: Problem["math"]) => Promise<Work>> {
  const matrices = matricesOf(name);
  return new Map<SideName, (math: Problem["math"]) => Promise<Work>>([
    ["gpugrad", (math) => own(matrices, math)],
    ["handwritten", () => handwritten(matrices)],
    ["tfjs", () => tfjs(matrices)],
    ["jaxEager", () => jax(matrices, false)],
    ["jaxJit", () => jax(matrices, true)],
  ]);
}

async function own({ m, k, n, ...numbers }: Matrices, math: Problem["math"]): Promise<Work> {
  const device = await init({ math });
  const a = new Variable(numbers.a, { shape: [m, k] });
  const b = new Variable(numbers.b, { shape: [k, n] });
  const g = new Variable(numbers.g, { shape: [m, n], requiresGrad: false });
  return work<Variable>({
    compute() {
      const value = matmul(a, b);
      value.grad = g;
      value.backward({ retainGrad: false });
      return value;
    },
    async wait() {
      flush();
      await device.gpuDevice.queue.onSubmittedWorkDone();
    },
    async read(value) {
      if (a.grad === null || b.grad === null) throw new Error("gpugrad gave no gradient");
      return joined(await value.read(), await a.grad.read(), await b.grad.read());
    },
    release(value) {
      value.dispose();
      a.clearGrad();
      b.clearGrad();
    },
    close() {
      for (const variable of [a, b, g]) variable.dispose();
    },
  });
}

async function handwritten({ m, k, n, ...numbers }: Matrices): Promise<Work> {
  const gpu = await Gpu.open("native");
  const [a, b, g] = [gpu.upload(numbers.a), gpu.upload(numbers.b), gpu.upload(numbers.g)];
  const [y, ga, gb] = [gpu.array(m * n), gpu.array(m * k), gpu.array(k * n)];
  const module = gpu.module(matmulWgsl);
  const product = (
    [left, a_row, a_k]: readonly [GPUBuffer, number, number],
    [right, b_k, b_column]: readonly [GPUBuffer, number, number],
    result: GPUBuffer,
    [rows, depth, columns]: readonly [number, number, number],
  ): ReturnType<Gpu["dispatch"]> =>
    gpu.dispatch(
      { module, entryPoint: "matmul", constants: { rows, columns, depth, a_row, a_k, b_k, b_column } },
      [left, right, result],
      [Math.ceil(columns / 32), Math.ceil(rows / 64)],
    );
  const dispatches = [
    product([a, k, 1], [b, n, 1], y, [m, k, n]),
    product([g, n, 1], [b, 1, n], ga, [m, n, k]),
    product([a, 1, k], [g, n, 1], gb, [k, m, n]),
  ];
  const run = async (): Promise<void> => {
    gpu.submit([], [], dispatches);
    await gpu.done();
  };
  return {
    run,
    async results() {
      await run();
      return joined(await gpu.read(y, m * n), await gpu.read(ga, m * k), await gpu.read(gb, k * n));
    },
    close: () => {
      gpu.close();
    },
  };
}

async function tfjs({ m, k, n, ...numbers }: Matrices): Promise<Work> {
  if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js has no WebGPU backend here");
  await tf.ready();
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error("TensorFlow.js did not take its WebGPU backend");
  const a = tf.tensor2d(numbers.a, [m, k]);
  const b = tf.tensor2d(numbers.b, [k, n]);
  const g = tf.tensor2d(numbers.g, [m, n]);
  const both = tf.valueAndGrads((x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y));
  return work<tf.Tensor[]>({
    compute: () =>
      tf.tidy(() => {
        const { value, grads } = both([a, b], g);
        return [value, ...grads];
      }),
    async wait() {
      backend["endComputePassEncoder"]();
      if ((backend["commandEncoder"] as GPUCommandEncoder | null) !== null) backend.submitQueue();
      await backend.queue.onSubmittedWorkDone();
    },
    async read(out) {
      const [value, ofA, ofB] = (await Promise.all(out.map((tensor) => tensor.data()))) as Float32Array[];
      return joined(value ?? new Float32Array(), ofA ?? new Float32Array(), ofB ?? new Float32Array());
    },
    release(out) {
      tf.dispose(out);
    },
    close() {
      tf.dispose([a, b, g]);
    },
  });
}

async function jax({ m, k, n, ...numbers }: Matrices, isCompiled: boolean): Promise<Work> {
  if (!(await initJax("webgpu")).includes("webgpu")) throw new Error("jax-js has no WebGPU backend here");
  defaultDevice("webgpu");
  const a = np.array(numbers.a).reshape([m, k]);
  const b = np.array(numbers.b).reshape([k, n]);
  const g = np.array(numbers.g).reshape([m, n]);
  const eager = (x: np.Array, y: np.Array, gy: np.Array): np.Array[] => {
    const [value, pull] = vjp((one: np.Array, other: np.Array) => np.matmul(one, other), [x, y]);
    const [ofX, ofY] = pull(gy);
    pull.dispose();
    return [value, ofX, ofY];
  };
  const step = isCompiled ? jit(eager) : eager;
  await blockUntilReady([a, b, g]);
  return work<np.Array[]>({
    compute: () => step(a.ref, b.ref, g.ref),
    async wait(out) {
      await blockUntilReady(out);
    },
    async read(out) {
      const [value, ofA, ofB] = (await Promise.all(out.map((array) => array.ref.data()))) as Float32Array[];
      return joined(value ?? new Float32Array(), ofA ?? new Float32Array(), ofB ?? new Float32Array());
    },
    release(out) {
      for (const array of out) array.dispose();
    },
    close() {
      for (const array of [a, b, g]) array.dispose();
    },
  });
}
