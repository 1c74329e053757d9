// math_pow_gradient(g, a, b) = (g b a^(b-1), g a^b ln a), the gradients that a^b passes to a and to b. The first is 0 where
// b = 0, the second where a = 0 and b >= 0.
//
// Method: a^(b-1) is a^b / a, since b - 1 has lost what a small b was. The power is taken apart into significand and exponent
// (pow.wgsl, scale.wgsl): it may leave the range where the gradients don't.
// At a = 0 and a = +-Inf the values are those of 0^b and Inf^b in C.
fn math_pow_gradient(g: f32, a: f32, b: f32) -> vec2f {
  let aSize = bitcast<u32>(a) & 0x7fffffffu;
  let isEdge = (aSize == 0u) | (aSize == 0x7f800000u);
  let power = math_pow_parts(aSize, b);
  let significand = select(power.significand, 1.0, isEdge);
  let exponent = math_scale_exponent(g) + select(power.exponent, 0, isEdge);
  let factor = math_scale_significand(g);

  // The sign of a^b, or its value at the edges.
  let sign = bitcast<f32>(math_pow_special(0x3f800000u, a, b));
  // b - 1 where it isn't rounded; else a number that is whole, odd and negative as b - 1 is: every f32 from 2^24 on is even.
  let isInfinite = (bitcast<u32>(b) & 0x7fffffffu) == 0x7f800000u;
  let isEven = (abs(b) >= 16777216.0) & !isInfinite;
  let odd = select(16777215.0, -16777215.0, b < 0.0);
  let reduced = select(select(b - 1.0, -0.5, abs(b) < 0.5), odd, isEven);
  let edge = bitcast<f32>(math_pow_special(0x3f800000u, a, reduced));
  let shifted = select(math_div(sign * significand, math_scale_significand(a)), edge, isEdge);
  let slope = math_scale(
    factor * (math_scale_significand(b) * shifted),
    exponent + math_scale_exponent(b) - math_scale_exponent(a),
  );
  let growth = math_scale(factor * (sign * significand * math_log(a)), exponent);
  // b a^(b-1) goes to 0 with a^b where b is infinite.
  let vanishes = isInfinite & !math_is_nan(a) & ((power.exponent < -200) | math_is_zero(shifted));
  let isFlat = math_is_zero(a) & (math_order(b) >= 0) & !math_is_nan(b);
  return vec2f(select(slope, 0.0, math_is_zero(b) | vanishes), select(growth, 0.0, isFlat));
}
