// Copies as many numbers as y has, of buffers that end where their last number does.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = 4u * (id.x + id.y * groups.x * 256u);
  let end = min(first + 4u, arrayLength(&y));
  for (var i = first; i < end; i++) {
    y[i] = x[i];
  }
}
