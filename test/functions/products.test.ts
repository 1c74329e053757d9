/** matmul, dot, outer, linear, einsum: against sums in float64, NumPy's examples, and every way of loading and cutting. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  ArgumentError,
  dot,
  einsum,
  findNonFinite,
  flip,
  fuse,
  FuseError,
  gradCheck,
  graph,
  GpuArray,
  init,
  linear,
  matmul,
  noGrad,
  outer,
  profile,
  ShapeError,
  stats,
  sum,
  Variable,
  type Device,
  type Operand,
  type Shape,
} from "../../src/index.js";
import { dispatchesOf, expectClose, gradOf, sizeOf, spread, variable } from "../reference/numbers.js";

let device: Device;

beforeAll(async () => {
  device = await init();
});

/** 0, 1, 2 … in this shape, as NumPy's arange(…).reshape(shape). */
function counted(shape: Shape, from = 0): Variable {
  return new Variable(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + from),
    { shape },
  );
}

/** Small whole numbers: their products and sums are exact in any order. */
function integers(shape: Shape, seed: number): Variable {
  return new Variable(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7919 + seed * 31 + (i >> 4)) % 13) - 6),
    { shape },
  );
}

/** Einstein's sum in float64, index by index. An axis of length 1 stretches. */
async function einstein(terms: readonly string[], result: string, operands: readonly Variable[]): Promise<number[]> {
  const numbers = await Promise.all(operands.map((operand) => operand.read()));
  const lengths = new Map<string, number>();
  terms.forEach((term, k) => {
    Array.from(term).forEach((letter, axis) => {
      const length = operands[k]?.shape[axis] ?? 1;
      if (length !== 1 || !lengths.has(letter)) lengths.set(letter, length);
    });
  });
  const letters = [...new Set([...Array.from(result), ...lengths.keys()])];
  const values = new Array<number>(sizeOf(Array.from(result).map((letter) => lengths.get(letter) ?? 1))).fill(0);
  const index = new Map<string, number>();
  const place = (own: string, shape: Shape): number =>
    Array.from(own).reduce((at, letter, axis) => {
      const length = shape[axis] ?? 1;
      return at * length + (length === 1 ? 0 : (index.get(letter) ?? 0));
    }, 0);
  const resultShape = Array.from(result).map((letter) => lengths.get(letter) ?? 1);
  const walk = (k: number): void => {
    const letter = letters[k];
    if (letter === undefined) {
      const factors = terms.map((term, n) => numbers[n]?.[place(term, operands[n]?.shape ?? [])] ?? NaN);
      const at = place(result, resultShape);
      values[at] = (values[at] ?? 0) + factors.reduce((one, other) => one * other, 1);
      return;
    }
    for (let i = 0; i < (lengths.get(letter) ?? 1); i++) {
      index.set(letter, i);
      walk(k + 1);
    }
  };
  walk(0);
  return values.map((value) => value + 0);
}

const plain = async (y: Variable): Promise<number[]> => Array.from(await y.read(), (value) => value + 0);

/** A product and both gradients, for a gradient of small whole numbers, against float64. */
async function expectProduct(
  y: Variable,
  terms: readonly [string, string],
  result: string,
  operands: readonly [Variable, Variable],
): Promise<void> {
  const [a, b] = operands;
  expect(await plain(y)).toEqual(await einstein(terms, result, operands));
  const gy = integers(y.shape, 3);
  y.grad = gy;
  y.backward();
  // The gradient's letters of length 1 are nobody's: summed over, where the result's are longer.
  const ofA = await einstein([result, terms[1]], terms[0], [gy, b]);
  const ofB = await einstein([terms[0], result], terms[1], [a, gy]);
  const summed = (values: number[], term: string, operand: Variable): number[] => {
    const lengths = Array.from(term).map((letter, axis) => {
      const lengthOf = (own: string, shape: Shape): number => shape[own.indexOf(letter)] ?? 1;
      return Math.max(
        operand.shape[axis] ?? 1,
        lengthOf(result, y.shape),
        lengthOf(terms[0], a.shape),
        lengthOf(terms[1], b.shape),
      );
    });
    const totals = new Array<number>(operand.size).fill(0);
    values.forEach((value, at) => {
      let rest = at;
      const index = new Array<number>(lengths.length);
      for (let axis = lengths.length - 1; axis >= 0; axis--) {
        index[axis] = rest % (lengths[axis] ?? 1);
        rest = Math.floor(rest / (lengths[axis] ?? 1));
      }
      const to = operand.shape.reduce((sum, length, axis) => sum * length + (length === 1 ? 0 : (index[axis] ?? 0)), 0);
      totals[to] = (totals[to] ?? 0) + value;
    });
    return totals;
  };
  if (a !== b) {
    expect((await gradOf(a)).map((value) => value + 0)).toEqual(summed(ofA, terms[0], a));
    expect((await gradOf(b)).map((value) => value + 0)).toEqual(summed(ofB, terms[1], b));
  }
  for (const each of [y, gy, a, b]) each.dispose();
}

