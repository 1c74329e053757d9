/**
 * What it costs to keep gradients in range and zeros zero: gpugrad's own fused shaders for y = square(exp(square(x))), as they
 * are, and without the strong zero and with 2 · x · gy as it comes. Nothing else differs: forward and backward, a gradient
 * that is an array, one dispatch each.
 */
import { exp, fuse, init, square, Variable } from "../../src/index.js";
import { withAllMath } from "../../src/wgsl/all-math.js";
import { joinMath, type MathMode } from "../../src/wgsl/math.js";
import type { Input, Work } from "../side.js";
import { Gpu } from "./handwritten/gpu.js";

const workgroup = 256;

/** @param isGuarded whether the shaders are as gpugrad has them */
export async function guardsWork(n: number, math: MathMode, { x, target }: Input, isGuarded: boolean): Promise<Work> {
  const text = await sourceOf(math);
  const code = joinMath(withAllMath(isGuarded ? text : text.replace(/select\((\w+), 0\.0, .*\);/g, "$1;")), math);
  const gpu = await Gpu.open(math);
  const module = gpu.module(isGuarded ? code : withoutRange(code));
  const [a, gy, y, gx] = [gpu.upload(x), gpu.upload(target), gpu.array(n), gpu.array(n)];
  const workgroups = Math.ceil(n / 4 / workgroup);
  const steps = [
    gpu.dispatch({ module, entryPoint: "forward" }, [a, undefined, y], workgroups),
    gpu.dispatch({ module, entryPoint: "backward" }, [a, gy, gx], workgroups),
  ];
  const run = async (): Promise<void> => {
    gpu.submit([], [], steps);
    await gpu.done();
  };
  return {
    run,
    async results() {
      await run();
      return { value: await gpu.read(y, n), gradient: await gpu.read(gx, n) };
    },
    close: () => gpu.close(),
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
