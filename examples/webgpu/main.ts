/** Points slide down to the unit circle, and are drawn from the buffer that gpugrad moves them in. */
import { encodeInto, init, sum, Variable } from "gpugrad";
import { isStill, show } from "../page.js";
import { canvasOf, textureOf } from "./view.js";
import shaders from "./points.wgsl?raw";

const { gpuDevice } = await init({ usage: GPUBufferUsage.VERTEX });
const count = 4096;

const format = navigator.gpu.getPreferredCanvasFormat();
const { view, pixels } = isStill ? textureOf(gpuDevice, format) : canvasOf(gpuDevice, format);

const module = gpuDevice.createShaderModule({ code: shaders });
const vertices: GPUVertexBufferLayout = {
  arrayStride: 8,
  attributes: [{ shaderLocation: 0, offset: 0, format: "float32x2" }],
};
const pipeline = gpuDevice.createRenderPipeline({
  layout: "auto",
  primitive: { topology: "point-list" },
  vertex: { module, buffers: [vertices] },
  fragment: { module, targets: [{ format }] },
});

const spread = Float32Array.from({ length: 2 * count }, (_, k) => 2 * ((k * 0.6180339887) % 1) - 1);
const points = new Variable(spread, { shape: [count, 2], name: "points" });

/** (|p|² - 1)² for each point. */
function energyOf(p: Variable): Variable {
  return sum(sum(p.square(), 1).sub(1).square());
}

function frame(): void {
  const encoder = gpuDevice.createCommandEncoder();
  encodeInto(encoder, () => {
    using energy = energyOf(points);
    energy.backward({ retainGrad: false });
    points.descend(0.02).clearGrad();
  });
  const pass = encoder.beginRenderPass({
    colorAttachments: [{ view: view(), loadOp: "clear", storeOp: "store", clearValue: [0, 0, 0, 1] }],
  });
  pass.setPipeline(pipeline);
  pass.setVertexBuffer(0, points.data.buffer);
  pass.draw(count);
  pass.end();
  gpuDevice.queue.submit([encoder.finish()]);
}

show({ frame, moved: points, pixels });
