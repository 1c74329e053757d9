/** Arrays made of a shape or a rule, and arrays whose elements come again: NumPy's examples, edges, gradients. */
import { beforeAll, expect, test } from "vitest";
import {
  arange,
  ArgumentError,
  eye,
  full,
  gradCheck,
  init,
  linspace,
  meshgrid,
  mul,
  oneHot,
  ones,
  repeat,
  roll,
  ShapeError,
  square,
  stats,
  sum,
  tile,
  trace,
  tril,
  triu,
  Variable,
  zeros,
} from "../../src/index.js";
import { gradOf, leaf } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

const read = async (x: Variable): Promise<number[]> => [...(await x.read())];

test("zeros, ones, full: no memory until it is needed", async () => {
  const before = stats().liveBytes;
  const x = [zeros([1000, 1000]), ones([1000, 1000]), full([1000, 1000], 0.1)];
  expect(stats().liveBytes).toBe(before);
  expect(await read(x[2]!.slice(0, [0, 2]))).toEqual([Math.fround(0.1), Math.fround(0.1)]);
  expect(await read(zeros([2, 0]))).toEqual([]);
  expect(await read(ones([]))).toEqual([1]);
  expect(await read(full([2], NaN))).toEqual([NaN, NaN]);
  expect(await read(zeros([2]).add(ones([2])))).toEqual([1, 1]);
  for (const each of x) each.dispose();
});

test("none needs a gradient, unless that is asked for", async () => {
  expect(
    [zeros([1]), ones([1]), full([1], 2), arange(2), linspace(0, 1, 2), eye(1)].map((x) => x.requiresGrad),
  ).toEqual(Array.from({ length: 6 }, () => false));
  const w = zeros([2], { requiresGrad: true, name: "w" });
  expect(w.name).toBe("w");
  sum(square(w.sub(1))).backward();
  expect([...(await gradOf(w))]).toEqual([-2, -2]);
  w.descend(0.5);
  expect(await read(w)).toEqual([1, 1]);
});

test("arange and linspace round once", async () => {
  expect(await read(arange(3))).toEqual([0, 1, 2]);
  expect(await read(arange(3, 7))).toEqual([3, 4, 5, 6]);
  expect(await read(arange(3, 7, 2))).toEqual([3, 5]);
  expect(await read(arange(1, -1, -0.5))).toEqual([1, 0.5, 0, -0.5]);
  expect(await read(arange(1, 0))).toEqual([]);
  expect(await read(arange(0, 1, 0.1))).toEqual(Array.from({ length: 10 }, (_, k) => Math.fround(k * 0.1)));
  expect(await read(linspace(2, 3, 5))).toEqual([2, 2.25, 2.5, 2.75, 3]);
  expect(await read(linspace(0, 0.3, 4))).toEqual([0, 0.1, 0.2, 0.3].map(Math.fround));
  expect(await read(linspace(5, 9, 1))).toEqual([5]);
  expect(await read(linspace(5, 9, 0))).toEqual([]);
  expect(() => arange(0, 1, 0)).toThrow(ArgumentError);
  expect(() => arange(NaN)).toThrow(ArgumentError);
  expect(() => linspace(0, Infinity, 3)).toThrow(ArgumentError);
  expect(() => linspace(0, 1, 1.5)).toThrow(ArgumentError);
  expect(() => zeros([-1])).toThrow(ShapeError);
  expect(() => full([1], "2" as unknown as number)).toThrow(ArgumentError);
});

test("eye, oneHot, meshgrid", async () => {
  expect(await read(eye(2, 3))).toEqual([1, 0, 0, 0, 1, 0]);
  expect(eye(0).shape).toEqual([0, 0]);
  expect(await read(oneHot(Int32Array.of(1, 0), 2))).toEqual([0, 1, 1, 0]);
  expect(oneHot([], 3).shape).toEqual([0, 3]);
  expect(() => oneHot([3], 3)).toThrow("index 0 must be a whole number from 0 to 2, not 3");
  expect(() => oneHot([0.5], 3)).toThrow(ArgumentError);
  const [x, y] = meshgrid([1, 2], [5, 6, 7]);
  expect(await read(x!)).toEqual([1, 1, 1, 2, 2, 2]);
  expect(await read(y!)).toEqual([5, 6, 7, 5, 6, 7]);
  const [a] = meshgrid(leaf([1, 2]), [1, 2, 3]);
  expect(a!.shape).toEqual([2, 3]);
});

