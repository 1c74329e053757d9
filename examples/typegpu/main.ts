/** Hanging masses find their rest: TypeGPU's typed buffers are gpugrad's arrays. */
import { flush, GpuArray, init, sum, Variable } from "gpugrad";
import tgpu, { d } from "typegpu";
import { show } from "../page.js";

const { gpuDevice } = await init();
const root = tgpu.initFromDevice({ device: gpuDevice });

const heights = root.createBuffer(d.arrayOf(d.f32, 4), [0, 0, 0, 0]).$usage("storage");
const weights = root.createBuffer(d.arrayOf(d.f32, 4), [1, 2, 3, 4]).$usage("storage");
const height = new Variable(GpuArray.fromBuffer(root.unwrap(heights), [4]), { name: "heights" });
const weight = new Variable(GpuArray.fromBuffer(root.unwrap(weights), [4]), { requiresGrad: false });

/** Each mass hangs on a spring of its own: h² / 2 + w h. */
function frame(): void {
  using energy = sum(height.square().mul(0.5).add(weight.mul(height)));
  energy.backward({ retainGrad: false });
  height.descend(0.5).clearGrad();
  // TypeGPU submits by itself: what is recorded goes first.
  flush();
}

show({ frame, moved: height });
Object.assign(globalThis, {
  typed: {
    read: () => heights.read(),
    setWeights(values: number[]) {
      weights.write(values);
      weight.data.markModified();
    },
  },
});
