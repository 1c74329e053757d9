// r = a · b with any strides: 8 rows by 4 columns in registers, four k at a time, scalar loads, no workgroup memory.
override rows: u32;
override columns: u32;
override depth: u32;
override a_row: u32;
override a_k: u32;
override b_k: u32;
override b_column: u32;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> r: array<f32>;

fn b_at(k: u32, j: vec4u) -> vec4f {
  let p = k * b_k;
  return vec4f(b[p + j.x], b[p + j.y], b[p + j.z], b[p + j.w]);
}

fn a_at(i: u32, k: u32) -> vec4f {
  let p = i + k * a_k;
  return vec4f(a[p], a[p + a_k], a[p + 2u * a_k], a[p + 3u * a_k]);
}

fn products(a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

fn store(i: u32, j: u32, t: vec4f) {
  if (i >= rows) {
    return;
  }
  let p = i * columns + j;
  r[p] = t.x;
  if (j + 1u < columns) { r[p + 1u] = t.y; }
  if (j + 2u < columns) { r[p + 2u] = t.z; }
  if (j + 3u < columns) { r[p + 3u] = t.w; }
}

@compute @workgroup_size(8, 8)
fn matmul(@builtin(global_invocation_id) id: vec3u) {
  let i = 8u * id.y;
  let j = 4u * id.x;
  if (i >= rows || j >= columns) {
    return;
  }
  let c = min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(columns - 1u)) * b_column;
  let i0 = min(vec4u(i, i + 1u, i + 2u, i + 3u), vec4u(rows - 1u)) * a_row;
  let i4 = min(vec4u(i + 4u, i + 5u, i + 6u, i + 7u), vec4u(rows - 1u)) * a_row;
  var t0 = vec4f();
  var t1 = vec4f();
  var t2 = vec4f();
  var t3 = vec4f();
  var t4 = vec4f();
  var t5 = vec4f();
  var t6 = vec4f();
  var t7 = vec4f();
  var k = 0u;
  for (; k + 4u <= depth; k += 4u) {
    let b0 = b_at(k, c);
    let b1 = b_at(k + 1u, c);
    let b2 = b_at(k + 2u, c);
    let b3 = b_at(k + 3u, c);
    t0 += products(a_at(i0.x, k), b0, b1, b2, b3);
    t1 += products(a_at(i0.y, k), b0, b1, b2, b3);
    t2 += products(a_at(i0.z, k), b0, b1, b2, b3);
    t3 += products(a_at(i0.w, k), b0, b1, b2, b3);
    t4 += products(a_at(i4.x, k), b0, b1, b2, b3);
    t5 += products(a_at(i4.y, k), b0, b1, b2, b3);
    t6 += products(a_at(i4.z, k), b0, b1, b2, b3);
    t7 += products(a_at(i4.w, k), b0, b1, b2, b3);
  }
  for (; k < depth; k++) {
    let b0 = b_at(k, c);
    let p = k * a_k;
    t0 += a[i0.x + p] * b0;
    t1 += a[i0.y + p] * b0;
    t2 += a[i0.z + p] * b0;
    t3 += a[i0.w + p] * b0;
    t4 += a[i4.x + p] * b0;
    t5 += a[i4.y + p] * b0;
    t6 += a[i4.z + p] * b0;
    t7 += a[i4.w + p] * b0;
  }
  store(i, j, t0);
  store(i + 1u, j, t1);
  store(i + 2u, j, t2);
  store(i + 3u, j, t3);
  store(i + 4u, j, t4);
  store(i + 5u, j, t5);
  store(i + 6u, j, t6);
  store(i + 7u, j, t7);
}
