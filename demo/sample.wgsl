// Every step-th element of an array: picked[i] = array[first + i * step].
struct Sample {
  first: u32,
  step: u32,
}

@group(0) @binding(0) var<storage, read> elements: array<f32>;
@group(0) @binding(1) var<storage, read_write> picked: array<f32>;
@group(0) @binding(2) var<uniform> sample: Sample;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&picked)) { picked[i] = elements[sample.first + i * sample.step]; }
}
