// One step of diffusion on a ring of cells, as its writer would: a thread for a cell, on a grid of the array's own shape.
override columns: i32 = 1;
override rows: i32 = 1;

@group(0) @binding(0) var<storage, read> u: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> gu: array<f32>;
@group(0) @binding(5) var<storage, read_write> gk: array<f32>;

fn up(x: i32, n: i32) -> i32 {
  return select(x + 1, 0, x + 1 == n);
}

fn down(x: i32, n: i32) -> i32 {
  return select(x - 1, n - 1, x == 0);
}

@compute @workgroup_size(64, 4)
fn heat_forward(@builtin(global_invocation_id) id: vec3u) {
  let column = i32(id.x);
  let row = i32(id.y);
  if (column >= columns || row >= rows) {
    return;
  }
  let above = down(row, rows) * columns + column;
  let below = up(row, rows) * columns + column;
  let left = row * columns + down(column, columns);
  let right = row * columns + up(column, columns);
  let i = row * columns + column;
  y[i] = u[i] + k[i] * (u[below] + u[above] + u[right] + u[left] - 4.0 * u[i]);
}

@compute @workgroup_size(64, 4)
fn heat_backward(@builtin(global_invocation_id) id: vec3u) {
  let column = i32(id.x);
  let row = i32(id.y);
  if (column >= columns || row >= rows) {
    return;
  }
  let above = down(row, rows) * columns + column;
  let below = up(row, rows) * columns + column;
  let left = row * columns + down(column, columns);
  let right = row * columns + up(column, columns);
  let i = row * columns + column;
  gu[i] = g[i] * (1.0 - 4.0 * k[i]) + g[above] * k[above] + g[below] * k[below] + g[left] * k[left] + g[right] * k[right];
  gk[i] = g[i] * (u[below] + u[above] + u[right] + u[left] - 4.0 * u[i]);
}
