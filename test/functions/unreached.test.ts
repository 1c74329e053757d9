/**
 * An input from which an output isn't computed gets 0 of that output's gradient, also where that is infinite: by the shader, with a
 * graph, fused, and in the derivatives of the derivatives.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { elementwise, fuse, init, log, mul, square, sum, Variable, type Operand } from "../../src/index.js";
import { gradOf, leaf } from "../reference/numbers.js";

beforeAll(async () => {
  await init();
});

type Pair = (x: Variable, b: Variable) => readonly [Variable, Variable];
type Two = (x: Variable, b: Variable) => Variable;

const pairs = elementwise<[Operand, Operand], 2>(
  "fn pairs_forward(x: f32, b: f32) -> vec2f { return vec2f(x * x, x * b); }",
);
const named = elementwise<[Operand, Operand], 2>(
  "fn named_forward(x: f32, b: f32) -> vec2f { let v = vec2f(x * x, x * b); return v; }",
);
const written = elementwise<[Operand, Operand], 2>(
  `struct written_Pair { both: vec2f }
   fn written_pair(x: f32) -> written_Pair { return written_Pair(vec2f(x * x, x)); }
   fn written_forward(x: f32, b: f32) -> vec2f {
     var p = written_pair(x);
     for (var k = 0; k < 1; k++) { p.both.y *= b; }
     return p.both.xy;
   }`,
);
const early = elementwise<[Operand, Operand]>(
  "fn early_forward(x: f32, b: f32) -> f32 { if (b > 0.0) { return x; } return x * b; }",
);
const capped = elementwise<[Operand]>(
  "fn capped_forward(x: f32) -> f32 { if (x > 1.0) { return 1.0; } return x * x * x; }",
);
const listed = elementwise<[Operand, Operand], 5>(
  `fn listed_forward(x: f32, b: f32) -> array<f32, 5> {
     if (b > 0.0) { return array<f32, 5>(x, b, x * b, 1.0, x); }
     return array<f32, 5>(x * b, b, 0.0, b, b);
   }`,
);

const ways = [
  ["by the shader", false, false],
  ["with a graph", false, true],
  ["fused", true, false],
  ["fused, with a graph", true, true],
] as const;

/** The gradients of both inputs, of outputs to which these gradients arrive. */
async function pulled(f: Two, [x, b]: readonly [number[], number[]], gy: number[], createGraph: boolean) {
  const [u, v] = [leaf(x), leaf(b)];
  const y = f(u, v);
  y.grad = gy;
  y.backward({ createGraph });
  return [[...(await gradOf(u))], [...(await gradOf(v))]];
}

describe.each(ways)("%s", (_way, isFused, createGraph) => {
  const as = (f: Two): Two => (isFused ? fuse(f) : f);

  test("an infinite gradient of one output adds nothing to an input of the other", async () => {
    const both = (pair: Pair, of: (p: Variable) => Variable): Two =>
      as((x, b) => {
        const [p, q] = pair(x, b);
        return of(p).add(q);
      });
    // (x²)² overflows, and 1 / x² does: by b stays x.
    for (const [of, x] of [
      [square, 3e19],
      [log, 1e-25],
    ] as const) {
      for (const pair of [pairs, named, written]) {
        const [byX, byB] = await pulled(both(pair, of), [[x], [2]], [1], createGraph);
        expect(byX).toEqual([Infinity]);
        expect(byB).toEqual([Math.fround(x)]);
      }
    }
  });

  test("nor an infinite gradient where a return before the end leaves an input out", async () => {
    const gy = [Infinity, -Infinity, NaN, Infinity, 2];
    const found = await pulled(
      as(early),
      [
        [3, 3, 3, 3, 3],
        [2, 1, 2, -2, -2],
      ],
      gy,
      createGraph,
    );
    expect(found).toEqual([
      [Infinity, -Infinity, NaN, -Infinity, -4],
      [0, 0, 0, Infinity, 6],
    ]);
  });

  test("of one input, where its function is constant", async () => {
    const f = as((x, b) => capped(x).add(b));
    const [byX] = await pulled(
      f,
      [
        [2, 0.5, 2],
        [0, 0, 0],
      ],
      [Infinity, Infinity, 1],
      createGraph,
    );
    expect(byX).toEqual([0, Infinity, 0]);
  });

  test("of several outputs by values", async () => {
    const f = (k: number): Two => as((x, b) => listed(x, b)[k] ?? x);
    const inf = Infinity;
    // By x and b, for b > 0 and for b < 0.
    const slopes: [number[], number[]][] = [
      [
        [inf, -inf],
        [0, inf],
      ],
      [
        [0, 0],
        [inf, inf],
      ],
      [
        [inf, 0],
        [inf, 0],
      ],
      [
        [0, 0],
        [0, inf],
      ],
      [
        [inf, 0],
        [0, inf],
      ],
    ];
    for (const [k, expected] of slopes.entries()) {
      expect(
        await pulled(
          f(k),
          [
            [3, 3],
            [2, -2],
          ],
          [inf, inf],
          createGraph,
        ),
        `output ${k}`,
      ).toEqual(expected);
    }
  });
});

test("nor does it in the second and third derivative", async () => {
  for (const h of [capped, fuse((x: Variable) => capped(x))]) {
    for (const last of [false, true]) {
      // x³ has 6x and 6; what arrives at the second pass is infinite where x is 2, and 1 elsewhere.
      const x = leaf([2, 0.5]);
      h(x).backward({ createGraph: true });
      const { grad: first } = x;
      x.clearGrad();
      first!.grad = [Infinity, 1];
      first!.backward({ createGraph: true });
      expect([...(await gradOf(x))]).toEqual([0, 3]);
      const { grad: second } = x;
      x.clearGrad();
      second!.grad = [-Infinity, 1];
      second!.backward({ createGraph: last });
      expect([...(await gradOf(x))]).toEqual([0, 6]);
    }
  }
});

test("by the gradient that arrived: the change of 0 is 0, the rest as it is", async () => {
  // The gradient by b is u where b isn't in what is returned, times 0, and u x elsewhere.
  for (const createGraph of [false, true]) {
    const [x, b, u] = [leaf([3, 3]), leaf([2, -2]), leaf([1, 5])];
    sum(mul(early(x, b), u)).backward({ createGraph: true });
    const { grad: byB } = b;
    u.clearGrad();
    byB!.grad = [Infinity, 2];
    byB!.backward({ createGraph });
    expect([...(await gradOf(u))]).toEqual([0, 6]);
  }
});

test("an input of which nothing is computed has a gradient of zeros that has a graph", async () => {
  const first = elementwise<[Operand, Operand]>("fn first_forward(x: f32, b: f32) -> f32 { return x * x; }");
  const [x, b] = [leaf([3]), leaf([2])];
  const y = first(x, b);
  y.grad = [Infinity];
  y.backward({ createGraph: true });
  expect([...(await gradOf(b))]).toEqual([0]);
  const { grad: byB } = b;
  byB!.backward();
  expect([...(await gradOf(b))]).toEqual([0]);
});
