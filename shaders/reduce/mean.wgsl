// The mean from the sum. Where a sum of finite numbers has overflowed, the numbers are added again, scaled down: in pairs,
// and pairs of these, so that the error grows with the logarithm of their number. One lane does so (meanAlone.wgsl), or several
// share a result (meanShared.wgsl).
@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// Numbers in a mean; the results; 0, 0; then where the numbers are, two layouts: of the results
// and of the numbers in one. A layout is a rank, and for each dimension, the last one first, its length and its stride.
@group(0) @binding(3) var<uniform> words: array<vec4u, 32>;

fn math_zero() -> u32 {
  return arrayLength(&y) >> 30u;
}

fn word(k: u32) -> u32 {
  return words[k / 4u][k % 4u];
}

fn place(index: u32, head: u32) -> u32 {
  var rest = index;
  var offset = 0u;
  for (var dimension = 0u; dimension < word(head); dimension++) {
    let length = word(head + 1u + 2u * dimension);
    offset += rest % length * word(head + 2u + 2u * dimension);
    rest /= length;
  }
  return offset;
}

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

// 2^32 numbers, each below 2^128, add up to less than 2^120.
const scale = 0x1p-40f;

// Of every `lanes`-th of the numbers of one result: the k-th level has the sum of 2^k of them that wait for a partner.
fn scaled_sum(result: u32, lane: u32, lanes: u32) -> f32 {
  let start = place(result, 4u);
  let within = 5u + 2u * word(4u);
  var levels: array<f32, 32>;
  var count = 0u;
  for (var k = lane; k < word(0u); k += lanes) {
    var sum = x[start + place(k, within)] * scale;
    var level = 0u;
    for (var waiting = count; (waiting & 1u) == 1u; waiting >>= 1u) {
      sum += levels[level];
      level++;
    }
    levels[level] = sum;
    count++;
  }
  var total = 0.0;
  for (var level = 0u; level < 32u; level++) {
    if (((count >> level) & 1u) == 1u) {
      total += levels[level];
    }
  }
  return total;
}

// From the scaled sum of all numbers.
fn rescued(total: f32) -> f32 {
  let mean = math_div(total, f32(word(0u))) / scale;
  // The mean of the greatest numbers may be rounded beyond them.
  if (is_finite(total) && !is_finite(mean)) {
    return bitcast<f32>((bitcast<u32>(total) & 0x80000000u) | 0x7f7fffffu);
  }
  return mean;
}
