/** Functions of a Kernel of one's own: what the library can't compute again. */
import { Function, GpuArray, Kernel, Variable } from "../../src/index.js";

const double = new Kernel({
  name: "double",
  wgsl: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = id.x + id.y * groups.x * 64u;
      if (i < arrayLength(&y)) { y[i] = 2.0 * x[i]; }
    }`,
  bindings: ["input", "output"],
});

const doubled = (x: GpuArray): GpuArray => double.run({ inputs: [x], outputs: [x.shape], invocations: x.size })[0]!;

/** 2x, forward and backward. */
export class Doubled extends Function {
  override forward(x: GpuArray) {
    return doubled(x);
  }
  override backward(gy: Variable) {
    return doubled(gy.data);
  }
}
