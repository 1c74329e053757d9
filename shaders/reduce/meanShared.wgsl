// mean.wgsl's main where there are few results: a workgroup for each.
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let result = group.x;
  let sum = sums[result];
  let isRescued = !is_finite(sum);
  if (isRescued) {
    partial[lane] = scaled_sum(result, lane, 64u);
  }
  workgroupBarrier();
  if (lane != 0u) {
    return;
  }
  if (!isRescued) {
    y[result] = math_div(sum, f32(word(0u)));
    return;
  }
  var total = 0.0;
  for (var k = 0u; k < 64u; k++) {
    total += partial[k];
  }
  y[result] = rescued(total);
}
