// How many numbers of an array are NaN or infinite, and which is the first. One invocation looks at 64 numbers.
struct Scan {
  size: u32,
  place: u32, // of this array's two results
  begin: u32, // the index of the first number: a large array comes in parts
}

// Counts, each followed by 2^32 - 1 - the index of the first, which is 0 where there is none.
@group(0) @binding(0) var<storage, read_write> results: array<atomic<u32>>;
// As bits, since drivers may assume that no number is a NaN.
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<uniform> scan: Scan;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let start = (id.x + id.y * groups.x * 64u) * 64u;
  if (start >= scan.size) {
    return;
  }
  let end = min(start + 64u, scan.size);
  var count = 0u;
  var first = 0u;
  for (var i = start; i < end; i++) {
    if ((x[i] & 0x7f800000u) == 0x7f800000u) {
      first = select(first, 0xffffffffu - scan.begin - i, count == 0u);
      count++;
    }
  }
  if (count > 0u) {
    atomicAdd(&results[2u * scan.place], count);
    atomicMax(&results[2u * scan.place + 1u], first);
  }
}
