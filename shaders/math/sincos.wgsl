// math_sincos(quadrant, high, low) = sin(quadrant * pi/2 + high + low), for sin and cos.
//
// sin r = r + r^3 S(r^2) and cos r = 1 - r^2/2 + r^4 C(r^2) with minimax S and C for |r| <= pi/4
// (own fits, relative errors 2^-32). Both are computed; the quadrant selects one and its sign.
// Relaxed math: math_opaque keeps the small terms together, to be added last.
fn math_sincos(quadrant: u32, high: f32, low: f32) -> f32 {
  let z = high * high;
  var s = 2.8330437089607585e-06;
  s = s * z - 0.00019853090634569526;
  s = s * z + 0.008333379402756691;
  s = s * z - 0.1666666716337204;
  let sine = high + math_opaque(high * z * s + low);

  var c = 2.4432561986031942e-05;
  c = c * z - 0.0013887310633435845;
  c = c * z + 0.04166664555668831;
  let cosine = 1.0 + math_opaque(z * (z * c - 0.5) - high * low);

  let value = select(sine, cosine, (quadrant & 1u) != 0u);
  return bitcast<f32>(bitcast<u32>(value) ^ ((quadrant & 2u) << 30u));
}
