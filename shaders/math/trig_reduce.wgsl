// math_trig_reduce(x): |x| = quadrant * pi/2 + high + low, with |high + low| at most pi/4 but for rounding,
// for sin, cos and tan. The sum of the two parts has a relative error of about 2^-25 at the floats next to
// multiples of pi/2, and a smaller one elsewhere, for every finite f32.
// Inf and NaN return numbers without meaning: the caller replaces them.
//
// |x| <= 800 subtracts a multiple of pi/2 split in four (Cody and Waite); larger |x| takes a branch. GPUs skip it
// where no x of the group is large; SwiftShader runs both sides, and there the branch is most of the cost.
// Relaxed math: the products that must not be merged with one another are taken in integers.
struct math_trig_reduce_Result {
  quadrant: u32, // only its lower two bits have a meaning
  high: f32,
  low: f32,
}

fn math_trig_reduce(x: f32) -> math_trig_reduce_Result {
  var result = math_trig_reduce_small(abs(x));
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x44480000u) { // |x| > 800
    result = math_trig_reduce_large(x);
  }
  return result;
}

// pi/2 = 3217 * 2^-11 - 19132 * 2^-32 + 17106 * 2^-48 - 1.7151245e-15. The first three products with k <= 510 are
// exact, and so is the first difference.
fn math_trig_reduce_small(x: f32) -> math_trig_reduce_Result {
  // 1.5 * 2^23 rounds x * 2/pi to an integer in the low bits.
  let k = bitcast<i32>(x * 0.636619772 + 12582912.0) - 0x4b400000;
  let difference = math_opaque(x - f32(k * 3217) * 0.00048828125);
  let second = f32(k) * -4.454515874385834e-06;
  let third = f32(k * 17106) * 3.552713678800501e-15;
  let high = math_opaque(difference - second);
  let rounding = math_opaque(math_opaque(difference - high) - second);
  let low = math_opaque(rounding - third) - f32(k) * -1.7151244994428829e-15;
  return math_trig_reduce_Result(u32(k), high, low);
}

// Payne and Hanek, "Radian reduction for trigonometric functions" (1983): |x| = M * 2^j with an integer M, so that
// |x| * 2/pi modulo 4 only depends on a window of 96 bits of 2/pi: the bits before it give multiples of 4, those
// after it are too small to matter. The product has 2 bits for the quadrant and 62 for the fraction (no f32 comes
// nearer than about 2^-30 to a multiple of pi/2).
fn math_trig_reduce_large(x: f32) -> math_trig_reduce_Result {
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  // |x| * 2^62 = (24-bit mantissa) * 2^position, position at least 38 for the x that get here
  let position = max(magnitude >> 23u, 126u) - 88u;
  let mantissa = ((magnitude & 0x007fffffu) | 0x00800000u) << (position & 7u);
  let word = position >> 3u;
  let first = math_trig_reduce_TWO_OVER_PI[word - 4u];
  let second = math_trig_reduce_TWO_OVER_PI[word];
  let third = math_trig_reduce_TWO_OVER_PI[word + 4u];
  // (upper, lower) = |x| * 2/pi * 2^62 modulo 2^64
  let product = mantissa * second;
  let lower = product + math_trig_reduce_multiply_high(mantissa, third);
  let carry = select(0u, 1u, lower < product);
  let upper = mantissa * first + math_trig_reduce_multiply_high(mantissa, second) + carry;

  let quadrant = (upper + 0x20000000u) >> 30u;
  let fraction = i32(upper - (quadrant << 30u)); // in [-1/2, 1/2) with unit 2^-30
  // fraction = coarse * 2^-12 + fine, fine in two pieces with units 2^-36 and 2^-60, of at most
  // 24 bits, which convert to f32 without rounding
  let coarse = (fraction + 0x20000) >> 18u;
  let middle = ((fraction - (coarse << 18u)) << 6u) | i32(lower >> 26u);
  let tail = i32((lower >> 2u) & 0xffffffu);
  let fine = math_two_sum(f32(middle) * 1.4551915228366852e-11, f32(tail) * 8.673617379884035e-19);

  // fraction * pi/2, pi/2 = 3217 * 2^-11 - 4.454455e-6, so that the leading product is an exact integer
  let leading = f32(coarse * 3217) * 1.1920928955078125e-7; // unit 2^-23
  let rest = f32(coarse) * -1.0875134e-09 + fine.x * 1.57079637;
  let sum = math_two_sum(leading, rest);
  return math_trig_reduce_Result(quadrant, sum.x, sum.y + fine.y * 1.57079637);
}

// Entry i holds the 32 bits of 2/pi that end at the bit of weight 2^(-8 i).
const math_trig_reduce_TWO_OVER_PI = array<u32, 25>(
  0x00000000u, 0x000000a2u, 0x0000a2f9u, 0x00a2f983u, 0xa2f9836eu,
  0xf9836e4eu, 0x836e4e44u, 0x6e4e4415u, 0x4e441529u, 0x441529fcu,
  0x1529fc27u, 0x29fc2757u, 0xfc2757d1u, 0x2757d1f5u, 0x57d1f534u,
  0xd1f534ddu, 0xf534ddc0u, 0x34ddc0dbu, 0xddc0db62u, 0xc0db6295u,
  0xdb629599u, 0x6295993cu, 0x95993c43u, 0x993c4390u, 0x3c439041u,
);

// The upper 32 bits of a * b.
fn math_trig_reduce_multiply_high(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let other = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (other >> 16u);
}
