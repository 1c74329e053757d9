// Reduces short rows of neighbouring numbers: one invocation takes four of them, side by side.
struct Reduction {
  length: u32, // numbers in a row
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

// The numbers that are at this place in their rows.
fn load(k: u32) -> vec4f {
  let length = reduction.length;
  return vec4f(x[k], x[k + length], x[k + 2u * length], x[k + 3u * length]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= arrayLength(&y)) {
    return;
  }
  var k = 4u * result * reduction.length;
  let end = k + reduction.length;
  var total = vec4f(identity());
  for (; k + 8u <= end; k += 8u) {
    let eight = combine8(
      load(k), load(k + 1u), load(k + 2u), load(k + 3u), load(k + 4u), load(k + 5u), load(k + 6u), load(k + 7u),
    );
    total = combine4(total, eight);
  }
  for (; k < end; k++) {
    total = combine4(total, load(k));
  }
  y[result] = total;
}
