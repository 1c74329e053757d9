// math_min(x, y): the smaller of two numbers, NaN if either is NaN (as torch.minimum; WGSL's min may drop NaN).
//
// Method: the bits of a float, with those of negative ones flipped, are ordered like signed integers (max.wgsl).
// Exact for all inputs, subnormals included; -0 counts as smaller than +0.
fn math_min(x: f32, y: f32) -> f32 {
  let a = bitcast<i32>(x);
  let b = bitcast<i32>(y);
  var result = select(b, a, math_max_order(a) <= math_max_order(b));
  result = select(result, b | 0x00400000, math_is_nan(y));
  result = select(result, a | 0x00400000, math_is_nan(x));
  return bitcast<f32>(result);
}
