/** gpugrad itself, from its sources. */
import { exp, flush, fuse, init, mean, sin, square, sum, Variable } from "../../src/index.js";
import { coefficient, learningRate } from "../problems.js";
import type { GraphCase, Problem } from "../protocol.js";
import { work, type Input, type Side } from "../side.js";

interface Out {
  readonly value: Variable;
  /** The gradient of the leaf, or the leaf itself where that is what is asked for. */
  readonly gradient: () => Variable | null;
}

export const gpugradSide: Side = {
  async prepare(problem, input) {
    const device = await init({ math: problem.math });
    const x = new Variable(input.x, { name: "x" });
    const { compute, close } = computation(problem, input, x);
    return work<Out>({
      compute,
      async wait() {
        flush();
        await device.gpuDevice.queue.onSubmittedWorkDone();
      },
      async read({ value, gradient }) {
        const found = gradient();
        if (found === null) throw new Error(`${problem.name}: gpugrad gave no gradient`);
        return { value: await value.read(), gradient: await found.read() };
      },
      release({ value }) {
        value.dispose();
        x.clearGrad();
      },
      close() {
        x.dispose();
        close?.();
      },
    });
  },
};

function computation(
  { name, n, depth }: Problem<GraphCase>,
  { x: values, target }: Input,
  x: Variable,
): { compute: () => Out; close?: () => void } {
  const differentiate = (f: (x: Variable) => Variable) => (): Out => {
    const value = f(x);
    value.backward({ retainGrad: false });
    return { value, gradient: () => x.grad };
  };
  switch (name) {
    case "chain":
    case "firstGradient":
      return { compute: differentiate(chain) };
    case "fused":
      return { compute: differentiate(fuse(chain)) };
    case "sum":
      return { compute: differentiate((t) => sum(chain(t))) };
    case "deep":
      return {
        compute: differentiate((t) => {
          let y = t;
          for (let k = 0; k < depth; k++) y = sin(y);
          return y;
        }),
      };
    case "wide":
      return {
        compute: differentiate((t) => {
          let y = t.mul(coefficient(0));
          for (let k = 1; k < depth; k++) y = y.add(t.mul(coefficient(k)));
          return y;
        }),
      };
    case "train": {
      const goal = new Variable(target, { requiresGrad: false });
      const moving = new Variable(values);
      const rate = learningRate(n);
      return {
        compute() {
          moving.assign(x);
          let loss: Variable | null = null;
          for (let k = 0; k < depth; k++) {
            loss?.dispose();
            loss = mean(square(moving.sub(goal)));
            loss.backward({ retainGrad: false });
            moving.descend(rate).clearGrad();
          }
          if (loss === null) throw new Error("no step");
          return { value: loss, gradient: () => moving };
        },
        close() {
          goal.dispose();
          moving.dispose();
        },
      };
    }
  }
}

function chain(t: Variable): Variable {
  return square(exp(square(t)));
}
