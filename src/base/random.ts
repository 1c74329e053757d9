/** Numbers that look random and are the same for the same seed. */

/** Numbers between -1 and 1, none near 0 (mulberry32). */
export function randomNumbers(size: number, seed: number): Float32Array {
  let state = seed | 0;
  return Float32Array.from({ length: size }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const uniform = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    return uniform < 0.5 ? -1 + 1.8 * uniform : 0.1 + 1.8 * (uniform - 0.5);
  });
}
