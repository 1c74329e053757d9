/** TensorFlow.js with its WebGPU backend. */
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { coefficient, coefficients, learningRate } from "../problems.js";
import type { GraphCase, Problem } from "../protocol.js";
import { work, type Input, type Side } from "../side.js";

// A type, since an interface is no TensorContainer.
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions
type Out = {
  value: tf.Tensor;
  gradient: tf.Tensor;
};

export const tfjsSide: Side = {
  async prepare(problem, input) {
    if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js has no WebGPU backend here");
    await tf.ready();
    const backend = tf.backend();
    if (!(backend instanceof WebGPUBackend)) throw new Error("TensorFlow.js did not take its WebGPU backend");
    const { compute, kept } = computation(problem, input);
    return work<Out>({
      compute: () => tf.tidy(compute),
      async wait() {
        // What a read would do, without the read. Every 15th dispatch submits, and leaves no encoder.
        backend["endComputePassEncoder"]();
        if ((backend["commandEncoder"] as GPUCommandEncoder | null) !== null) backend.submitQueue();
        await backend.queue.onSubmittedWorkDone();
      },
      read: async ({ value, gradient }) => ({
        value: (await value.data()) as Float32Array,
        gradient: (await gradient.data()) as Float32Array,
      }),
      release({ value, gradient }) {
        value.dispose();
        gradient.dispose();
      },
      close() {
        tf.dispose(kept);
      },
    });
  },
};

/** What to compute inside of tidy, and the tensors to keep meanwhile. */
function computation(
  { name, depth }: Problem<GraphCase>,
  { x: values, target }: Input,
): { compute: () => Out; kept: tf.Tensor[] } {
  const x = tf.tensor1d(values);
  // Given as a tensor that is on the GPU already: without it, TensorFlow.js uploads ones in each backward.
  const ones = tf.onesLike(x);
  const differentiate = (f: (x: tf.Tensor) => tf.Tensor, start: tf.Tensor, at: tf.Tensor = x): Out => {
    const { value, grad } = tf.valueAndGrad(f)(at, start);
    return { value, gradient: grad };
  };
  const chain = (t: tf.Tensor): tf.Tensor => tf.square(tf.exp(tf.square(t)));
  const one = tf.scalar(1);
  const kept: tf.Tensor[] = [x, ones, one];
  switch (name) {
    case "chain":
    case "fused":
    case "firstGradient":
      return { compute: () => differentiate(chain, ones), kept };
    case "sum":
      return { compute: () => differentiate((t) => tf.sum(chain(t)), one), kept };
    case "deep": {
      const deep = (t: tf.Tensor): tf.Tensor => {
        let y = t;
        for (let k = 0; k < depth; k++) y = tf.sin(y);
        return y;
      };
      return { compute: () => differentiate(deep, ones), kept };
    }
    case "wide": {
      const scalars = new Map(coefficients.map((c) => [c as number, tf.scalar(c)]));
      const term = (t: tf.Tensor, k: number): tf.Tensor => tf.mul(t, scalars.get(coefficient(k)) ?? one);
      const wide = (t: tf.Tensor): tf.Tensor => {
        let y = term(t, 0);
        for (let k = 1; k < depth; k++) y = tf.add(y, term(t, k));
        return y;
      };
      return { compute: () => differentiate(wide, ones), kept: [...kept, ...scalars.values()] };
    }
    case "train": {
      const goal = tf.tensor1d(target);
      const rate = tf.scalar(learningRate(values.length));
      const loss = (t: tf.Tensor): tf.Tensor => tf.mean(tf.square(tf.sub(t, goal)));
      const step = (at: tf.Tensor): Out =>
        tf.tidy(() => {
          const { value, gradient } = differentiate(loss, one, at);
          return { value, gradient: tf.sub(at, tf.mul(gradient, rate)) };
        });
      return {
        compute: () => {
          let out = step(x);
          for (let k = 1; k < depth; k++) {
            const next = step(out.gradient);
            out.value.dispose();
            out.gradient.dispose();
            out = next;
          }
          return out;
        },
        kept: [...kept, goal, rate],
      };
    }
  }
}
