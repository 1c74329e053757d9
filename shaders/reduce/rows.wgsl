// Reduces rows of neighbouring numbers: one invocation turns a chunk of a row into one number. What a row's chunks gave is a
// shorter row, for the next pass. No workgroup waits at a barrier: that costs more than a pass.
struct Reduction {
  length: u32, // numbers in a row; a multiple of 4, or there is one row
  chunks: u32, // in a row
  results: u32, // rows * chunks
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

const chunkVectors = 256u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= reduction.results) {
    return;
  }
  let whole = reduction.length / 4u;
  let start = result / reduction.chunks * whole;
  let chunk = result % reduction.chunks;
  let end = start + min((chunk + 1u) * chunkVectors, whole);
  var k = start + chunk * chunkVectors;
  var total = vec4f(identity());
  while (k < end) {
    let pause = min(k + partLength, end);
    var part = vec4f(identity());
    for (; k + 8u <= pause; k += 8u) {
      let eight = combine8(x[k], x[k + 1u], x[k + 2u], x[k + 3u], x[k + 4u], x[k + 5u], x[k + 6u], x[k + 7u]);
      part = combine4(part, eight);
    }
    for (; k < pause; k++) {
      part = combine4(part, x[k]);
    }
    total = combine4(total, part);
  }
  // Numbers behind the last whole vec4 of the one row.
  let left = reduction.length % 4u;
  if (left > 0u && chunk == reduction.chunks - 1u) {
    total = combine4(total, select(vec4f(identity()), x[whole], vec4u(0u, 1u, 2u, 3u) < vec4u(left)));
  }
  y[result] = combine_components(total);
}
