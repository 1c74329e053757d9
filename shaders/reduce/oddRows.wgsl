// Reduces rows of neighbouring numbers whose length is no multiple of 4: as rows.wgsl, number by number.
struct Reduction {
  length: u32, // numbers in a row
  chunks: u32, // in a row
  results: u32, // rows * chunks
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

const chunkLength = 1024u;

fn load(k: u32) -> vec4f {
  return vec4f(x[k], x[k + 1u], x[k + 2u], x[k + 3u]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= reduction.results) {
    return;
  }
  let start = result / reduction.chunks * reduction.length;
  let chunk = result % reduction.chunks;
  let end = start + min((chunk + 1u) * chunkLength, reduction.length);
  var k = start + chunk * chunkLength;
  var total = vec4f(identity());
  while (k < end) {
    let pause = min(k + 4u * partLength, end);
    var part = vec4f(identity());
    for (; k + 32u <= pause; k += 32u) {
      let eight = combine8(
        load(k), load(k + 4u), load(k + 8u), load(k + 12u), load(k + 16u), load(k + 20u), load(k + 24u), load(k + 28u),
      );
      part = combine4(part, eight);
    }
    for (; k + 4u <= pause; k += 4u) {
      part = combine4(part, load(k));
    }
    for (; k < pause; k++) {
      part.x = combine(part.x, x[k]);
    }
    total = combine4(total, part);
  }
  y[result] = combine_components(total);
}
