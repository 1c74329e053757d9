// y = square(exp(square(x))) and its gradient where that of y is 1, each in one dispatch.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> r: array<vec4f>;

@compute @workgroup_size(SIZE)
fn chain_forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  let x = a[i];
  let e = exp4(x * x);
  r[i] = e * e;
}

@compute @workgroup_size(SIZE)
fn chain_backward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  let x = a[i];
  let e = exp4(x * x);
  r[i] = (e + e) * e * (x + x);
}
