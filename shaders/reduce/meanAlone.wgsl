// mean.wgsl's main where there are many results: one lane for each.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= word(1u)) {
    return;
  }
  let sum = sums[result];
  if (is_finite(sum)) {
    y[result] = math_div(sum, f32(word(0u)));
  } else {
    y[result] = rescued(scaled_sum(result, 0u, 1u));
  }
}
