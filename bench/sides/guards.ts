/**
 * What it costs to keep gradients in range and zeros zero: gpugrad's own fused shaders for y = square(exp(square(x))), as they
 * are, and without the strong zero and with 2 · x · gy as it comes. Nothing else differs: forward and backward, a gradient
 * that is an array, one dispatch each.
 */
import { exp, fuse, init, square, Variable } from "../../src/index.js";
import { joinMath, type MathMode } from "../../src/wgsl/math.js";
import type { Input, Work } from "../side.js";

const workgroup = 256;

/** @param isGuarded whether the shaders are as gpugrad has them */
export async function guardsWork(n: number, math: MathMode, { x, target }: Input, isGuarded: boolean): Promise<Work> {
  const text = await sourceOf(math);
  const code = joinMath(isGuarded ? text : text.replace(/select\((\w+), 0\.0, .*\);/g, "$1;"), math);
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("Chrome offers no WebGPU adapter");
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({ code: isGuarded ? code : withoutRange(code) });
  const buffers = Array.from({ length: 4 }, () =>
    device.createBuffer({
      size: 4 * n,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    }),
  );
  const [a, gy, y, gx] = buffers as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
  device.queue.writeBuffer(a, 0, x);
  device.queue.writeBuffer(gy, 0, target);
  const steps = (
    [
      ["forward", [a, gy, y]],
      ["backward", [a, gy, gx]],
    ] as const
  ).map(([entryPoint, bound]) => {
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint } });
    const entries = bound.flatMap((buffer, binding) =>
      entryPoint === "forward" && binding === 1 ? [] : [{ binding, resource: { buffer } }],
    );
    return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
  });
  const run = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group } of steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.ceil(n / 4 / workgroup));
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
  return {
    run,
    async results() {
      await run();
      return { value: await read(device, y), gradient: await read(device, gx) };
    },
    close() {
      device.destroy();
    },
  };
}

/** Four numbers at a time, as gpugrad's harness does it. */
async function sourceOf(math: MathMode): Promise<string> {
  await init({ math });
  const fused = fuse((x: Variable) => square(exp(square(x))));
  fused(new Variable([1])).dispose();
  const name = /fn (\w+)_backward/.exec(fused.wgsl)?.[1] ?? "";
  const entry = (direction: string, operands: (component: string) => string): string => `
    @compute @workgroup_size(${workgroup})
    fn ${direction}(@builtin(global_invocation_id) id: vec3u) {
      let i = id.x;
      if (i >= arrayLength(&r)) { return; }
      r[i] = vec4f(${["x", "y", "z", "w"].map((c) => `${name}_${direction}(${operands(c)})`).join(", ")});
    }`;
  return `
    @group(0) @binding(0) var<storage, read> a: array<vec4f>;
    @group(0) @binding(1) var<storage, read> g: array<vec4f>;
    @group(0) @binding(2) var<storage, read_write> r: array<vec4f>;
    fn math_zero() -> u32 { return arrayLength(&r) >> 30u; }
    ${entry("forward", (c) => `a[i].${c}`)}
    ${entry("backward", (c) => `a[i].${c}, g[i].${c}`)}
    ${fused.wgsl}`;
}

function withoutRange(code: string): string {
  const plain = code.replace(
    /fn math_doubled_product\([^}]*\}/,
    "fn math_doubled_product(a: f32, b: f32) -> f32 { return 2.0 * a * b; }",
  );
  if (plain === code || plain.includes("math_is_zero(g"))
    throw new Error("guards: the shader is not what this case expects");
  return plain;
}

async function read(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}
