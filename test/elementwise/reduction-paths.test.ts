/**
 * Sums, extrema and means along each of three axes, for lengths around those at which another shader, or another pass, takes over
 * (elementwise/reducer.ts): with whole numbers, whose sums are exact.
 */
import { beforeAll, expect, test } from "vitest";
import { init, max, mean, min, sum, Variable } from "../../src/index.js";

beforeAll(async () => {
  await init();
});

const lengths = [
  1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 66, 68, 127, 255, 256, 257, 258, 260, 512, 1000, 1023,
];
const long = [1024, 1025, 1026, 1028, 2047, 2048, 2052, 4099, 66_000];

async function expectReduced(outer: number, length: number, inner: number): Promise<void> {
  const data = Float32Array.from({ length: outer * length * inner }, (_, i) => ((i * 7919) % 101) - 40);
  using x = new Variable(data, { shape: [outer, length, inner] });
  const along = (combine: (a: number, b: number) => number): number[] =>
    Array.from({ length: outer * inner }, (_, result) => {
      const start = Math.floor(result / inner) * length * inner + (result % inner);
      return Array.from({ length }, (__, k) => data[start + k * inner]!).reduce(combine);
    });
  const sums = along((a, b) => a + b);
  const what = `[${outer}, ${length}, ${inner}]`;
  expect([...(await sum(x, 1).read())], `sum of ${what}`).toEqual(sums);
  expect([...(await max(x, 1).read())], `max of ${what}`).toEqual(along((a, b) => Math.max(a, b)));
  expect([...(await min(x, 1).read())], `min of ${what}`).toEqual(along((a, b) => Math.min(a, b)));
  const means = [...(await mean(x, 1).read())];
  means.forEach((found, k) => {
    expect(Math.abs(found - sums[k]! / length), `mean ${k} of ${what}`).toBeLessThanOrEqual(2 ** -18);
  });
}

test.each([
  [1, 1],
  [3, 1],
  [4, 1],
  [5, 1],
  [130, 1],
  [1, 3],
  [2, 4],
  [3, 5],
  [3, 8],
])("%i times the axis times %i", async (outer, inner) => {
  for (const length of lengths) await expectReduced(outer, length, inner);
  if (outer * inner <= 24) for (const length of long) await expectReduced(outer, length, inner);
});

test("an overflow of few and of many sums: their means are right", async () => {
  for (const rows of [3, 64, 65, 1000]) {
    const data = Float32Array.from({ length: rows * 6 }, (_, i) => (i % 2 === 0 ? 3e38 : 1e38));
    using x = new Variable(data, { shape: [rows, 6] });
    for (const found of await mean(x, 1).read()) expect(Math.abs(found / 2e38 - 1)).toBeLessThan(2 ** -22);
  }
});

test("one NaN makes its own result NaN alone, wherever it stands", async () => {
  for (const [outer, length, inner] of [
    [5, 9, 1],
    [3, 70, 1],
    [3, 1100, 1],
    [1, 1101, 1],
    [2, 300, 4],
    [2, 300, 3],
  ] as const) {
    for (const place of [0, 1, outer * length * inner - 1]) {
      const data = new Float32Array(outer * length * inner).fill(1);
      data[place] = NaN;
      using x = new Variable(data, { shape: [outer, length, inner] });
      const own = Math.floor(place / (length * inner)) * inner + (place % inner);
      for (const [f, other] of [
        [sum, length],
        [max, 1],
        [min, 1],
        [mean, 1],
      ] as const) {
        const expected = Array.from({ length: outer * inner }, (_, k) => (k === own ? NaN : other));
        expect([...(await f(x, 1).read())]).toEqual(expected);
      }
    }
  }
});

test("the sum of many numbers is within the stated bound, and the same bits twice", async () => {
  for (const shape of [[2 ** 22], [3, 2 ** 20 + 1], [2 ** 19, 4]]) {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Math.fround(((i * 0.618033988749) % 1) - 0.3));
    using x = new Variable(data, { shape });
    const [found] = await sum(x).read();
    let [exact, absolute] = [0, 0];
    for (const each of data) [exact, absolute] = [exact + each, absolute + Math.abs(each)];
    // RELIABILITY.md: 24 roundings in each pass, of 1,024 or 256 numbers.
    const passes = Math.ceil(Math.log(size) / Math.log(256));
    expect(Math.abs(found! - exact)).toBeLessThanOrEqual(passes * 24 * 2 ** -24 * absolute);
    expect([...(await sum(x).read())]).toEqual([found]);
  }
});
