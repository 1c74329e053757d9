/** One step of diffusion on a grid that wraps, forward or the gradients of both fields: `stencil`, and WebGPU by hand. */
import { flush, init, stencil, Variable } from "../../src/index.js";
import type { HeatCase, Problem } from "../protocol.js";
import { work, type Work } from "../side.js";
import { Gpu } from "./handwritten/gpu.js";
import heatWgsl from "./handwritten/heat.wgsl?raw";

const wgsl = `
  fn heat_forward(u: field, k: field) -> f32 {
    return u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) + u(0, 1) + u(0, -1) - 4.0 * u(0, 0));
  }`;

interface Fields {
  readonly shape: readonly [rows: number, columns: number];
  readonly u: Float32Array<ArrayBuffer>;
  readonly k: Float32Array<ArrayBuffer>;
  /** The gradient of the result. */
  readonly g: Float32Array<ArrayBuffer>;
}

/** Nearly square, with numbers that are the same in every run. */
function fieldsOf(n: number): Fields {
  const rows = 2 ** Math.floor(Math.log2(n) / 2);
  const spread = (step: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: n }, (_, i) => (i * step) % 1);
  return {
    shape: [rows, n / rows],
    u: spread(0.6180339887498949),
    k: spread(0.7548776662466927),
    g: spread(0.5698402909980532),
  };
}

export function heat({ name, n, math }: Problem<HeatCase>, byHand: boolean): Promise<Work> {
  const isForward = name === "heatForward";
  return byHand ? handwritten(fieldsOf(n), isForward) : own(fieldsOf(n), isForward, math);
}

async function own({ shape, ...fields }: Fields, isForward: boolean, math: Problem["math"]): Promise<Work> {
  const device = await init({ math });
  const f = stencil(wgsl, { dimensions: 2, boundary: "wrap" });
  const u = new Variable(fields.u, { shape });
  const k = new Variable(fields.k, { shape });
  const g = new Variable(fields.g, { shape, requiresGrad: false });
  const value = f(u, k);
  await value.read();
  let next: Variable | null = null;
  return work({
    compute() {
      if (isForward) next = f(u, k);
      else {
        value.grad = g;
        value.backward({ retainGrad: false });
      }
    },
    async wait() {
      flush();
      await device.gpuDevice.queue.onSubmittedWorkDone();
    },
    async read() {
      const gradient = new Float32Array(isForward ? 0 : 2 * u.size);
      if (!isForward) {
        gradient.set((await u.grad?.read()) ?? []);
        gradient.set((await k.grad?.read()) ?? [], u.size);
      }
      return { value: isForward ? await (next ?? value).read() : new Float32Array(0), gradient };
    },
    release() {
      next?.dispose();
      next = null;
      u.clearGrad();
      k.clearGrad();
    },
    close() {
      for (const variable of [value, u, k, g]) variable.dispose();
    },
  });
}

async function handwritten({ shape: [rows, columns], u, k, g }: Fields, isForward: boolean): Promise<Work> {
  const gpu = await Gpu.open("exact");
  const n = rows * columns;
  const [y, gu, gk] = [gpu.array(n), gpu.array(n), gpu.array(n)];
  const fields = [gpu.upload(u), gpu.upload(k)];
  const step = gpu.dispatch(
    {
      module: gpu.module(heatWgsl),
      entryPoint: isForward ? "heat_forward" : "heat_backward",
      constants: { rows, columns },
    },
    isForward ? [...fields, undefined, y] : [...fields, gpu.upload(g), undefined, gu, gk],
    [Math.ceil(columns / 64), Math.ceil(rows / 4)],
  );
  const run = async (): Promise<void> => {
    gpu.submit([], [], [step]);
    await gpu.done();
  };
  return {
    run,
    async results() {
      await run();
      if (isForward) return { value: await gpu.read(y, n), gradient: new Float32Array(0) };
      const gradient = new Float32Array(2 * n);
      gradient.set(await gpu.read(gu, n));
      gradient.set(await gpu.read(gk, n), n);
      return { value: new Float32Array(0), gradient };
    },
    close: () => gpu.close(),
  };
}