describe("examples of NumPy's documentation", () => {
  test("matmul", async () => {
    const b = [
      [4, 1],
      [2, 2],
    ];
    const eye = [
      [1, 0],
      [0, 1],
    ];
    expect(await plain(matmul(eye, b))).toEqual([4, 1, 2, 2]);
    expect(await plain(matmul(eye, [1, 2]))).toEqual([1, 2]);
    expect(await plain(matmul([1, 2], eye))).toEqual([1, 2]);
    const y = matmul(counted([2, 2, 4]), counted([2, 4, 2]));
    expect(y.shape).toEqual([2, 2, 2]);
    expect((await y.read())[0 * 4 + 1 * 2 + 1]).toBe(98);
    expect(() => matmul([1, 2], 3)).toThrow(ShapeError);
  });

  test("dot", async () => {
    expect(await dot(3, 4).item()).toBe(12);
    const b = [
      [4, 1],
      [2, 2],
    ];
    expect(
      await plain(
        dot(
          [
            [1, 0],
            [0, 1],
          ],
          b,
        ),
      ),
    ).toEqual([4, 1, 2, 2]);
    const backward = flip(counted([5 * 4 * 6 * 3])).reshape([5, 4, 6, 3]);
    const y = dot(counted([3, 4, 5, 6]), backward);
    expect(y.shape).toEqual([3, 4, 5, 5, 4, 3]);
    const place = [2, 3, 2, 1, 2, 2].reduce((at, k, axis) => at * (y.shape[axis] ?? 1) + k, 0);
    expect((await y.read())[place]).toBe(499128);
  });

  test("outer", async () => {
    const row = [-2, -1, 0, 1, 2];
    expect(await plain(outer([1, 1, 1, 1, 1], row))).toEqual([...row, ...row, ...row, ...row, ...row]);
    const y = outer([[1, 2]], [[3], [4], [5]]);
    expect(y.shape).toEqual([2, 3]);
    expect(await plain(y)).toEqual([3, 4, 5, 6, 8, 10]);
  });

  test("einsum", async () => {
    const a = counted([5, 5]);
    const b = counted([5]);
    const c = counted([2, 3]);
    const values = async (subscripts: string, ...operands: [Operand, Operand?]): Promise<number[]> =>
      plain(einsum(subscripts, ...operands));
    expect(await values("ii", a)).toEqual([60]);
    expect(await values("ii->i", a)).toEqual([0, 6, 12, 18, 24]);
    expect(await values("ij->i", a)).toEqual([10, 35, 60, 85, 110]);
    expect(await values("...j->...", a)).toEqual([10, 35, 60, 85, 110]);
    expect(await values("ji", c)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(einsum("ji", c).shape).toEqual([3, 2]);
    expect(await values("i,i", b, b)).toEqual([30]);
    expect(await values("ij,j", a, b)).toEqual([30, 80, 130, 180, 230]);
    expect(await values("...j,j", a, b)).toEqual([30, 80, 130, 180, 230]);
    expect(await values("..., ...", 3, c)).toEqual([0, 3, 6, 9, 12, 15]);
    expect(await values(",ij", 3, c)).toEqual([0, 3, 6, 9, 12, 15]);
    expect(await values("i,j", [1, 2], b)).toEqual([0, 1, 2, 3, 4, 0, 2, 4, 6, 8]);
    expect(await values("ijk,jil->kl", counted([3, 4, 5]), counted([4, 3, 2]))).toEqual([
      4400, 4730, 4532, 4874, 4664, 5018, 4796, 5162, 4928, 5306,
    ]);
    expect(await values("ki,...k->i...", counted([3, 2]), counted([4, 3]))).toEqual([10, 28, 46, 64, 13, 40, 67, 94]);
    expect(await values("ki,jk->ij", counted([3, 2]), counted([4, 3]))).toEqual([10, 28, 46, 64, 13, 40, 67, 94]);
  });

  test("linear is PyTorch's x · wᵀ + b, with a bias or without", async () => {
    const [x, w, b] = [integers([4, 3, 5], 1), integers([2, 5], 2), integers([2], 3)];
    const y = linear(x, w, b);
    expect(y.shape).toEqual([4, 3, 2]);
    const product = await einstein(["abk", "jk"], "abj", [x, w]);
    const bias = await b.read();
    expect(await plain(y)).toEqual(product.map((value, k) => value + (bias[k % 2] ?? NaN)));
    expect(await plain(linear(x, w))).toEqual(product);
    expect(await plain(x.linear(w, null))).toEqual(product);
    sum(y).backward();
    expect(await gradOf(b)).toEqual([12, 12]);
  });
});

describe("shapes", () => {
  const sizes = [
    [1, 1, 1],
    [2, 3, 4],
    [8, 8, 8],
    [5, 300, 7],
    [64, 64, 64],
    [68, 260, 72],
    [17, 1031, 3],
    [1, 64, 9],
    [9, 64, 1],
    [1, 700, 1],
    [16, 5000, 16],
    [3, 1, 5],
  ] as const;
  // In each order that the axes may be stored in, and so by every way of loading.
  for (const [m, k, n] of sizes) {
    test(`[${m}, ${k}] by [${k}, ${n}], each stored either way, and the result`, async () => {
      for (const a of ["ik", "ki"]) {
        for (const b of ["kj", "jk"]) {
          for (const y of ["ij", "ji"]) {
            const length = (letters: string): number[] =>
              Array.from(letters).map((letter) => (letter === "i" ? m : letter === "k" ? k : n));
            const operands = [integers(length(a), 1), integers(length(b), 2)] as const;
            await expectProduct(einsum(`${a},${b}->${y}`, ...operands), [a, b], y, [...operands]);
          }
        }
      }
    });
  }

  test("batches that broadcast, and vectors", { timeout: 600_000 }, async () => {
    const length = fc.integer({ min: 1, max: 5 });
    const cases = fc.record({
      batches: fc.array(fc.tuple(length, fc.constantFrom("both", "a", "b", "short")), { maxLength: 3 }),
      m: fc.option(fc.integer({ min: 1, max: 9 })),
      k: fc.integer({ min: 1, max: 9 }),
      n: fc.option(fc.integer({ min: 1, max: 9 })),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ batches, m, k, n }) => {
        const ofA = m === null ? [] : batches.map(([own, where]) => (where === "b" ? 1 : own));
        let ofB = n === null ? [] : batches.map(([own, where]) => (where === "a" ? 1 : own));
        if (batches[0]?.[1] === "short") ofB = ofB.slice(1);
        const a = integers([...ofA, ...(m === null ? [] : [m]), k], 1);
        const b = integers([...ofB, k, ...(n === null ? [] : [n])], 2);
        const letters = ["a", "b", "c"].slice(0, batches.length).join("");
        const ofY = ofA.length >= ofB.length ? ofA.length : ofB.length;
        const terms = [
          `${letters.slice(letters.length - ofA.length)}${m === null ? "" : "i"}k`,
          `${letters.slice(letters.length - ofB.length)}k${n === null ? "" : "j"}`,
        ] as const;
        const result = `${letters.slice(letters.length - ofY)}${m === null ? "" : "i"}${n === null ? "" : "j"}`;
        await expectProduct(matmul(a, b), [...terms], result, [a, b]);
      }),
      { numRuns: 25 },
    );
  });

  test("any subscripts of two operands", { timeout: 600_000 }, async () => {
    const all = ["a", "b", "c", "d"];
    const lengths = fc.tuple(...all.map(() => fc.integer({ min: 1, max: 4 })));
    const cases = fc.record({
      a: fc.shuffledSubarray(all),
      b: fc.shuffledSubarray(all),
      y: fc.shuffledSubarray(all),
      lengths,
      isLong: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ a, b, y, lengths: own, isLong }) => {
        const terms = [a.join(""), b.join("")] as const;
        const result = y.filter((letter) => a.includes(letter) || b.includes(letter)).join("");
        const shape = (term: string): number[] =>
          Array.from(term).map((letter) => (isLong && letter === "a" ? 20 : (own[all.indexOf(letter)] ?? 1)));
        const operands = [integers(shape(terms[0]), 1), integers(shape(terms[1]), 2)] as const;
        const x = einsum(`${terms[0]},${terms[1]}->${result}`, ...operands);
        expect(await plain(x)).toEqual(await einstein(terms, result, operands));
        // The sum is linear in each operand, so that the derivative along an operand is the value itself.
        sum(x.mul(x)).backward();
        const total = (await x.read()).reduce((sum, value) => sum + value * value, 0);
        for (const operand of operands) {
          const [values, gradient] = [await operand.read(), await gradOf(operand)];
          const along = gradient.reduce((sum, value, k) => sum + value * (values[k] ?? NaN), 0);
          expectClose([along], [2 * total], 1e-4, 1e-4);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a letter twice, ellipses and axes of length 1", async () => {
    for (const [subscripts, left, right, terms, result] of [
      ["iij,j->i", [3, 3, 4], [4], ["iij", "j"], "i"],
      ["iji,kk->jk", [2, 3, 2], [2, 2], ["iji", "kk"], "jk"],
      ["ii,i->i", [4, 4], [4], ["ii", "i"], "i"],
      ["iii,i", [3, 3, 3], [3], ["iii", "i"], ""],
      ["...ij,...jk->...ik", [2, 1, 3, 4], [5, 4, 2], ["abij", "bjk"], "abik"],
      ["...i,i...->...", [2, 3], [3, 1], ["ai", "ia"], "a"],
      ["ij,jk", [2, 1], [3, 4], ["ij", "jk"], "ik"],
      ["ij,ij->j", [1, 3], [5, 3], ["ij", "ij"], "j"],
    ] as const) {
      const operands = [integers(left, 1), integers(right, 2)] as const;
      const y = einsum(subscripts, ...operands);
      expect(await plain(y), subscripts).toEqual(await einstein(terms, result, operands));
      await gradCheck(
        (a: Variable, b: Variable) => einsum(subscripts, a, b),
        [variable(left, [-1, 1], 1), variable(right, [-1, 1], 2)],
      );
    }
    const x = counted([2, 3, 2]);
    sum(einsum("iji->j", x)).backward();
    expect(await gradOf(x)).toEqual([1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]);
    const copy = counted([2, 2]);
    const same = einsum("ij->ij", copy);
    copy.assign([
      [5, 6],
      [7, 8],
    ]);
    expect(await plain(same)).toEqual([0, 1, 2, 3]);
  });

  test("no elements, and sums of nothing", async () => {
    const empty = (shape: Shape): Variable => new Variable(new Float32Array(sizeOf(shape)), { shape });
    const [a, b] = [empty([2, 0]), empty([0, 3])];
    const y = matmul(a, b);
    expect(y.shape).toEqual([2, 3]);
    expect(await plain(y)).toEqual([0, 0, 0, 0, 0, 0]);
    sum(y).backward();
    expect(a.grad?.shape).toEqual([2, 0]);
    expect(b.grad?.shape).toEqual([0, 3]);
    expect(matmul(empty([0, 4, 2, 3]), empty([3, 5])).shape).toEqual([0, 4, 2, 5]);
    const w = counted([3, 5]);
    sum(matmul(empty([0, 3]), w)).backward();
    expect(await gradOf(w)).toEqual(new Array<number>(15).fill(0));
    expect(await dot([], []).item()).toBe(0);
    expect(outer([], [1, 2]).shape).toEqual([0, 2]);
    expect(await einsum("ij->", empty([0, 2])).item()).toBe(0);
  });
});

describe("gradients", () => {
  test("to the second order", async () => {
    const cases: [(...operands: Variable[]) => Variable, Shape[]][] = [
      [
        matmul,
        [
          [3, 4],
          [4, 2],
        ],
      ],
      [matmul, [[4], [2, 4, 3]]],
      [
        matmul,
        [
          [2, 1, 3, 2],
          [3, 2, 2],
        ],
      ],
      [
        dot,
        [
          [2, 3],
          [2, 3, 2],
        ],
      ],
      [outer, [[3], [4]]],
      [linear, [[3, 4], [2, 4], [2]]],
      [
        (a, b) => einsum("bij,bkj->ikb", a, b),
        [
          [2, 2, 3],
          [2, 3, 3],
        ],
      ],
      [(a) => einsum("ijij->ji", a), [[2, 3, 2, 3]]],
      [(a) => matmul(a, a), [[3, 3]]],
    ];
    for (const [f, shapes] of cases) {
      await gradCheck(
        f,
        shapes.map((shape, k) => variable(shape, [-1, 1], k)),
        { order: 2 },
      );
    }
  });

  test("are one dispatch each, without a transposed copy", () => {
    const [a, b] = [integers([64, 32], 1), integers([32, 48], 2)];
    const y = matmul(a, b);
    y.grad = integers([64, 48], 3);
    expect(dispatchesOf(() => matmul(a, b))).toBe(1);
    expect(dispatchesOf(() => y.backward())).toBe(2);
  });

  test("of an operand that needs none isn't computed", () => {
    const a = integers([64, 32], 1);
    const y = matmul(a, integers([32, 48], 2).detach());
    y.grad = integers([64, 48], 3);
    expect(dispatchesOf(() => y.backward())).toBe(1);
  });

  test("of ones, which take no memory, and of a sum, which is one number repeated", async () => {
    const [a, b] = [integers([6, 5], 1), integers([5, 7], 2)];
    matmul(a, b).backward();
    const [ofA, ofB] = [await gradOf(a), await gradOf(b)];
    const rows = await einstein(["kj"], "k", [b]);
    expect(ofA).toEqual(Array.from({ length: 30 }, (_, i) => rows[i % 5]));
    const columns = await einstein(["ik"], "k", [a]);
    expect(ofB).toEqual(Array.from({ length: 35 }, (_, i) => columns[Math.floor(i / 7)]));
    a.clearGrad();
    sum(matmul(a, b)).mul(new Variable(2)).backward();
    expect(await gradOf(a)).toEqual(ofA.map((value) => 2 * value));
  });
});

describe("numbers", () => {
  const bound = (k: number): number => (96 + k / 256) * 2 ** -24;

  test(
    "are within (96 + k / 256) · 2⁻²⁴ · Σ|a b| of exact, and the same bits twice",
    { timeout: 600_000 },
    async () => {
      for (const [m, k, n] of [
        [1, 2 ** 20, 1],
        [2, 65_536, 3],
        [9, 10_001, 5],
        [33, 4096, 36],
        [260, 513, 300],
      ] as const) {
        for (const isAlike of [true, false]) {
          // The same numbers everywhere are rounded the same way everywhere: the worst case for a plain sum.
          const numbers = (size: number, seed: number): Float32Array =>
            isAlike ? new Float32Array(size).fill(0.1) : spread(size, [-1, 1], seed);
          const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
          const given = [new Variable(a, { shape: [m, k] }), new Variable(b, { shape: [k, n] })] as const;
          const y = await matmul(...given).read();
          expect(await matmul(...given).read()).toEqual(y);
          for (let at = 0; at < m * n; at += Math.max(1, Math.floor((m * n) / 50))) {
            const [i, j] = [Math.floor(at / n), at % n];
            let [total, size] = [0, 0];
            for (let q = 0; q < k; q++) {
              const term = (a[i * k + q] ?? NaN) * (b[q * n + j] ?? NaN);
              total += term;
              size += Math.abs(term);
            }
            expect(Math.abs((y[at] ?? NaN) - total)).toBeLessThanOrEqual(bound(k) * size);
          }
        }
      }
    },
  );

  test("nor is more lost where nothing is cut into chunks, since there are results enough", async () => {
    const k = 20_000;
    const all = (shape: Shape): Variable => new Variable(GpuArray.constant(0.1, shape));
    const [first] = await matmul(all([16_392, k]), all([k])).read();
    const exact = k * Math.fround(0.1) ** 2;
    expect(Math.abs((first ?? NaN) - exact)).toBeLessThanOrEqual(bound(k) * exact);
  });

  test("over several axes that can't be one, within (160 + k / 64) · 2⁻²⁴ · Σ|a b|", async () => {
    const shape = [3, 700, 3];
    const x = new Variable(new Float32Array(6300).fill(0.1), { shape });
    const w = new Variable(new Float32Array(6300).fill(0.1), { shape: [700, 3, 3] });
    const [value] = await einsum("iaj,aji->", x, w).read();
    const exact = 6300 * Math.fround(0.1) ** 2;
    expect(Math.abs((value ?? NaN) - exact)).toBeLessThanOrEqual((160 + 6300 / 64) * 2 ** -24 * exact);
  });

  test("NaN and infinities are what the sum of the products says, and stay in their rows", async () => {
    const a = new Variable([
      [1, 2, 3],
      [Infinity, 0, 1],
      [NaN, 1, 1],
      [Infinity, -Infinity, 1],
      [0, 0, Infinity],
    ]);
    const b = [
      [1, 1],
      [1, 0],
      [0, 2],
    ];
    expect(await plain(matmul(a, b))).toEqual([3, 7, Infinity, Infinity, NaN, NaN, NaN, NaN, NaN, Infinity]);
    expect(await matmul([3e38, 3e38], [1, 1]).item()).toBe(Infinity);
    const padded = new Variable([[1, 2, 3, 4, 5]]);
    expect(await matmul(padded, new Variable([Infinity, 0, 0, 0, 0])).item()).toBe(Infinity);
  });
});

describe("beside everything else", () => {
  test("methods are the functions", async () => {
    const x = counted([2, 2]);
    expect(await plain(x.matmul(x))).toEqual(await plain(matmul(x, x)));
    expect(await plain(x.dot([1, 2]))).toEqual(await plain(dot(x, [1, 2])));
    expect(await plain(x.outer([1, 2]))).toEqual(await plain(outer(x, [1, 2])));
    expect(await plain(x.linear(x, [1, 2]))).toEqual(await plain(linear(x, x, [1, 2])));
  });

  test("constants, an application's own buffer at an odd place, and an operand twice", async () => {
    const gpu = device.gpuDevice;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = gpu.createBuffer({ size: 4 * 21, usage });
    gpu.queue.writeBuffer(
      buffer,
      4,
      Float32Array.from({ length: 20 }, (_, i) => i),
    );
    const x = new Variable(GpuArray.fromBuffer(buffer, [5, 4], { offset: 4 }));
    const w = counted([4, 3]);
    const wanted = await einstein(["ik", "kj"], "ij", [counted([5, 4]), w]);
    expect(await plain(matmul(x, w))).toEqual(wanted);
    const threes = new Variable(GpuArray.constant(3, [4, 3]));
    const rows = await einstein(["ik"], "i", [x]);
    expect(await plain(matmul(x, threes))).toEqual(rows.flatMap((row) => [3 * row, 3 * row, 3 * row]));
    expect(await plain(matmul(new Variable(GpuArray.constant(2, [2, 4])), threes))).toEqual([24, 24, 24, 24, 24, 24]);
    const square = counted([3, 3]);
    expect(await plain(matmul(square, square))).toEqual(await einstein(["ik", "kj"], "ij", [square, square]));
    buffer.destroy();
  });

  test("graph, profile and findNonFinite name them, fuse refuses them", async () => {
    const [x, w] = [counted([2, 2]), counted([2, 2])];
    const named = (y: Variable): string[] =>
      graph(y).nodes.flatMap((node) => (node.kind === "function" ? [node.name] : []));
    expect(named(matmul(x, w))).toEqual(["Matmul"]);
    expect(named(dot(x, w))).toEqual(["Dot"]);
    expect(named(outer(counted([2]), counted([2])))).toEqual(["Outer"]);
    expect(named(linear(x, w, counted([2])))).toEqual(["Linear", "Add"]);
    expect(named(einsum("ij,jk", x, w))).toEqual(["Einsum"]);
    expect(named(einsum("ii", x))).toEqual(["Diagonal", "Sum"]);
    expect(await profile(() => matmul(x, w))).toMatchObject([{ name: "matmul", direction: null }]);
    const large = new Variable([[3e38, 3e38]]);
    const found = await findNonFinite(matmul(add(large, 0), [1, 1]));
    expect(found?.map(({ name }) => name)).toEqual(["Matmul"]);
    expect(() => fuse((a: Variable, b: Variable) => matmul(a, b))(x, w)).toThrow(FuseError);
    expect(matmul(x, w).creator?.wgsl).toContain("fn main");
  });

  test("nothing is left behind", () => {
    const [x, w] = [integers([5, 2000], 1), integers([2000, 5], 2)];
    const step = (): void => {
      using y = sum(matmul(x, w));
      y.backward({ retainGrad: false });
      noGrad(() => einsum("iki,k->", x.reshape([5, 400, 5]), spread(400, [0, 1]))).dispose();
      x.clearGrad();
      w.clearGrad();
    };
    step();
    const { liveBytes } = stats();
    for (let k = 0; k < 5; k++) step();
    expect(stats().liveBytes - liveBytes).toBeLessThan(1024);
  });
});

describe("what doesn't fit is told", () => {
  test("shapes, with the axes", () => {
    const [a, b] = [counted([2, 3]), counted([4, 5])];
    expect(() => matmul(a, b)).toThrow(
      new ShapeError(
        "matmul: shapes [2, 3] and [4, 5] don't fit: axis 1 of the first has length 3, axis 0 of the second 4, and the sum is over both",
      ),
    );
    expect(() => matmul(counted([2, 3, 4]), counted([3, 4, 5]))).toThrow(
      "the batches of shapes [2, 3, 4] and [3, 4, 5] can't be broadcast together: axis 0 of the first has length 2, axis 0 of the second 3",
    );
    expect(() => matmul(2, a)).toThrow(
      "matmul: the first operand is a single number, of shape []: mul multiplies by one",
    );
    expect(() => matmul([1, 2], [1, 2, 3])).toThrow(ShapeError);
    // Only batches stretch.
    expect(() => matmul(counted([2, 1]), counted([3, 2]))).toThrow(ShapeError);
    expect(() => dot([1, 2], [1, 2, 3])).toThrow("dot: shapes [2] and [3] don't fit");
    expect(() => linear(a, b)).toThrow("linear: shapes [2, 3] and [4, 5] don't fit: axis 1 of the first");
    expect(() => linear(a, [1, 2, 3])).toThrow("linear: the weight must be [outputs, inputs], not [3]");
    expect(() => linear(a, counted([4, 3]), [1, 2])).toThrow(
      "linear: the bias must be [4], one for each output of the weight [4, 3], not [2]",
    );
    expect(() => matmul(a, "b" as never)).toThrow(ArgumentError);
  });

  test("subscripts", () => {
    const [a, b] = [counted([2, 3]), counted([3, 2])];
    const failing: [string, string][] = [
      ["ij,jk,kl", 'einsum: "ij,jk,kl" names 3 operands, and einsum takes one or two'],
      ["ij", 'einsum: "ij" names 1 operands, and einsum was given 2'],
      ["ij,jk->->ik", 'has more than one "->"'],
      ["i1,jk", 'has "1": an axis is a letter'],
      ["i.j,jk", 'has ".": "..." may stand once in each'],
      ["......,jk", 'has "."'],
      ["ij,jk->il", "the result has l, and no operand has"],
      ["ij,jk->ii", "the result has i twice"],
      ["ijk,jk", '"ijk" is of 3 axes, and operand 0 has shape [2, 3]'],
      ["...ijk,jk", '"...ijk" is of 3 axes or more, and operand 0 has shape [2, 3]'],
      ["ij,ik->jk", "i is of length 2 and, along axis 0 of operand 1, of 3: the shapes are [2, 3] and [3, 2]"],
      ["ii,jk", "i is of length 2 and, along axis 1 of operand 0, of 3"],
      ["i...,jk->ijk", 'the result has no "...", and that of the operands stands for 1 axes'],
      ["...,...", '"..." is of length 2 and, along axis 0 of operand 1, of 3'],
    ];
    for (const [subscripts, message] of failing) expect(() => einsum(subscripts, a, b), subscripts).toThrow(message);
    expect(() => einsum(3 as never, a)).toThrow(ArgumentError);
    expect(() => einsum("ij,jk", a)).toThrow(ArgumentError);
  });
});
