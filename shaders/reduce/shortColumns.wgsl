// Reduces short columns where those beside each other are no multiple of 4: one invocation takes four results, side by side.
struct Reduction {
  length: u32,
  inner: u32, // columns
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> reduction: Reduction;

fn load(i: vec4u) -> vec4f {
  return vec4f(x[i.x], x[i.y], x[i.z], x[i.w]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 64u;
  if (result >= arrayLength(&y)) {
    return;
  }
  let n = reduction.inner;
  let own = 4u * result + vec4u(0u, 1u, 2u, 3u);
  var i = own + own / n * (reduction.length - 1u) * n;
  var k = 0u;
  var total = vec4f(identity());
  while (k < reduction.length) {
    let pause = min(k + partLength, reduction.length);
    var part = vec4f(identity());
    for (; k + 8u <= pause; k += 8u) {
      let eight = combine8(
        load(i), load(i + n), load(i + 2u * n), load(i + 3u * n),
        load(i + 4u * n), load(i + 5u * n), load(i + 6u * n), load(i + 7u * n),
      );
      part = combine4(part, eight);
      i += vec4u(8u * n);
    }
    for (; k < pause; k++) {
      part = combine4(part, load(i));
      i += vec4u(n);
    }
    total = combine4(total, part);
  }
  y[result] = total;
}
