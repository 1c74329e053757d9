/**
 * The functions in float64, for float32 numbers: what results are compared with. JavaScript's own are within 2⁻⁵⁰ or so,
 * far below what a float32 can tell; those that it lacks are written here so as to lose no digits anywhere.
 */

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/** 1 / (1 + e⁻ˣ), relative accuracy kept far below 0 too. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** The derivative of sigmoid: e⁻ˣ / (1 + e⁻ˣ)², which is even. */
export function sigmoidSlope(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return e / (1 + e) ** 2;
}

/** ln(1 + eˣ), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The derivative of tanh: 1 / cosh² x = 4e / (1 + e)² with e = e^(-2|x|). */
export function tanhSlope(x: number): number {
  const e = Math.exp(-2 * Math.abs(x));
  return (4 * e) / (1 + e) ** 2;
}

/**
 * The error function. Its series e^(-x²) 2/√π Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)) has positive terms only, so that nothing
 * cancels (Abramowitz and Stegun 7.1.6). From 6 on, 1 - erf x is below 2⁻⁵³.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size >= 6) return Math.sign(x);
  if (size < 2 ** -20) return x * twoOverRootPi;
  const double = 2 * x * x;
  let term = x;
  let total = x;
  for (let n = 3; Math.abs(term) > Math.abs(total) * 2 ** -54; n += 2) {
    term *= double / n;
    total += term;
  }
  return twoOverRootPi * Math.exp(-x * x) * total;
}

/** -1, 0 or 1; 0 for NaN, as in PyTorch, and +0 for both zeros. */
export function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/** max(x, 0); NaN stays NaN, and the result at -0 is +0. */
export function relu(x: number): number {
  return x <= 0 ? 0 : x;
}

/** C's pow, which differs from JavaScript's at 1^NaN and (±1)^±Infinity. */
export function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** The derivative of erf. */
export function erfSlope(x: number): number {
  return twoOverRootPi * Math.exp(-x * x);
}

/** The derivative of a / b by b. */
export function divisorSlope(a: number, b: number): number {
  return -a / b / b;
}

/** The derivative of aᵇ by a: b aᵇ⁻¹, and 0 for b = 0. */
export function baseSlope(a: number, b: number): number {
  if (b === 0) return 0;
  const isEdge = a === 0 || Math.abs(a) === Infinity;
  const power = isEdge ? pow(a, reduced(b)) : pow(a, b) / a;
  return power === 0 && Math.abs(b) === Infinity ? 0 : b * power;
}

/** b - 1, or where float64 would round it a number that is whole, odd and negative as b - 1 is: large b are even. */
function reduced(b: number): number {
  if (Math.abs(b) < 0.5) return -0.5;
  return Math.abs(b) >= 2 ** 53 && Math.abs(b) < Infinity ? Math.sign(b) * (2 ** 53 - 1) : b - 1;
}

/** The derivative of aᵇ by b: aᵇ ln a, and 0 for a = 0 and b >= 0. */
export function exponentSlope(a: number, b: number): number {
  return a === 0 && b >= 0 ? 0 : pow(a, b) * Math.log(a);
}
