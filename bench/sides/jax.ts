/** jax-js, eager and compiled by its jit. It consumes its arguments: `x.ref` is a share that may be consumed. */
import { blockUntilReady, defaultDevice, init, jit, numpy as np, vjp } from "@jax-js/jax";
import { coefficient, learningRate } from "../problems.js";
import type { GraphCase, Problem } from "../protocol.js";
import { Unable, work, type Input, type Side } from "../side.js";

type Out = [value: np.Array, gradient: np.Array];

export const jaxEagerSide = side((compute) => compute);

export const jaxJitSide = side((compute, { name }) => {
  // Seen with 0.1.25 from about 120 terms on: "maximum parser recursive depth reached".
  if (name === "wide")
    throw new Unable("jax-js jit nests the whole sum in one WGSL expression, too deep for the compiler");
  return jit(compute);
});

function side(compile: (compute: Step, problem: Problem<GraphCase>) => Step): Side {
  return {
    async prepare(problem, input) {
      if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js has no WebGPU backend here");
      defaultDevice("webgpu");
      const { step, times, seconds, close } = computation(problem, input);
      const compiled = compile(step, problem);
      const x = np.array(input.x);
      await blockUntilReady(x);
      return work<Out>({
        compute() {
          let [value, gradient] = compiled(x.ref, ...seconds());
          for (let k = 1; k < times; k++) {
            value.dispose();
            [value, gradient] = compiled(gradient, ...seconds());
          }
          return [value, gradient];
        },
        async wait(out) {
          await blockUntilReady(out);
        },
        read: async ([value, gradient]) => ({
          value: (await value.ref.data()) as Float32Array,
          gradient: (await gradient.ref.data()) as Float32Array,
        }),
        release(out) {
          for (const array of out) array.dispose();
        },
        close() {
          x.dispose();
          close();
        },
      });
    },
  };
}

/** Consumes its arguments, as every function of jax-js does. */
type Step = (x: np.Array, ...seconds: np.Array[]) => Out;

interface Computation {
  /** Value and gradient; in training, loss and the next x. */
  readonly step: Step;
  /** How many times it is applied, each time to its own second result. */
  readonly times: number;
  /** Shares of further arguments. */
  readonly seconds: () => np.Array[];
  readonly close: () => void;
}

function computation({ name, depth }: Problem<GraphCase>, { x, target }: Input): Computation {
  const once = (f: (x: np.Array) => np.Array): Computation => ({
    step: (t) => differentiate(f, t),
    times: 1,
    seconds: () => [],
    close: () => undefined,
  });
  switch (name) {
    case "chain":
    case "fused":
    case "firstGradient":
      return once(chain);
    case "sum":
      return once((t) => np.sum(chain(t)));
    case "deep":
      return once((t) => {
        let y = t;
        for (let k = 0; k < depth; k++) y = np.sin(y);
        return y;
      });
    case "wide":
      return once((t) => {
        let y = t.ref.mul(coefficient(0));
        for (let k = 1; k < depth; k++) y = y.add(t.ref.mul(coefficient(k)));
        t.dispose();
        return y;
      });
    case "train": {
      const goal = np.array(target);
      const rate = learningRate(x.length);
      return {
        step(t, g: np.Array) {
          const [loss, gradient] = differentiate((moving) => np.mean(np.square(moving.sub(g.ref))), t.ref);
          g.dispose();
          return [loss, t.sub(gradient.mul(rate))];
        },
        times: depth,
        seconds: () => [goal.ref],
        close() {
          goal.dispose();
        },
      };
    }
  }
}

function chain(t: np.Array): np.Array {
  return np.square(np.exp(np.square(t)));
}

function differentiate(f: (x: np.Array) => np.Array, x: np.Array): Out {
  const [value, pull] = vjp(f, [x]);
  const [gradient] = pull(np.onesLike(value.ref));
  pull.dispose();
  return [value, gradient];
}
