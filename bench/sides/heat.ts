/** One step of diffusion on a grid that wraps, forward or the gradients of both fields: `stencil`, and WebGPU by hand. */
import { flush, init, stencil, Variable } from "../../src/index.js";
import type { HeatCase, Problem } from "../protocol.js";
import { work, type Work } from "../side.js";
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
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("Chrome offers no WebGPU adapter");
  const device = await adapter.requestDevice();
  const n = rows * columns;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffers = [u, k, g, ...[0, 1, 2].map(() => null)].map((values) => {
    const buffer = device.createBuffer({ size: 4 * n, usage });
    if (values !== null) device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  const module = device.createShaderModule({ code: heatWgsl });
  const entryPoint = isForward ? "heat_forward" : "heat_backward";
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint, constants: { rows, columns } },
  });
  const used = isForward ? [0, 1, 3] : [0, 1, 2, 4, 5];
  const entries = used.flatMap((binding) => {
    const buffer = buffers[binding];
    return buffer === undefined ? [] : [{ binding, resource: { buffer } }];
  });
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const read = async (buffer: GPUBuffer | undefined): Promise<Float32Array> => {
    if (buffer === undefined) throw new Error("no such buffer");
    const staging = device.createBuffer({ size: 4 * n, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * n);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange());
  };
  const run = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(columns / 64), Math.ceil(rows / 4));
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
  return {
    run,
    async results() {
      await run();
      const [, , , y, gu, gk] = buffers;
      if (isForward) return { value: await read(y), gradient: new Float32Array(0) };
      const gradient = new Float32Array(2 * n);
      gradient.set(await read(gu));
      gradient.set(await read(gk), n);
      return { value: new Float32Array(0), gradient };
    },
    close() {
      device.destroy();
    },
  };
}
