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
  let beyond = 4u * k + vec4u(0u, 1u, 2u, 3u) >= vec4u(reduction.length);
  return select(x[start + k], vec4f(identity()), beyond);
}

fn combine8(a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f, g: vec4f, h: vec4f) -> vec4f {
  return combine4(
    combine4(combine4(a, b), combine4(c, d)),
    combine4(combine4(e, f), combine4(g, h)),
  );
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
  let vectors = (reduction.length + 3u) / 4u;
  let start = result / reduction.chunks * vectors;
  let end = min(vectors, (result % reduction.chunks + 1u) * chunkVectors);
  const n = lanes;
  var k = result % reduction.chunks * chunkVectors + lane;
  var total = vec4f(identity());
  for (; k + 7u * n + 1u < end; k += 8u * n) {
    let i = start + k;
    let eight = combine8(
      x[i], x[i + n], x[i + 2u * n], x[i + 3u * n], x[i + 4u * n], x[i + 5u * n], x[i + 6u * n], x[i + 7u * n],
    );
    total = combine4(total, eight);
  }
  for (; k < end; k += n) {
    total = combine4(total, load(start, k));
  }
  // 64 lanes, then 8, then one: a barrier for each step of two would cost more than it saves.
  partial[lane] = total;
  workgroupBarrier();
  if (lane < 8u) {
    partial[lane] = combine8(
      partial[lane], partial[lane + 8u], partial[lane + 16u], partial[lane + 24u],
      partial[lane + 32u], partial[lane + 40u], partial[lane + 48u], partial[lane + 56u],
    );
  }
  workgroupBarrier();
  if (lane == 0u) {
    let last = combine8(
      partial[0], partial[1], partial[2], partial[3], partial[4], partial[5], partial[6], partial[7],
    );
    y[result] = combine(combine(last.x, last.y), combine(last.z, last.w));
  }
}
