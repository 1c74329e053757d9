// Reduces rows of neighbouring numbers: one workgroup turns a chunk of a row into one number. What a row's chunks gave
// is a shorter row, for the next pass. Every lane adds in a tree of 8, then 8 of these, then the lanes form a tree: the
// error grows with the logarithm of the length, not with the length.
struct Reduction {
  length: u32, // numbers in a row; a multiple of 4, or there is one row
  rows: u32,
  chunks: u32, // in a row
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

const lanes = 64u;
const chunkVectors = 64u * lanes;

var<workgroup> partial: array<vec4f, lanes>;

// The k-th vec4 of the row that begins at `start`, with what is beyond the row's end replaced.
fn load(start: u32, k: u32) -> vec4f {
  let nothing = vec4f(identity());
  if (4u * k >= reduction.length) {
    return nothing;
  }
  let beyond = 4u * k + vec4u(0u, 1u, 2u, 3u) >= vec4u(reduction.length);
  return select(x[start + k], nothing, beyond);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let result = group.x + group.y * groups.x;
  if (result >= reduction.rows * reduction.chunks) {
    return;
  }
  let start = result / reduction.chunks * ((reduction.length + 3u) / 4u);
  let first = result % reduction.chunks * chunkVectors + lane;
  var total = vec4f(identity());
  for (var step = 0u; step < 8u; step++) {
    let k = first + step * 8u * lanes;
    if (4u * k >= reduction.length) {
      break;
    }
    let pairs = combine4(
      combine4(combine4(load(start, k), load(start, k + lanes)), combine4(load(start, k + 2u * lanes), load(start, k + 3u * lanes))),
      combine4(combine4(load(start, k + 4u * lanes), load(start, k + 5u * lanes)), combine4(load(start, k + 6u * lanes), load(start, k + 7u * lanes))),
    );
    total = combine4(total, pairs);
  }
  partial[lane] = total;
  workgroupBarrier();
  for (var half = lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = combine4(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let last = partial[0];
    y[result] = combine(combine(last.x, last.y), combine(last.z, last.w));
  }
}
