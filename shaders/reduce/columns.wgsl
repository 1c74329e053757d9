// Reduces along any axis: the array is seen as [outer, length, inner], one invocation goes down a chunk of four columns, side by
// side. What the chunks gave is [outer, chunks, inner], for the next pass.
struct Reduction {
  length: u32,
  inner: u32, // vec4 in a row
  chunks: u32,
  results: u32, // outer * chunks * inner, in vec4
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

const chunkLength = 256u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= reduction.results) {
    return;
  }
  let n = reduction.inner;
  let above = result / n;
  let chunk = above % reduction.chunks;
  let end = min((chunk + 1u) * chunkLength, reduction.length);
  var k = chunk * chunkLength;
  var i = (above / reduction.chunks * reduction.length + k) * n + result % n;
  var total = vec4f(identity());
  while (k < end) {
    let pause = min(k + partLength, end);
    var part = vec4f(identity());
    for (; k + 8u <= pause; k += 8u) {
      let eight = combine8(
        x[i], x[i + n], x[i + 2u * n], x[i + 3u * n], x[i + 4u * n], x[i + 5u * n], x[i + 6u * n], x[i + 7u * n],
      );
      part = combine4(part, eight);
      i += 8u * n;
    }
    for (; k < pause; k++) {
      part = combine4(part, x[i]);
      i += n;
    }
    total = combine4(total, part);
  }
  y[result] = total;
}
