// One dispatch per node: what each function and its derivative cost when written by hand. exp4, sin4 and cos4 are added
// by whoever joins this: the language's own, or gpugrad's.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> r: array<vec4f>;
@group(0) @binding(3) var<uniform> c: f32;

@compute @workgroup_size(SIZE)
fn square_forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  let x = a[i];
  r[i] = x * x;
}

@compute @workgroup_size(SIZE)
fn exp_forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = exp4(a[i]);
}

@compute @workgroup_size(SIZE)
fn sin_forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = sin4(a[i]);
}

// The gradient of a square where that of its output is 1.
@compute @workgroup_size(SIZE)
fn square_backward_from_ones(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  let x = a[i];
  r[i] = x + x;
}

// a is the input, b the gradient of the output.
@compute @workgroup_size(SIZE)
fn square_backward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  let x = a[i];
  r[i] = b[i] * (x + x);
}

// a is the output, b its gradient.
@compute @workgroup_size(SIZE)
fn exp_backward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = a[i] * b[i];
}

@compute @workgroup_size(SIZE)
fn sin_backward_from_ones(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = cos4(a[i]);
}

// a is the input, b the gradient of the output.
@compute @workgroup_size(SIZE)
fn sin_backward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = b[i] * cos4(a[i]);
}

// One use of x in a sum: r += c x. Forward of `wide`.
@compute @workgroup_size(SIZE)
fn add_scaled(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] += c * a[i];
}

// The gradient of one use of x in a sum: r += c. Backward of `wide`.
@compute @workgroup_size(SIZE)
fn add_constant(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] += c;
}

@compute @workgroup_size(SIZE)
fn subtract(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = a[i] - b[i];
}

// The gradient of mean(d^2): a is d, c is 2 / n.
@compute @workgroup_size(SIZE)
fn scale(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&r)) { return; }
  r[i] = c * a[i];
}
