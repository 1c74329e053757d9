// Reduces along any axis: the array is seen as [outer, length, inner], one invocation goes down a chunk of a column.
// What the chunks gave is [outer, chunks, inner], for the next pass.
struct Reduction {
  length: u32,
  inner: u32,
  chunks: u32,
  results: u32, // outer * chunks * inner
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

const chunkLength = 64u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= reduction.results) {
    return;
  }
  let inner = reduction.inner;
  let chunk = result / inner % reduction.chunks;
  let outer = result / inner / reduction.chunks;
  let start = outer * reduction.length * inner + result % inner;
  let end = min((chunk + 1u) * chunkLength, reduction.length);
  var total = identity();
  for (var k = chunk * chunkLength; k < end; k++) {
    total = combine(total, x[start + k * inner]);
  }
  y[result] = total;
}
