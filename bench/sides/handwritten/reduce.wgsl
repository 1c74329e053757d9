// The sum of an array: each lane adds 64 vectors, neighbouring lanes loading neighbours, then the workgroup's lanes are
// added in a tree. A workgroup of 64: its barriers cost a software adapter much less than those of 256.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> r: array<f32>;
@group(0) @binding(3) var<uniform> c: f32;

const perLane = 64u;
const lanes = 64u;
var<workgroup> partial: array<vec4f, lanes>;

@compute @workgroup_size(lanes)
fn sum(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let count = arrayLength(&a);
  let first = group.x * lanes * perLane + lane;
  var total = vec4f(0.0);
  for (var k = 0u; k < perLane; k++) {
    let i = first + k * lanes;
    if (i < count) { total += a[i]; }
  }
  partial[lane] = total;
  workgroupBarrier();
  for (var half = lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let last = partial[0];
    r[group.x] = c * ((last.x + last.y) + (last.z + last.w));
  }
}
