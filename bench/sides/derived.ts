/** The gradient of one function, once more at each run: derived from its WGSL, or by hand. */
import { elementwise, flush, init, Variable } from "../../src/index.js";
import { derivedFunctions } from "../derived.js";
import type { DerivedCase, Problem } from "../protocol.js";
import { work, type Work } from "../side.js";

export async function gradientOf({ name, n, math }: Problem<DerivedCase>, byHand: boolean): Promise<Work> {
  const device = await init({ math });
  const { forward, backward, ranges } = derivedFunctions[name];
  const f = elementwise(byHand ? `${forward}\n${backward}` : forward);
  const inputs = ranges.map((range, k) => new Variable(spread(n, range, k), { requiresGrad: true }));
  const value = f(...inputs);
  await value.read();
  return work({
    compute() {
      value.backward({ retainGrad: false });
    },
    async wait() {
      flush();
      await device.gpuDevice.queue.onSubmittedWorkDone();
    },
    async read() {
      const gradient = new Float32Array(n * inputs.length);
      for (const [k, { grad }] of inputs.entries()) {
        if (grad === null) throw new Error(`${name}: no gradient`);
        gradient.set(await grad.read(), k * n);
      }
      return { value: await value.read(), gradient };
    },
    release() {
      for (const input of inputs) input.clearGrad();
    },
    close() {
      value.dispose();
      for (const input of inputs) input.dispose();
    },
  });
}

/** Numbers of a range, in another order for each input. */
function spread(n: number, [low, high]: readonly [number, number], input: number): Float32Array<ArrayBuffer> {
  const step = [0.6180339887498949, 0.7548776662466927, 0.5698402909980532][input] ?? NaN;
  return Float32Array.from({ length: n }, (_, i) => low + (high - low) * ((i * step) % 1));
}
