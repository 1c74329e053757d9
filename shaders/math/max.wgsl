// math_max(x, y): the larger of two numbers, NaN if either is NaN (as torch.maximum; WGSL's max may drop NaN).
//
// Method: the bits of a float, with those of negative ones flipped, are ordered like signed integers.
// Exact for all inputs, subnormals included; +0 counts as larger than -0.
fn math_max(x: f32, y: f32) -> f32 {
  let a = bitcast<i32>(x);
  let b = bitcast<i32>(y);
  var result = select(b, a, math_max_order(a) >= math_max_order(b));
  // A NaN with its sign bit cleared is above all numbers, one with it set below them: both are looked for.
  result = select(result, b | 0x00400000, math_is_nan(y));
  result = select(result, a | 0x00400000, math_is_nan(x));
  return bitcast<f32>(result);
}

// Monotonic in the float with the given bits: negative floats have their lower 31 bits flipped.
fn math_max_order(bits: i32) -> i32 {
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}
