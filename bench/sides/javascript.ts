/** Plain loops over Float32Arrays, value and gradient in one go: what there is to gain by a GPU at all. */
import { coefficient, learningRate } from "../problems.js";
import type { GraphCase, Problem } from "../protocol.js";
import type { Input, Results, Side } from "../side.js";

export const javascriptSide: Side = {
  prepare(problem, input) {
    const results = allocate(problem, input);
    const loop = loopFor(problem, input, results);
    return Promise.resolve({
      run() {
        loop();
        return Promise.resolve();
      },
      results() {
        loop();
        return Promise.resolve(results);
      },
      close: () => undefined,
    });
  },
};

/** Memory that every round writes again. */
function allocate({ name, n }: Problem<GraphCase>, { x }: Input): Results {
  const isScalar = name === "sum" || name === "train";
  return { value: new Float32Array(isScalar ? 1 : n), gradient: new Float32Array(x.length) };
}

function loopFor(problem: Problem<GraphCase>, input: Input, { value, gradient }: Results): () => void {
  const { x } = input;
  const { depth } = problem;
  switch (problem.name) {
    case "chain":
    case "fused":
    case "firstGradient":
      return () => {
        for (let i = 0; i < x.length; i++) {
          const xi = at(x, i);
          const b = Math.exp(xi * xi);
          value[i] = b * b;
          gradient[i] = 4 * xi * b * b;
        }
      };
    case "sum":
      return () => {
        let total = 0;
        for (let i = 0; i < x.length; i++) {
          const xi = at(x, i);
          const b = Math.exp(xi * xi);
          total += b * b;
          gradient[i] = 4 * xi * b * b;
        }
        value[0] = total;
      };
    case "deep":
      return () => {
        for (let i = 0; i < x.length; i++) {
          let y = at(x, i);
          let g = 1;
          for (let k = 0; k < depth; k++) {
            g *= Math.cos(y);
            y = Math.sin(y);
          }
          value[i] = y;
          gradient[i] = g;
        }
      };
    case "wide":
      return () => {
        for (let i = 0; i < x.length; i++) {
          const xi = at(x, i);
          let y = 0;
          let g = 0;
          for (let k = 0; k < depth; k++) {
            y += xi * coefficient(k);
            g += coefficient(k);
          }
          value[i] = y;
          gradient[i] = g;
        }
      };
    case "train":
      return () => {
        value[0] = train(input, depth, gradient);
      };
  }
}

/** Leaves x in `moving`. @returns the loss before the last step */
function train({ x, target }: Input, steps: number, moving: Float32Array): number {
  const factor = (learningRate(x.length) * 2) / x.length;
  let loss = 0;
  moving.set(x);
  for (let step = 0; step < steps; step++) {
    let total = 0;
    for (let i = 0; i < moving.length; i++) {
      const difference = at(moving, i) - at(target, i);
      total += difference * difference;
      moving[i] = at(moving, i) - factor * difference;
    }
    loss = total / moving.length;
  }
  return loss;
}

/** A read that can't miss, in a loop over the array's own length. */
function at(array: Float32Array, i: number): number {
  // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- a check would be part of what is measured
  return array[i]!;
}
