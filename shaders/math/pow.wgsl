// math_pow(x, y) = x^y, with the special values of C's pow.
//
// Method: log2|x| as a sum of two f32 with relative error about 2^-33, times y, and 2 to that power. It follows the
// outline of FreeBSD's e_powf.c: factors are split so that the leading products are exact.
// Largest error: 0.90 ULP over 1.2 * 10^8 random pairs, some with x near 1 and many with results over the whole range.
// Special values: x^0 = 1 and 1^y = 1 even for NaN; otherwise NaN gives NaN; x < 0 with y no integer gives NaN, with
// odd y the sign of x; 0, Inf and overflow as in C. Subnormal x is exact, subnormal results are kept.
// Relaxed math: the sums whose rounding errors are needed go through math_opaque; special values are
// selected by comparing bits.
fn math_pow(x: f32, y: f32) -> f32 {
  let power = math_pow_parts(bitcast<u32>(x) & 0x7fffffffu, y);
  let bits = min(math_exp_scale(power.significand, power.exponent), 0x7f800000u);
  let kept = select(bits, 0u, power.exponent < -151);
  return bitcast<f32>(math_pow_special(select(kept, 0x7f800000u, power.exponent > 128), x, y));
}

// The bits of x^y, from those of |x|^y.
fn math_pow_special(positive: u32, x: f32, y: f32) -> u32 {
  let xBits = bitcast<u32>(x);
  let yBits = bitcast<u32>(y);
  let xSize = xBits & 0x7fffffffu;
  let ySize = yBits & 0x7fffffffu;
  let xIsNegative = xBits >= 0x80000000u;
  let yIsNegative = yBits >= 0x80000000u;

  // 0^y and Inf^y
  let isEdge = (xSize == 0u) | (xSize == 0x7f800000u);
  let edge = select(0x7f800000u, 0u, (xSize == 0u) != yIsNegative);
  var result = select(positive, edge, isEdge);

  // Every f32 from 2^24 on is an even integer.
  let integerY = i32(bitcast<f32>(min(ySize, 0x4b800000u)));
  let isInteger = (ySize >= 0x4b800000u) | (bitcast<u32>(f32(integerY)) == ySize);
  let isOdd = isInteger & ((integerY & 1) != 0);
  result = select(result, result | 0x80000000u, xIsNegative & isOdd);
  let isNan = (xIsNegative & !isInteger & !isEdge) | (xSize > 0x7f800000u) | (ySize > 0x7f800000u);
  result = select(result, 0x7fc00000u, isNan);
  return select(result, 0x3f800000u, (ySize == 0u) | (xBits == 0x3f800000u));
}

// significand * 2^exponent, the significand in [0.70, 1.42]; the exponent is cut at +-1000.
struct math_pow_Parts {
  significand: f32,
  exponent: i32,
}

// x^y for the positive x with the given bits.
fn math_pow_parts(xBits: u32, y: f32) -> math_pow_Parts {
  // From |y| = 2^32, every x other than 1 gives 0 or Inf; the limit keeps the products finite.
  let yBits = bitcast<u32>(y);
  let limitedY = bitcast<f32>(min(yBits & 0x7fffffffu, 0x4f800000u) | (yBits & 0x80000000u));
  let logarithm = math_pow_log2(xBits);
  let yParts = math_split(limitedY);
  let high = math_opaque(yParts.x * logarithm.x); // exact
  let low = math_opaque(yParts.y * logarithm.x + limitedY * logarithm.y);
  let sum = high + low;

  // 2^sum = 2^k 2^(g + gTail), |g| <= 1/2
  let k = bitcast<i32>(clamp(sum, -1000.0, 1000.0) + 12582912.0) - 0x4b400000;
  let difference = math_opaque(high - f32(k)); // exact
  let g = math_opaque(difference + low);
  let gTail = math_opaque(difference - g) + low;
  let gParts = math_split(g);
  // e^r with r + tail = g ln 2, ln 2 = 0.693115234375 (12 bits) + 3.19461845e-5
  let leading = math_opaque(gParts.x * 0.693115234375); // exact
  let rest = math_opaque(gParts.x * 3.19461845e-05 + (gParts.y + gTail) * 0.693147181);
  let r = math_two_sum(leading, rest);
  let significand = 1.0 + math_opaque(r.x + (r.x * r.x * math_exp_polynomial(r.x) + r.y));
  // Where the exponent was cut, the significand has no meaning.
  return math_pow_Parts(select(significand, 1.0, abs(sum) > 1000.0), k);
}

// log2 of the positive x with the given bits, as a sum of two f32, the first cut to 12 bits.
fn math_pow_log2(bits: u32) -> vec2f {
  // x = 2^k m with m in [sqrt(1/2), sqrt(2)), as in log.wgsl; the bits of a subnormal are the integer x * 2^149.
  let isSubnormal = bits < 0x00800000u;
  let normal = select(bits, bitcast<u32>(f32(i32(bits))), isSubnormal);
  let exponent = i32(normal - 0x3f3504f3u) >> 23u;
  let m = bitcast<f32>(normal - (u32(exponent) << 23u));
  let k = f32(exponent + select(0, -149, isSubnormal));

  // s = (m - 1) / (m + 1) in two parts
  let denominator = math_opaque(m + 1.0);
  let denominatorTail = m - math_opaque(denominator - 1.0);
  let quotient = math_quotient(m - 1.0, denominator, denominatorTail);
  let s = quotient.x;
  let sParts = math_split(s);
  let sHigh = sParts.x;
  let sLow = math_opaque(sParts.y + quotient.y);

  // log m = 2 atanh s = 2/3 s t, t = 3 + s^2 + s^4 R(s^2) in two parts, R a minimax polynomial for |s| <= 0.1716
  let squareHigh = math_opaque(sHigh * sHigh); // exact
  let squareLow = sLow * (sHigh + s);
  let z = squareHigh + squareLow;
  var p = 0.3513032793998718;
  p = p * z + 0.4282061457633972;
  p = p * z + 0.6000022888183594;
  let small = math_opaque(z * z * p + squareLow);
  let tHigh = math_split(3.0 + (squareHigh + small)).x;
  let tLow = small - math_opaque(math_opaque(tHigh - 3.0) - squareHigh);

  // s t in two parts
  let leading = math_opaque(sHigh * tHigh); // exact
  let rest = math_opaque(sLow * tHigh + tLow * s);
  let productHigh = math_split(leading + rest).x;
  let productLow = rest - math_opaque(productHigh - leading);

  // times 2 / (3 ln 2) = 0.961669921875 (12 bits) + 1.26772051e-4, plus k
  let scaledHigh = math_opaque(productHigh * 0.961669921875); // exact
  let scaledLow = math_opaque(productHigh * 0.000126772051 + productLow * 0.961796694);
  let high = math_split(k + (scaledHigh + scaledLow)).x;
  let low = scaledLow - math_opaque(math_opaque(high - k) - scaledHigh);
  return vec2f(high, low);
}
