/** The reverse of reading by strides: writes an array to some places of another one. Arrays only, nothing of gradients. */
import type { GpuArray } from "../gpu/array.js";
import { dispatch, windowsOf } from "../gpu/dispatch.js";
import { workgroupsOf } from "../gpu/grid.js";
import { Shader } from "../gpu/shader.js";
import { mergedDimensions, type Strides } from "./layout.js";

/** As everywhere, how many dimensions there are is written into the shader. */
const placers = new Map<string, Shader>();

/**
 * Writes each element of `source` to its place in `target`, an array of the caller's own. Two elements must not have one place.
 *
 * @param isAdded whether it is added to what is there
 */
export function place(source: GpuArray, target: GpuArray, { offset, strides }: Strides, isAdded = false): void {
  if (source.size === 0) return;
  const { device } = target;
  const [from, to] = [source.hold(), target.hold()];
  const dimensions = mergedDimensions(source.shape, [{ offset, strides }]);
  const layout = [...dimensions.map(({ length }) => length), ...dimensions.flatMap((dimension) => dimension.strides)];
  const shader = placer(dimensions.length, isAdded);
  for (const write of windowsOf(to, device.limits)) {
    for (const read of windowsOf(from, device.limits)) {
      const begin = (write.offset - to.offset) / 4;
      const first = (read.offset - from.offset) / 4;
      dispatch(device, {
        shader,
        inputs: [read],
        outputs: [write],
        uniforms: [Uint32Array.of(first, begin, begin + write.bytes / 4, offset, ...layout)],
        workgroups: workgroupsOf({ invocations: read.bytes / 4 }, 256, device.limits, shader.name),
        shapes: [target.shape],
      });
    }
  }
}

function placer(rank: number, isAdded: boolean): Shader {
  const key = `${rank}${isAdded ? "added" : ""}`;
  let shader = placers.get(key);
  if (shader === undefined) {
    shader = new Shader("place", wgslFor(rank, isAdded), ["input", "output", "uniform"], 256, {
      origin: "library",
      inPlace: true,
    });
    placers.set(key, shader);
  }
  return shader;
}

/** @param rank the dimensions, the last one first, of which the last isn't divided */
function wgslFor(rank: number, isAdded: boolean): string {
  const word = (k: number): string => `words[${Math.floor(k / 4)}][${k % 4}]`;
  const lines: string[] = [];
  for (let k = 0; k < rank; k++) {
    const position = k < rank - 1 ? `(rest % ${word(4 + k)})` : "rest";
    lines.push(`  at += ${position} * ${word(4 + rank + k)};`);
    if (k < rank - 1) lines.push(`  rest /= ${word(4 + k)};`);
  }
  return `// Writes numbers to their places in another array, of both of which a part is bound.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// The first number that is bound; the first place that is bound, and the one behind the last; the place of number 0; then the
// lengths, the last dimension first, and the strides.
@group(0) @binding(2) var<uniform> words: array<vec4u, ${Math.ceil((4 + 2 * rank) / 4)}>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= arrayLength(&x)) {
    return;
  }
  var rest = ${word(0)} + i;
  var at = ${word(3)};
${lines.join("\n")}
  if (at >= ${word(1)} && at < ${word(2)}) {
    y[at - ${word(1)}] ${isAdded ? "+=" : "="} x[i];
  }
}
`;
}
