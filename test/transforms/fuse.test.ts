import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import * as g from "../../src/index.js";
import {
  elementwise,
  exp,
  fuse,
  grad,
  gradCheck,
  greater,
  init,
  mul,
  type Operand,
  sin,
  square,
  stats,
  sum,
  valueAndGrad,
  Variable,
  where,
} from "../../src/index.js";
import { FusedNode } from "../../src/transforms/fuse/fused-program.js";
import { errorOf } from "../trouble.js";

beforeAll(async () => {
  await init();
});

const numbers = (n: number, seed = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, k) => Math.sin((k + 1) * 12.9898 * seed) * 1.5);

/** The distance of two float32 numbers in representable steps. */
function steps(a: number, b: number): number {
  const ordered = (value: number): number => {
    const bits = new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
    return bits < 0 ? -(bits & 0x7fffffff) : bits;
  };
  return Object.is(a, b) || a === b ? 0 : Math.abs(ordered(a) - ordered(b));
}

const chain = (x: Variable): Variable => square(exp(square(x)));

describe("a fused chain", () => {
  test("is one dispatch forward and one backward, with the unfused result to the bit", async () => {
    const fused = fuse(chain);
    const data = numbers(1001);
    const [x, x2] = [new Variable(data), new Variable(data)];
    const before = stats().dispatches;
    const y = fused(x);
    expect(stats().dispatches - before).toBe(1);
    y.backward();
    expect(stats().dispatches - before).toBe(2);
    const y2 = chain(x2);
    y2.backward();
    expect(await y.read()).toEqual(await y2.read());
    expect(await x.grad?.read()).toEqual(await x2.grad?.read());
  });

  test("its WGSL is readable: the functions it calls, then straight-line code", () => {
    const { wgsl } = fuse(chain);
    expect(wgsl).toContain("fn square_forward(x: f32) -> f32");
    expect(wgsl.match(/fn square_forward/g)).toHaveLength(1);
    expect(wgsl).toMatch(
      /fn fused\d+_forward\(x0: f32\) -> f32 \{\n {2}let v0 = square_forward\(x0\);\n {2}let v1 = exp_forward\(v0\);/,
    );
    expect(wgsl).toMatch(/fn fused\d+_backward\(x0: f32, gy: f32\) -> f32 \{/);
  });

  test("another size compiles nothing", async () => {
    const fused = fuse(chain);
    const run = async (n: number): Promise<void> => {
      const x = new Variable(numbers(n));
      fused(x).backward();
      await x.grad?.read();
    };
    await run(100);
    const { pipelines } = stats();
    await run(101);
    expect(stats().pipelines).toBe(pipelines);
  });

  test("moves 2N values forward and 2N backward from ones, 3N from another gradient; unfused 6N, 8N and 9N", () => {
    // Every binding of a dispatch is read or written once, whole: what is bound is what is moved.
    const n = 1000;
    const moved = (f: (x: Variable) => Variable, start: boolean): [number, number] => {
      const x = new Variable(numbers(n));
      let values = 0;
      const { bindGroups } = x.data.device;
      const original = bindGroups.get.bind(bindGroups);
      bindGroups.get = (layout, bindings, label) => {
        // Uniforms are 16 bytes of data that don't grow with n.
        for (const { size } of bindings) values += size > 16 ? size / 4 : 0;
        return original(layout, bindings, label);
      };
      try {
        const y = f(x);
        const forward = values / n;
        if (start) y.grad = numbers(n);
        y.backward();
        return [forward, values / n - forward];
      } finally {
        bindGroups.get = original;
      }
    };
    expect(moved(chain, true)).toEqual([6, 9]);
    expect(moved(chain, false)).toEqual([6, 8]);
    expect(moved(fuse(chain), true)).toEqual([2, 3]);
    expect(moved(fuse(chain), false)).toEqual([2, 2]);
  });
});

describe("what can be fused", () => {
  test("several inputs, broadcast, with numbers and shared parts", async () => {
    const f = (a: Variable, b: Variable): Variable => {
      const shared = a.mul(b);
      return shared.sin().add(shared).mul(2).sub(b.div(3));
    };
    const inputs = (): [Variable, Variable] => [
      new Variable(numbers(12), { shape: [3, 4] }),
      new Variable(numbers(4, 2), { shape: [4] }),
    ];
    const [a, b] = inputs();
    const [c, d] = inputs();
    const y = fuse(f)(a, b);
    const z = f(c, d);
    y.backward();
    z.backward();
    expect(await y.read()).toEqual(await z.read());
    expect(await a.grad?.read()).toEqual(await c.grad?.read());
    // The gradient of b is summed over rows: fused before, unfused after the parts are added.
    const [got, expected] = await Promise.all([b.grad?.read(), d.grad?.read()]);
    expected?.forEach((value, k) => expect(Math.abs((got?.[k] ?? NaN) - value)).toBeLessThan(1e-6 * 3));
    await gradCheck(fuse(f), inputs());
  });

  test("several outputs", async () => {
    const f = fuse((x: Variable) => [square(x), sin(x)] as const);
    const x = new Variable([1, 2]);
    const before = stats().dispatches;
    const [a, b] = f(x);
    expect(stats().dispatches - before).toBe(1);
    expect([...(await a.read())]).toEqual([1, 4]);
    a.add(b).backward();
    const gradient = await x.grad?.read();
    expect(gradient?.[1]).toBeCloseTo(4 + Math.cos(2), 5);
    const x2 = new Variable([1, 2]);
    const [, c] = f(x2);
    c.backward(); // the first output is not used: its gradient counts as zero
    expect((await x2.grad?.read())?.[0]).toBeCloseTo(Math.cos(1), 6);
  });

  test("a user's own function, and a fused function inside of another", async () => {
    const cube = elementwise(
      `fn cube_forward(x: f32) -> f32 { return x * x * x; }
       fn cube_backward(x: f32, gy: f32) -> f32 { return 3.0 * x * x * gy; }`,
      { derivative: (gy, x) => mul(gy, square(x)).mul(3) },
    );
    const inner = fuse((x: Variable) => cube(x).sin());
    const outer = fuse((x: Variable) => inner(x).mul(inner(x.mul(2))));
    const x = new Variable(numbers(10));
    await gradCheck(outer, [x], { step: 0.004 });
    const expected = cube(x)
      .sin()
      .mul(cube(x.mul(2)).sin());
    expect(await outer(x).read()).toEqual(await expected.read());
  });

  test("Variables from outside are inputs: they are read at every call, and get gradients", async () => {
    const w = new Variable([2, 3]);
    const f = fuse((x: Variable) => x.mul(w));
    const x = new Variable([10, 20]);
    expect([...(await f(x).read())]).toEqual([20, 60]);
    w.assign([5, 7]);
    const y = f(x);
    y.backward();
    expect([...(await y.read())]).toEqual([50, 140]);
    expect([...((await w.grad?.read()) ?? [])]).toEqual([10, 20]);
  });

  test("numbers without a literal in WGSL, and minus zero", async () => {
    const f = fuse((x: Variable) => [x.add(Infinity), x.mul(NaN), x.mul(-0), x.add(1e-40)]);
    const [a, b, c] = f(1);
    expect([await a?.item(), await b?.item(), await c?.item()]).toEqual([Infinity, NaN, -0]);
  });

  test("second and third derivatives, fused too", async () => {
    const f = fuse((x: Variable) => x.mul(x).mul(x).exp());
    const x = new Variable([0.3, -0.5]);
    const y = f(x);
    y.backward({ createGraph: true });
    const first = x.grad;
    x.clearGrad();
    const before = stats().dispatches;
    first?.backward({ createGraph: true });
    expect(stats().dispatches - before).toBeLessThanOrEqual(3); // the fused gradient of two inputs, and a sum
    const second = await x.grad?.read();
    [0.3, -0.5].forEach((v, k) => {
      expect(second?.[k]).toBeCloseTo((6 * v + 9 * v ** 4) * Math.exp(v ** 3), 4);
    });
    await gradCheck(f, [[0.3, -0.5]], { order: 3, tolerance: 0.01 });
  });
});

test("a fused node can be unfolded: the functions in it, one by one, on Variables", async () => {
  const w = new Variable([2, 3]);
  const f = fuse((x: Variable) => exp(x.mul(w)).sub(1));
  const x = new Variable([0.5, -1]);
  const node = f(x).creator;
  if (!(node instanceof FusedNode)) throw new Error("not a fused node");
  const [y] = node.unfold(node.inputs, false);
  expect(y?.creator?.name).toBe("Sub");
  expect(y?.creator?.inputs[0]?.creator?.name).toBe("Exp");
  expect(await y?.read()).toEqual(await f(x).read());
});

describe("what can't be fused throws when it is traced, and says why", () => {
  const x = [1, 2, 3];
  let outside: Variable;
  beforeAll(() => {
    outside = new Variable([1, 2, 3]);
  });

  test.each<[string, (x: Variable) => never, RegExp]>([
    ["a reduction", (v) => v.mul(v.sum()) as never, /a shape was asked for.*\(a reduction, a reshape\)/],
    ["a reshape", (v) => v.reshape([3, 1]) as never, /shape|size|Reshape/],
    ["a shape", (v) => v.mul(v.size) as never, /size was asked for/],
    ["a value", (v) => (v.data.read(), v) as never, /numbers were asked for/],
    ["an async function", (async (v: Variable) => (await v.item(), v)) as never, /async|shape|size|numbers/],
    ["no Variable", () => 7 as never, /must give Variables, not 7/],
    ["no result", () => [] as never, /no result/],
  ])("%s", (_what, f, message) => {
    const fused = fuse(f as (v: Variable) => Variable);
    expect(() => fused(x)).toThrow(message);
    expect(() => fused(x)).toThrow(expect.objectContaining({ code: "not-fusable" }));
  });

  test.each<[string, (v: Variable) => unknown, RegExp]>([
    [
      "grad(f)",
      (v) => grad(square)(v),
      /grad\(f\) and valueAndGrad\(f\) can't be called in a fused function.*grad\(fuse\(f\)\)/,
    ],
    ["valueAndGrad(f)", (v) => valueAndGrad(square)(v)[1], /can't be called in a fused function/],
    ["grad of a Variable from outside", (v) => v.mul(grad(square)(outside)), /can't be called in a fused function/],
    [
      "setting grad",
      (v) => ((v.grad = [1]), v),
      /grad can't be set in a fused function.*set that of what the fused function gives/,
    ],
  ])("%s says what to do", (_what, f, message) => {
    expect(() => fuse(f as never)(x)).toThrow(message);
    expect(() => fuse(f as never)(x)).toThrow(expect.objectContaining({ code: "not-fusable" }));
  });

  test("what is kept of the trace says that it is over, whatever is done with it", async () => {
    let kept = outside;
    fuse((v: Variable) => {
      kept = square(v);
      return kept.mul(2);
    })(x);
    const uses: (() => unknown)[] = [
      () => kept.shape,
      () => kept.size,
      () => kept.mul(2),
      () => sum(kept),
      () => outside.mul(kept),
      () => kept.read(),
      () => kept.item(),
      () => kept.data.buffer,
      () => kept.backward(),
      () => (kept.grad = [1]),
      () => grad(square)(kept),
      () => new Variable([1]).assign(kept),
      () => new Variable([1]).update((w) => w.mul(kept)),
    ];
    for (const use of uses) {
      expect(await errorOf(use)).toMatchObject({
        code: "not-fusable",
        message: expect.stringMatching(/used outside of it.*use what the fused function gives/) as string,
      });
    }
  });

  test.each<[string, (v: Variable) => unknown]>([
    ["Math.sin(x)", (v) => Math.sin(v as never)],
    ["x > 0 ? x : 0", (v) => ((v as never) > 0 ? v : 0)],
    ["x * 2", (v) => (v as never) * 2],
    ["x + 1", (v) => (v as never as number) + 1],
  ])("a Variable used as a number, as in %s: it says what to write", (_what, f) => {
    expect(() => fuse(f as never)([1])).toThrow(/used as a number.*sin\(x\).*where\(greater\(x, 0\)/);
    expect(() => fuse(f as never)([1])).toThrow(expect.objectContaining({ code: "not-fusable" }));
  });

  test("a function without a derivative, differentiated twice, is named", () => {
    const f = fuse((v: Variable) => half(v).mul(v));
    const v = new Variable([1, 2]);
    f(v).backward({ createGraph: true });
    const gradient = v.grad!;
    v.clearGrad();
    expect(() => {
      gradient.backward();
    }).toThrow(/Half can't be differentiated twice/);
  });
});

const half = elementwise(
  `fn half_forward(x: f32) -> f32 { return 0.5 * x; }
   fn half_backward(gy: f32) -> f32 { return 0.5 * gy; }`,
);

/** Infinite at 0, and without a derivative. */
const own = elementwise(
  `fn own_forward(x: f32) -> f32 { return math_log(x); }
   fn own_backward(x: f32, gy: f32) -> f32 { return gy / x; }`,
);

describe("a first gradient under createGraph needs no derivative, as it needs none unfused", () => {
  test.each<[string, (x: Variable) => Variable, number[], number[]]>([
    ["where it isn't chosen", (x) => where(greater(x, 0), own(x), 0), [0, -1, 2], [0, 0, 0.5]],
    ["alone", (x) => own(x), [1, 4], [1, 0.25]],
    ["with others around it", (x) => square(half(square(x))).mul(x), [1, 2], [1.25, 20]],
    ["in a later piece", (x) => half(Array.from({ length: 250 }).reduce<Variable>((y) => y.add(x), x)), [1], [125.5]],
  ])("%s", async (_what, f, at, expected) => {
    for (const each of [f, fuse(f)]) {
      const x = new Variable(at);
      sum(each(x)).backward({ createGraph: true });
      expect([...(await x.grad!.read())]).toEqual(expected);
      const gradient = sum(x.grad!);
      expect(() => {
        gradient.backward();
      }).toThrow(/(Own|Half) can't be differentiated twice/);
    }
  });

  test("by grad, and with several outputs and inputs", async () => {
    const f = fuse((x: Variable, w: Variable) => [own(x).mul(w), square(w)]);
    const [x, w] = [new Variable([2]), new Variable([3])];
    const [y, z] = f(x, w) as [Variable, Variable];
    y.add(z).backward({ createGraph: true });
    expect(await x.grad!.item()).toBe(1.5);
    expect(await w.grad!.item()).toBeCloseTo(Math.log(2) + 6, 5);
  });
});

describe("random expressions", () => {
  const unary = ["neg", "square", "sin", "sigmoid", "exp", "abs"] as const;
  const binary = ["add", "sub", "mul", "maximum"] as const;

  test("give what they give unfused, to within 2 ULP where an operation is contracted", async () => {
    const operations = fc.array(
      fc.record({ op: fc.constantFrom(...unary, ...binary), a: fc.nat(100), b: fc.nat(100), scalar: fc.boolean() }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(operations, async (program) => {
        const f = (x: Variable, w: Variable): Variable => {
          const values: Variable[] = [x, w];
          for (const { op, a, b, scalar } of program) {
            const left = values[a % values.length]!;
            const right = scalar ? 0.75 : values[b % values.length]!;
            const result = (unary as readonly string[]).includes(op)
              ? g[op as (typeof unary)[number]](left)
              : g[op as (typeof binary)[number]](left, right);
            values.push(result.mul(0.5));
          }
          return values.slice(2).reduce((total, value) => total.add(value), x);
        };
        const inputs = (): [Variable, Variable] => [new Variable(numbers(37)), new Variable(numbers(37, 3))];
        const [x, w] = inputs();
        const [x2, w2] = inputs();
        const y = fuse(f)(x, w);
        const z = f(x2, w2);
        y.backward();
        z.backward();
        const pairs = [
          [y, z],
          [x.grad, x2.grad],
          [w.grad, w2.grad],
        ] as const;
        for (const [fused, plain] of pairs) {
          if (plain === null) continue;
          const [got, expected] = await Promise.all([fused?.read(), plain.read()]);
          expected.forEach((value, k) => {
            expect(steps(got?.[k] ?? NaN, value)).toBeLessThanOrEqual(2);
          });
        }
        y.dispose();
        z.dispose();
      }),
      { numRuns: 10, seed: 7 },
    );
  });
});

describe("how many operands a function takes that has rest parameters", () => {
  const total = fuse((...values: Variable[]) => values.slice(1).reduce((a, b) => a.add(b), values[0]!.mul(1)));

  test("is not known before it is called", async () => {
    await expect(total.prepare()).rejects.toThrow(/call it before prepare\(\) or wgsl/);
    expect(() => total.wgsl).toThrow(/can't be told from its parameters/);
  });

  test("is what it was called with first", async () => {
    expect(await total([1], [2], [3]).item()).toBe(6);
    await total.prepare();
    expect(total.wgsl).toContain("x2: f32");
  });

  test("and an error of the function's own stays what it is", async () => {
    const wrong = fuse(() => {
      throw new RangeError("mine");
    });
    await expect(wrong.prepare()).rejects.toThrow(RangeError);
  });
});

describe("a fused function made inside of another", () => {
  test("may use the other's operands, and what was computed of them", async () => {
    const f = fuse((x: Variable) => {
      const s = x.sin();
      return fuse((y: Variable) => y.mul(x).add(s))(x.cos());
    });
    const x = new Variable([0.5, -1]);
    const y = f(x);
    y.backward();
    const [value, gradient] = [await y.read(), await x.grad?.read()];
    [0.5, -1].forEach((v, k) => {
      expect(value[k]).toBeCloseTo(v * Math.cos(v) + Math.sin(v), 6);
      expect(gradient?.[k]).toBeCloseTo(2 * Math.cos(v) - v * Math.sin(v), 6);
    });
  });

  test("an operand that is kept from a trace is refused where it is used later", () => {
    let kept: Variable | null = null;
    const first = fuse((x: Variable) => {
      kept = x;
      return x.mul(2);
    });
    first([1]);
    const second = fuse((y: Variable) => y.mul(kept ?? y));
    expect(() => second([1])).toThrow(/kept from when that was traced/);
    const w = new Variable([1]);
    expect(() => w.update((v) => v.mul(kept ?? v))).toThrow(/fuse|trace/);
  });

  test("itself is refused", () => {
    const f: (x: Operand) => Variable = fuse((x: Variable): Variable => f(x).mul(2));
    expect(() => f([1])).toThrow(/calls the fused function that is made of it/);
  });
});

describe("what changes something can't be fused: it would run once, at the trace", () => {
  const leaf = (): Variable => {
    const c = new Variable([1]);
    c.square().backward();
    return c;
  };
  test.each<[string, (c: Variable, x: Variable) => unknown, RegExp]>([
    ["descend", (c) => c.descend(0.1), /can't be changed in a fused function/],
    ["assign", (c) => c.assign([2]), /can't be assigned to in a fused function/],
    ["backward", (c) => c.square().backward(), /backward\(\) can't be part of a fused function/],
    ["backward of a result", (_, x) => x.square().backward(), /backward\(\) can't be part of a fused function/],
    ["unchain", (_, x) => x.sin().unchain(), /detach\(\) gives the same numbers/],
  ])("%s", async (_, change, message) => {
    const c = leaf();
    const f = fuse((x: Variable) => {
      change(c, x);
      return x.mul(c);
    });
    expect(() => f([1])).toThrow(message);
    expect(await c.item()).toBe(1);
    expect(await c.grad?.item()).toBe(2);
  });
});
