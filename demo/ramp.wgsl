// Evenly spaced numbers: x[i] = first + i * step.
struct Ramp {
  first: f32,
  step: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> ramp: Ramp;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&x)) { x[i] = ramp.first + f32(i) * ramp.step; }
}
