import { beforeAll, describe, expect, test } from "vitest";
import {
  elementwise,
  Exp,
  exp,
  Function,
  GpuArray,
  init,
  Square,
  square,
  stats,
  Variable,
  type Data,
} from "../../src/index.js";

beforeAll(async () => {
  await init();
});

describe("what a Variable holds", () => {
  test.each<[string, Data, number[], number[]]>([
    ["a number", 0.5, [], [0.5]],
    ["an array", [1, 2, 3], [3], [1, 2, 3]],
    [
      "a nested array",
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [2, 3],
      [1, 2, 3, 4, 5, 6],
    ],
    ["an array of arrays of one", [[[7]]], [1, 1, 1], [7]],
    ["a Float32Array", Float32Array.of(1, 2), [2], [1, 2]],
    ["nothing", [], [0], []],
    ["rows of nothing", [[], []], [2, 0], []],
  ])("%s", async (_what, data, shape, numbers) => {
    const x = new Variable(data);
    expect(x.shape).toEqual(shape);
    expect(x.size).toBe(numbers.length);
    expect(x.grad).toBeNull();
    expect(x.creator).toBeNull();
    expect(await x.read()).toEqual(Float32Array.from(numbers));
  });

  test("of an array that is on the GPU already it takes a share, without a copy", async () => {
    const data = GpuArray.from(Float32Array.of(1, 2, 3, 4));
    const x = new Variable(data);
    expect(x.data.buffer).toBe(data.buffer);
    const y = new Variable(data, { shape: [2, 2] });
    expect(y.shape).toEqual([2, 2]);
    expect(await y.read()).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test("a shape of the same size may be given, and a name", () => {
    const x = new Variable(new Float32Array(6), { shape: [2, 3], name: "weights" });
    expect(x.shape).toEqual([2, 3]);
    expect(x.toString()).toBe("weights [2, 3]");
    expect(square(x).toString()).toBe("Variable [2, 3] from Square");
  });

  test("later changes of the given array don't reach it", async () => {
    const numbers = Float32Array.of(1, 2);
    const x = new Variable(numbers);
    numbers[0] = 9;
    expect([...(await x.read())]).toEqual([1, 2]);
  });

  test("item() gives the only number, and refuses several", async () => {
    expect(await new Variable([[2.5]]).item()).toBe(2.5);
    await expect(new Variable([1, 2]).item()).rejects.toThrow(RangeError);
  });
});

describe("bad input is refused by name, with no GPU work, and the next good call works", () => {
  const cases: [string, () => unknown, typeof TypeError | typeof RangeError, RegExp][] = [
    ["a string", () => new Variable("1" as never), TypeError, /data must be a number.*not the string "1"/],
    ["undefined", () => new Variable(undefined as never), TypeError, /not undefined/],
    ["null", () => new Variable(null as never), TypeError, /not null/],
    ["a BigInt64Array", () => new Variable(new BigInt64Array(2) as never), TypeError, /BigInt64Array/],
    ["a Float64Array", () => new Variable(new Float64Array(2) as never), TypeError, /Float64Array/],
    [
      "an array of bigints",
      () => new Variable([1n] as never),
      TypeError,
      /data\[0\] must be a number, not the bigint 1/,
    ],
    ["a ragged array", () => new Variable([[1, 2], [3]]), RangeError, /data\[1\] has 1 elements.*ragged/],
    ["a number among rows", () => new Variable([[1, 2], 3]), RangeError, /data\[1\] is a number where/],
    ["a row among numbers", () => new Variable([1, [2]]), RangeError, /data\[1\] is an array where/],
    // eslint-disable-next-line no-sparse-arrays -- a hole is what is tested
    ["a sparse array", () => new Variable([1, , 3] as never), TypeError, /data\[1\] must be a number, not undefined/],
    ["a string inside", () => new Variable([[1], ["2"]] as never), TypeError, /data\[1\]\[0\]/],
    ["a shape of another size", () => new Variable([1, 2, 3], { shape: [2, 2] }), RangeError, /3 numbers.*\[2, 2\]/],
    ["a negative length", () => new Variable([1], { shape: [-1, -1] }), RangeError, /shape\[0\]/],
    ["NaN as a length", () => new Variable([1], { shape: [NaN] }), RangeError, /NaN/],
    ["a fraction as a length", () => new Variable([1], { shape: [0.5, 2] }), RangeError, /0.5/],
    ["a shape that is no array", () => new Variable([1], { shape: 1 as never }), TypeError, /shape must be an array/],
    ["a name that is no string", () => new Variable(1, { name: 7 as never }), TypeError, /name must be a string/],
    ["options that are no object", () => new Variable(1, "x" as never), TypeError, /options/],
    ["a function of a string", () => square("x" as never), TypeError, /string "x"/],
    ["a function of nothing", () => square(...([] as unknown as [number])), TypeError, /takes 1 operands/],
    ["shapes that don't broadcast", () => new Variable([1, 2]).add([1, 2, 3]), RangeError, /\[2\] and \[3\]/],
  ];

  test.each(cases)("%s", async (_what, act, kind, message) => {
    const { dispatches, submits } = stats();
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
    expect(stats()).toMatchObject({ dispatches, submits });
    expect(await square(3).item()).toBe(9);
  });

  test("another device's Variable", async () => {
    const before = await init();
    const x = new Variable([1, 2]);
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) throw new Error("no adapter");
    const own = await adapter.requestDevice();
    await init({ device: own });
    const y = new Variable([1, 2]);
    expect(() => x.add(y)).toThrow(TypeError);
    expect(() => x.add(y)).toThrow(/another GPU device/);
    expect(() => y.add(x)).toThrow(expect.objectContaining({ code: "other-device" }) as Error);
    expect([...(await y.add(y).read())]).toEqual([2, 4]);
    expect([...(await x.add(x).read())]).toEqual([2, 4]);
    await init({ device: before.gpuDevice });
    own.destroy();
  });
});

describe("gradients", () => {
  test("grad = 1 and backward() equals backward() alone; another gradient is carried through", async () => {
    const gradientOf = async (start?: Data): Promise<number[]> => {
      const x = new Variable([0.5, -1, 2]);
      const y = square(exp(square(x)));
      if (start !== undefined) y.grad = start;
      y.backward();
      return [...((await x.grad?.read()) ?? [])];
    };
    const alone = await gradientOf();
    expect(await gradientOf([1, 1, 1])).toEqual(alone);
    expect(await gradientOf([2, 2, 2])).toEqual(alone.map((value) => 2 * value));
  });

  test("every Variable on the way has its gradient afterwards", async () => {
    const x = new Variable(0.5);
    const a = square(x);
    const b = exp(a);
    const y = square(b);
    y.backward();
    const gradients = await Promise.all([y, b, a, x].map(async ({ grad }) => grad?.item()));
    const expected = [1, 2 * Math.exp(0.25), 2 * Math.exp(0.5), 2 * Math.exp(0.5)];
    gradients.forEach((gradient, k) => {
      expect(Math.abs((gradient ?? NaN) / (expected[k] ?? NaN) - 1)).toBeLessThan(3e-7);
    });
  });

  test("a gradient of another shape is refused, and the one before stays", async () => {
    const x = new Variable([1, 2]);
    const gradientOfX = async (): Promise<Float32Array | undefined> => x.grad?.read();
    x.grad = [3, 4];
    expect(() => {
      x.grad = [1, 2, 3];
    }).toThrow(RangeError);
    expect(() => {
      x.grad = "1" as never;
    }).toThrow(TypeError);
    expect([...((await gradientOfX()) ?? [])]).toEqual([3, 4]);
    x.grad = null;
    expect(x.grad).toBeNull();
  });

  test("a leaf's own backward gives it ones", async () => {
    const x = new Variable([1, 2]);
    x.backward();
    expect([...((await x.grad?.read()) ?? [])]).toEqual([1, 1]);
  });
});

describe("counts", () => {
  test("forward of 3 nodes is 3 dispatches in one submit, backward 3; a second size compiles nothing", async () => {
    const run = async (n: number): Promise<void> => {
      const x = new Variable(new Float32Array(n).fill(0.5));
      const before = stats();
      const y = square(exp(square(x)));
      expect(stats().dispatches - before.dispatches).toBe(3);
      y.backward();
      expect(stats().dispatches - before.dispatches).toBe(6);
      await x.grad?.read();
      expect(stats().submits - before.submits).toBe(1);
    };
    await run(1000);
    const { pipelines } = stats();
    await run(1001);
    await run(7);
    expect(stats().pipelines).toBe(pipelines);
  });

  test("two sizes in turn give each its own right answer", async () => {
    const small = new Variable([1, 2, 3]);
    const large = new Variable(Float32Array.from({ length: 1001 }, (_, k) => k));
    const results = [square(small), square(large), exp(square(small)), square(square(large))];
    const [a, b, c, d] = await Promise.all(results.map((result) => result.read()));
    expect([...(a ?? [])]).toEqual([1, 4, 9]);
    expect(b?.[1000]).toBe(1e6);
    expect(c?.[0]).toBeCloseTo(Math.E, 5);
    expect(d?.[1000]).toBe(Math.fround(1e12));
    expect(c).toHaveLength(3);
  });

  test("work is submitted at the end of the task without being asked", async () => {
    const before = stats().submits;
    square([1, 2, 3]);
    expect(stats().submits).toBe(before);
    await Promise.resolve();
    expect(stats().submits).toBe(before + 1);
  });
});

describe("Function", () => {
  test("a second call of one instance throws and says what to do", () => {
    const f = new Square();
    f.call(1);
    expect(() => f.call(2)).toThrow(/Square was called already.*lower-case function/);
  });

  test("the base class's own methods say which method of which class is missing", () => {
    class Half extends Function {}
    expect(() => new Half().call(1)).toThrow(/Half has no forward/);
    class Third extends Function {
      override forward(x: GpuArray) {
        return square(x);
      }
    }
    const y = new Third().call(new Variable(1));
    expect(() => y.backward()).toThrow(/Third has no backward/);
  });

  test("remembers inputs and outputs, and is its output's creator", () => {
    const x = new Variable(1);
    const f = new Exp();
    const y = f.call(x);
    expect(f.inputs).toEqual([x]);
    expect(f.outputs).toEqual([y]);
    expect([f.input, f.output, y.creator]).toEqual([x, y, f]);
  });

  test("one without a forward that gives an array is told so", () => {
    class Nothing extends Function {
      override forward(): GpuArray {
        return undefined as never;
      }
    }
    expect(() => new Nothing().call(new Variable(1))).toThrow(/Nothing.forward must give a GpuArray or a Variable/);
  });
});

test("a Variable is no number: it says so, and what to write; as text it stays readable", () => {
  const x = new Variable([1, 2], { name: "x" });
  for (const use of [
    () => Math.sin(x as never),
    () => (x as never) > 0,
    () => (x as never) * 2,
    () => +(x as never),
    () => (x as unknown as number) + 1,
  ]) {
    expect(use).toThrow(/x \[2\] can't be used as a number.*sin\(x\)/);
    expect(use).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  }
  for (const use of [() => (x.data as never) * 2, () => (x.data as unknown as number) + 1]) {
    expect(use).toThrow(/GpuArray \[2\] can't be used as a number.*mul\(a, 2\)/);
  }
  expect(x.data[Symbol.toPrimitive]("string")).toBe("GpuArray [2]");
  expect("".concat(x as never)).toBe("x [2]");
  expect(String(x)).toBe("x [2]");
});

describe("a slip is told with what to write instead", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "a Promise as data",
      () => new Variable(Promise.resolve([1]) as never),
      /not a Promise: is there an await missing\?/,
    ],
    ["a Promise as an operand", () => new Variable(1).mul(Promise.resolve(1) as never), /is there an await missing\?/],
    [
      "numbers of another kind",
      () => new Variable(new Float64Array(2) as never),
      /not a Float64Array: Float32Array.from/,
    ],
    ["whole numbers of 64 bits", () => new Variable(new BigInt64Array(2) as never), /Float32Array.from\(it, Number\)/],
    [
      "data that is set",
      () => {
        (new Variable([1]) as { data: unknown }).data = [2];
      },
      /the data of Variable \[1\] can't be replaced: assign/,
    ],
    [
      "a method of an array in forward",
      () => {
        class Cube extends Function {
          override forward(x: GpuArray): Variable {
            return (x as unknown as Variable).mul(x);
          }
        }
        return new Cube().call(new Variable(2));
      },
      /mul is a method of Variables, and this is a GpuArray, as forward gets: write mul\(x, …\)/,
    ],
    ["a comparison's gradient", () => new Variable(1).greater(0).backward(), /Greater, which gave it, has none/],
    [
      "the gradient of an own function without one",
      () => elementwise("fn own_forward(x: f32) -> f32 { return x; }", { gradient: false })(new Variable(1)).backward(),
      /Own, which gave it, has none/,
    ],
  ])("%s", (_, slip, message) => {
    expect(slip).toThrow(message);
    expect(slip).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(invalid-argument|not-differentiable)$/) as string }),
    );
  });
});