test("roll", async () => {
  expect(await read(roll([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2))).toEqual([8, 9, 0, 1, 2, 3, 4, 5, 6, 7]);
  expect(await read(roll([0, 1, 2, 3, 4], -7))).toEqual([2, 3, 4, 0, 1]);
  const x = [
    [0, 1, 2, 3, 4],
    [5, 6, 7, 8, 9],
  ];
  expect(await read(roll(x, 1))).toEqual([9, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await read(roll(x, 1, 0))).toEqual([5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
  expect(await read(roll(x, -1, 1))).toEqual([1, 2, 3, 4, 0, 6, 7, 8, 9, 5]);
  expect(await read(roll(x, 10, 1))).toEqual(x.flat());
  expect(await read(roll([], 1))).toEqual([]);
  expect(() => roll(x, 0.5)).toThrow(ArgumentError);
  expect(() => roll(x, 1, 2)).toThrow(ShapeError);
});

test("repeat and tile", async () => {
  expect(await read(repeat(3, 4))).toEqual([3, 3, 3, 3]);
  const x = [
    [1, 2],
    [3, 4],
  ];
  expect(await read(repeat(x, 2))).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  const along = repeat(x, 3, 1);
  expect(along.shape).toEqual([2, 6]);
  expect(await read(along)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  expect(repeat(x, 0, 0).shape).toEqual([0, 2]);
  expect(await read(tile([0, 1, 2], 2))).toEqual([0, 1, 2, 0, 1, 2]);
  const both = tile([0, 1, 2], [2, 2]);
  expect(both.shape).toEqual([2, 6]);
  expect(await read(both)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  expect(tile([0, 1, 2], [2, 1, 2]).shape).toEqual([2, 1, 6]);
  expect(await read(tile(x, 2))).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  expect(await read(tile(x, [2, 1]))).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  expect(() => tile(x, -1)).toThrow(ArgumentError);
  expect(() => repeat(x, 1.5)).toThrow(ArgumentError);
});

test("trace, tril, triu", async () => {
  const x = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
    [10, 11, 12],
  ];
  expect(await read(tril(x, -1))).toEqual([0, 0, 0, 4, 0, 0, 7, 8, 0, 10, 11, 12]);
  expect(await read(triu(x, -1))).toEqual([1, 2, 3, 4, 5, 6, 0, 8, 9, 0, 0, 12]);
  expect(
    await read(
      triu([
        [NaN, 1],
        [NaN, 2],
      ]),
    ),
  ).toEqual([NaN, 1, 0, 2]);
  expect(await read(tril([x, x], 5))).toEqual([x, x].flat(2));
  expect(await read(trace(x))).toEqual([15]);
  expect(
    await read(
      trace(
        [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
        { axes: [1, 2] },
      ),
    ),
  ).toEqual([5, 13]);
  expect(() => tril([1, 2])).toThrow(ShapeError);
  expect(() => triu(x, 0.5)).toThrow(ArgumentError);
});

test("gradients, to the second order", async () => {
  const x = [
    [0.5, -1.2, 0.8],
    [1.5, 0.3, -0.4],
  ];
  await gradCheck((v) => square(roll(v, 1, 1)).mul(v), [x], { order: 2 });
  await gradCheck((v) => mul(square(repeat(v, 2, 1)), tile(v, [1, 2])), [x], { order: 2 });
  await gradCheck((v) => square(tril(v)).add(triu(v, 1)), [x], { order: 2 });
  await gradCheck((v) => square(trace(square(v))), [x], { order: 2 });
  await gradCheck(
    (a, b) => {
      const [p, q] = meshgrid(a, b);
      return mul(square(p!), q!);
    },
    [
      [1, 2],
      [0.5, 3, 1],
    ],
    { order: 2 },
  );
});

test("as methods", async () => {
  const x = new Variable([
    [1, 2],
    [3, 4],
  ]);
  expect(await read(x.roll(1))).toEqual([4, 1, 2, 3]);
  expect(await read(x.repeat(2, 0))).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  expect(await read(x.tile(1))).toEqual([1, 2, 3, 4]);
  expect(await read(x.trace())).toEqual([5]);
  expect(await read(x.tril().add(x.triu()))).toEqual([2, 2, 3, 8]);
});
