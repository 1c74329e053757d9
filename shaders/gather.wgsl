// Reads an array by strides, where it or the result is larger than one binding: of both, a part is bound. What is not in
// this part of the array is written by the dispatch that has it.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// The first element of the result that is bound; the first of the array, and the one behind the last; the first element of the
// array that the result has; then the layout: a rank, and for each dimension, the last one first, its length and its stride.
@group(0) @binding(2) var<uniform> words: array<vec4u, 33>;

fn word(k: u32) -> u32 {
  return words[k / 4u][k % 4u];
}

fn element(index: u32) -> u32 {
  var rest = index;
  var offset = word(3u);
  for (var dimension = 0u; dimension < word(4u); dimension++) {
    let length = word(5u + 2u * dimension);
    offset += rest % length * word(6u + 2u * dimension);
    rest /= length;
  }
  return offset;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= arrayLength(&y)) {
    return;
  }
  let source = element(word(0u) + i);
  if (source >= word(1u) && source < word(2u)) {
    y[i] = x[source - word(1u)];
  }
}
