// math_quotient(n, d, dTail): n / (d + dTail) as a sum of two f32, the second a small correction of the first.
//
// WGSL allows a division to be 2.5 ULP wrong; the rounded sum of the two is within 0.51 ULP whatever the driver's
// division does. For |n| and |d| from about 2^-40 to 2^40, so that no product leaves the range.
// Method: one Newton step from the driver's 1/d. q and d are split, so that the product of the upper parts is exact,
// and the remainder n - q d as well, up to terms of 2^-48.
fn math_quotient(n: f32, d: f32, dTail: f32) -> vec2f {
  let inverse = 1.0 / d;
  let q = math_opaque(n * inverse);
  let qParts = math_split(q);
  let dParts = math_split(d);
  let rest = qParts.x * dParts.y + qParts.y * d;
  let remainder = (math_opaque(n - qParts.x * dParts.x) - rest) - q * dTail;
  return vec2f(q, remainder * inverse);
}
