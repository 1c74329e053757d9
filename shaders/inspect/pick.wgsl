// Copies one number of an array to a place in another one, bit by bit.
struct Pick {
  index: u32,
  place: u32,
}

@group(0) @binding(0) var<storage, read_write> results: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<uniform> pick: Pick;

@compute @workgroup_size(1)
fn main() {
  results[pick.place] = x[pick.index];
}
