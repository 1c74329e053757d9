/**
 * WebGPU by hand, as well as its writers can: vec4 loads, one submit for value and gradient, buffers, pipelines and bind
 * groups made once, no graph. Node by node, each result in an array of its own, except where a problem says otherwise:
 * `fused` is one shader for the value and one for the gradient.
 */
import type { Side } from "../side.js";
import { Gpu } from "./handwritten/gpu.js";
import { programFor } from "./handwritten/programs.js";

export const handwrittenSide: Side = {
  async prepare(problem, input) {
    const gpu = await Gpu.open(problem.math);
    const { dispatches, copies, cleared, value, gradient } = programFor(gpu, problem, input);
    const run = async (): Promise<void> => {
      gpu.submit(copies, cleared, dispatches);
      await gpu.done();
    };
    return {
      run,
      async results() {
        await run();
        return { value: await gpu.read(value.buffer, value.n), gradient: await gpu.read(gradient.buffer, gradient.n) };
      },
      close() {
        gpu.close();
      },
    };
  },
};
